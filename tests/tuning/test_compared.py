"""Studies side by side: what they asked for, searched and came to, and where comparing them is unfair."""

import optuna
import pytest

from storage.journal import STUDY_NAME, open_journal
from storage.trials import IMPORTED_FROM, RESOLVED
from tuning import launch
from tuning.compared_facts import answer, compared_study, request_rows, result_rows, unfair
from tuning.compared_spaces import configuration_rows, space_rows
from tuning.compared_table import ComparedRow, cell_words, full_frame, words_frame
from tuning.opening import open_study
from tuning.space.resolve import resolve_configuration
from tuning.spec import build_spec

RATE = {"name": "learning_rate", "kind": "float", "low": 1e-5, "high": 1e-3, "log": True}
STEPS = {"name": "n_steps_pow", "kind": "int", "low": 5, "high": 8, "transform": "2^x", "target": "n_steps"}
COMPLEMENT = {
    **{"name": "one_minus_gamma", "kind": "float", "low": 0.001, "high": 0.1, "log": True},
    **{"transform": "1 - x", "target": "gamma"},
}


@pytest.fixture
def study(runs_dir):
    """Make a study of ours with these values, without training; returns it as it takes part."""

    def make(name, values=(1.0, 2.0), space=(RATE,), imported=0, **request):
        budget = {"n_trials": 5, "n_timesteps": 1000} | request.pop("budget", {})
        spec = build_spec(
            {
                "name": name,
                "env": {"id": "Pendulum-v1"},
                "search_space": list(space),
                "budget": budget,
                "defaults_first": False,
                "tuned_first": False,
                **request,
            }
        )
        folder = launch.create_study(spec, runs_dir)
        found = optuna.load_study(
            study_name=STUDY_NAME,
            storage=open_journal(folder.journal),
            sampler=optuna.samplers.RandomSampler(seed=1),
        )
        for number, value in enumerate(values):
            trial = found.ask()
            params = {p.name: p.suggest(trial) for p in spec.search_space}
            trial.set_user_attr(RESOLVED, resolve_configuration(spec, params))
            if number < imported:
                trial.set_user_attr(IMPORTED_FROM, "elsewhere-1")
            found.tell(trial, value)
        return compared_study(name, launch.read_run(folder))

    return make


@pytest.fixture
def foreign(tmp_path, runs_dir):
    def make(direction="maximize"):
        path = tmp_path / f"{direction}.log"
        storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(path)))
        theirs = optuna.create_study(storage=storage, study_name="theirs", direction=direction)
        for value in (1.0, 3.0):
            trial = theirs.ask()
            trial.suggest_float("learning_rate", 1e-4, 1e-2, log=True)
            theirs.tell(trial, value)
        return compared_study("theirs", launch.read_run(open_study(path, None, runs_dir)))

    return make


def by_label(rows):
    return {row.label: row for row in rows}


def test_equal_studies_have_nothing_unfair_and_only_what_always_matters(study):
    studies = [study("a"), study("b")]
    assert unfair(studies) == []
    rows = by_label(request_rows(studies))
    assert rows["Environment"].values == ("Pendulum-v1", "Pendulum-v1")
    assert not any(row.differs for row in rows.values())
    assert "Workers" not in rows


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"env": {"id": "CartPole-v1"}}, "Different environments: a Pendulum-v1 and b CartPole-v1"),
        ({"env": {"id": "Pendulum-v1", "kwargs": {"g": 5.0}}}, "set up differently (Environment: g)"),
        ({"budget": {"n_timesteps": 2000}}, "Different budgets a trial: a 1\u202f000 and b 2\u202f000 steps"),
        ({"budget": {"n_eval_episodes": 3}}, "a 10 and b 3 episodes each"),
        ({"values": (1.0,)}, "Fewer trials: b has 1 of 2"),
        ({"values": (9.0, 1.0, 2.0), "imported": 1}, "b began with 1 imported trial"),
        ({"maximize": False}, "different directions"),
    ],
)
def test_what_makes_a_comparison_unfair_is_said(study, other, words):
    said = unfair([study("a"), study("b", **other)])
    assert len(said) == 1
    assert words in said[0]


def test_another_sampler_is_what_is_compared_not_unfair(study):
    studies = [study("a"), study("b", sampler={"name": "random"}, n_workers=1)]
    assert unfair(studies) == []
    rows = by_label(request_rows(studies))
    assert rows["Sampler"].differs
    assert rows["Workers"].values == (2, 1)


def test_a_foreign_study_compares_as_far_as_it_is_known(study, foreign):
    studies = [study("a"), foreign()]
    assert unfair(studies) == [
        "Of theirs only the trials are known, not the environment or the budget. Make sure that it trained "
        "the same."
    ]
    assert by_label(request_rows(studies))["Algorithm"].values == ("PPO", None)
    rows = by_label(space_rows([s.run for s in studies]))
    assert rows["learning_rate"].values == ("1e-5 to 0.001 (log)", "1e-4 to 0.01 (log)")


def test_ranges_are_in_the_unit_of_the_argument(study):
    studies = [
        study("a", space=[RATE, COMPLEMENT]),
        study("b", space=[RATE, STEPS], hyperparameters={"gamma": 0.9}),
    ]
    rows = by_label(space_rows([s.run for s in studies]))
    assert not rows["learning_rate"].differs
    assert rows["gamma"].values == ("0.9 to 0.999 (log)", "fixed: 0.9")
    assert rows["n_steps"].values == ("default: 2048", "32 to 256")


def test_best_configurations_show_what_was_searched_or_differs(study):
    studies = [study("a", space=[RATE, STEPS]), study("b", hyperparameters={"ent_coef": 0.01})]
    rows = by_label(configuration_rows([s.run for s in studies], [s.best for s in studies]))
    assert list(rows) == ["learning_rate", "n_steps", "ent_coef"]
    assert rows["ent_coef"].values == (0.0, 0.01)
    assert rows["n_steps"].values[1] == 2048
    assert rows["learning_rate"].values[0] == studies[0].best.params["learning_rate"]


def test_a_study_without_a_value_leaves_its_column_empty(study):
    studies = [study("a"), study("b", values=())]
    rows = configuration_rows([s.run for s in studies], [s.best for s in studies])
    assert all(row.values[1] is None for row in rows)
    assert by_label(result_rows(studies))["Best value"].values == (2.0, None)
    assert answer(studies) == "a reached 2; b has no value yet."


def test_the_answer_names_the_best_first_in_either_direction(study):
    up = [study("a"), study("b", values=(5.0, 1.0))]
    assert answer(up) == "b reached 5 and a reached 2."
    down = [study("a", maximize=False), study("b", values=(5.0, 3.0), maximize=False)]
    assert answer(down) == "a reached 1 and b reached 3."
    assert answer([study("c", values=()), study("d", values=())]) == ""


def test_tables_for_people_and_for_files():
    rows = [
        ComparedRow("gamma", (0.123456789, None)),
        ComparedRow("x", (1, 1.0)),
        ComparedRow("y", (True, 1)),
    ]
    assert words_frame(rows, 2).values.tolist() == [
        ["gamma", "≠", "0.123", "–"],  # noqa: RUF001
        ["x", "", "1", "1"],
        ["y", "≠", "yes", "1"],
    ]
    full = full_frame(rows, ["a", "what"])
    assert list(full.columns) == ["what", "differs", "a", "what (study 2)"]
    assert full.iloc[0, 2] == 0.123456789
    assert len(cell_words(["x" * 1000])) == 200
