"""The Re-evaluation page in its states, on files made by hand."""

import json
import time
from pathlib import Path

import optuna
import pytest

from pages.components import deletion, reevaluation_result
from storage.artifacts import pinned_trials, save_policy
from storage.journal import STUDY_NAME, open_journal
from storage.records import write_record
from storage.roots import VARIABLE as ROOTS
from storage.winner import read_winner
from tuning import launch
from tuning.access import VARIABLE as READ_ONLY
from tuning.analysis.words import THIN
from tuning.mapping import guess_mapping, mapped_spec, save_mapping
from tuning.opening import open_study
from tuning.reevaluation_jobs import find_reevaluations, start_reevaluation
from tuning.reevaluation_plan import plan_reevaluation
from tuning.retraining_plan import RunResult, append_result
from tuning.trainers import TrainerUsed

ROOT = Path(__file__).resolve().parents[2]
PAGE = "pages/reevaluation.py"

# Trials 5 and 4 are the study's best, in that order; measured again they change places.
MEANS = {"trial 5": -700.0, "trial 4": -550.0, "trial 3": -800.0, "defaults": -1200.0}


@pytest.fixture(autouse=True)
def started(monkeypatch):
    """What would have been started: no test here trains."""
    folders = []
    monkeypatch.setattr(launch, "start", folders.append)
    return folders


@pytest.fixture
def study(make_study):
    return make_study("demo", n_complete=6, n_pruned=0, n_failed=0)


@pytest.fixture
def measure(study):
    """Write a re-evaluation of the study's best three and the defaults, with results."""

    def make(*, n_results=None, state="finished", spread=2.0, **asked):
        settings = {
            "trials": [5, 4, 3],
            "tuned": False,
            "n_seeds": 6,
            "n_episodes": 8,
            "racing": False,
        } | asked
        planned = plan_reevaluation(launch.read_run(study), **settings)
        folder = start_reevaluation(study, planned)
        weights = planned.question.mode == "weights"
        for n, run in enumerate(planned.plan.runs[:n_results]):
            mean = MEANS[run.key.rpartition(",")[0]] + spread * (n % 5)
            returns = tuple(mean + i for i in range(-4, 4)) if weights else (mean, mean)
            mean = sum(returns) / len(returns)
            done = RunResult(key=run.key, state="ok", mean=mean, std=1.0, returns=returns, duration_s=2.0)
            used = None if weights else TrainerUsed("fast")
            append_result(folder, done.model_copy(update={"trainer": used}))
        if state is not None:
            write_record(folder.runner, {"pid": 1, "pid_created": 1.0, "started_at": time.time() - 60})
        if state not in (None, "interrupted"):
            write_record(folder.exit, {"state": state, "reason": "Because <b>.", "ended_at": time.time() - 5})
        return folder

    return make


def labels(app):
    return [button.label for button in app.button]


def primary(app):
    return [button.label for button in app.button if button.proto.type == "primary"]


def titles(app):
    specs = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    return [spec["layout"]["title"]["text"].replace("<br>", " ") for spec in specs]


def start_button(app, study):
    return app.button(key=f"reevaluation-start-{study.id}")


def part(app, kind, study, name):
    return next(w for w in getattr(app, kind) if w.key == f"reevaluation-{study.id}-{name}")


class TestAsking:
    def test_without_one_the_page_says_what_it_is_and_what_it_would_train(self, open_page, study, words):
        app = open_page(PAGE, study=study.id)
        text = words(app)
        assert "so its winner's number is too good" in text
        assert "Trains trials 5, " in text, "near-equal ones of the random trials count once"
        assert "the SB3 defaults" in text
        assert "steps in all, on" in text
        assert "About " in text
        assert primary(app) == ["Start the re-evaluation"]

    def test_a_study_without_a_complete_trial_points_to_live(self, open_page, make_study, words):
        folder = make_study(n_complete=0, n_pruned=0, n_failed=0, state=None)
        app = open_page(PAGE, study=folder.id)
        assert "This study has no trials yet" in words(app)
        assert "Live" in [link.value for link in app.get("page_link")]

    def test_starting_takes_what_the_form_holds(self, open_page, study, started, words):
        app = open_page(PAGE, study=study.id)
        part(app, "number_input", study, "top").set_value(2).run()
        part(app, "number_input", study, "seeds").set_value(3).run()
        part(app, "number_input", study, "episodes").set_value(7).run()
        part(app, "button_group", study, "budget").set_value("2x").run()
        part(app, "toggle", study, "tuned").set_value(False).run()
        assert "does not always transfer" in words(app)
        start_button(app, study).click().run()
        assert not app.exception
        (job,) = find_reevaluations(study)
        q = job.question
        first, _, last = q.candidates
        assert (first.key, last.key) == ("trial 5", "defaults")
        assert (q.n_seeds, q.n_episodes, q.n_timesteps, q.racing) == (3, 7, 2000, True)
        assert [f.id for f in started] == [job.folder.id]
        assert app.query_params["reevaluation"] == job.folder.id
        assert "Starting." in words(app)
        assert labels(app) == [], "another tab must not start or delete it meanwhile"
        record = json.loads(job.folder.job.read_text())
        write_record(job.folder.job, {**record, "created_at": time.time() - 61})
        app.run()
        assert "It has not started." in words(app)
        assert {"Start", "Delete"} <= set(labels(app))

    def test_trials_picked_by_hand_come_with_their_values(self, open_page, study):
        app = open_page(PAGE, study=study.id)
        part(app, "button_group", study, "which").set_value("Picked by hand").run()
        picker = part(app, "multiselect", study, "trials")
        assert picker.options[0] == "Trial 5 (-500)"
        assert start_button(app, study).disabled, "nothing is picked yet"
        picker.set_value([1, 5]).run()
        part(app, "toggle", study, "defaults").set_value(False).run()
        part(app, "toggle", study, "tuned").set_value(False).run()
        start_button(app, study).click().run()
        (job,) = find_reevaluations(study)
        assert [c.trial for c in job.question.candidates] == [5, 1]

    @pytest.mark.parametrize(
        ("name", "value", "said"),
        [("seeds", 0, "must be 1 to 100"), ("episodes", -3, "received -3"), ("top", 99, "received 99")],
    )
    def test_what_makes_no_sense_is_said_and_cannot_be_started(
        self, open_page, study, words, name, value, said
    ):
        app = open_page(PAGE, study=study.id)
        part(app, "number_input", study, name).set_value(value).run()
        assert said in words(app)
        assert start_button(app, study).disabled

    def test_kept_policies_that_are_not_there_are_a_sentence(self, open_page, study, words):
        app = open_page(PAGE, study=study.id)
        part(app, "button_group", study, "mode").set_value("Same weights, more episodes").run()
        text = words(app)
        assert "whether their configurations would do as well again it cannot say" in text
        assert "No policy of these candidates was kept" in text
        assert start_button(app, study).disabled

    def test_a_second_press_is_a_sentence_and_starts_no_second(
        self, open_page, study, words, measure, holding
    ):
        app = open_page(PAGE, study=study.id)
        holding(measure(state=None))  # in another tab
        start_button(app, study).click().run()
        assert not app.exception
        assert "is running" in words(app)
        assert len(find_reevaluations(study)) == 1


class TestRunning:
    def test_it_shows_progress_and_the_dots_and_can_be_stopped(
        self, open_page, study, words, measure, holding
    ):
        folder = measure(n_results=9, state=None)
        holding(folder)
        app = open_page(PAGE, study=study.id)
        text = words(app)
        assert "9 of 24 runs done" in text
        assert "You can leave this page" in text
        assert "After 9 of 24 runs" in text
        assert len(titles(app)) == 1
        assert labels(app) == ["Stop"]
        app.button(key=f"reevaluation-stop-{folder.id}").click().run()
        assert folder.stop.read_text() == "now"
        assert "Stopping" in words(app)

    @pytest.mark.parametrize(
        ("state", "said"),
        [
            ("stopped", "It was stopped with 9 of 24 runs done"),
            ("failed", "It failed with 9 of 24 runs done. Because <b>."),
            ("interrupted", "ended without a word"),
        ],
    )
    def test_what_ended_early_shows_what_it_has_and_goes_on(
        self, open_page, study, words, measure, started, state, said
    ):
        folder = measure(n_results=9, state=state)
        started.clear()
        app = open_page(PAGE, study=study.id)
        assert said in words(app)
        assert "After 9 of 24 runs" in words(app)
        assert primary(app) == ["Resume"]
        assert "Add 5 more seeds" not in labels(app)
        app.button(key=f"reevaluation-resume-{folder.id}").click().run()
        assert [f.id for f in started] == [folder.id]

    def test_what_cannot_go_on_says_why(self, open_page, study, words, measure, monkeypatch):
        folder = measure(n_results=3, state="stopped")

        def refuse(folder):
            raise OSError("No space left on device")

        monkeypatch.setattr(launch, "start", refuse)
        app = open_page(PAGE, study=study.id)
        app.button(key=f"reevaluation-resume-{folder.id}").click().run()
        assert "No space left on device" in words(app)


class TestFinished:
    def test_one_candidate_alone_leaves_no_empty_boxes(self, open_page, study, words, measure):
        measure(trials=[5], defaults=False)
        app = open_page(PAGE, study=study.id)
        assert "there is nothing to compare it with" in words(app)
        assert "What the search said" not in words(app)
        assert not any("Ranks before and after" in t or "Regression" in t for t in titles(app))

    def test_below_three_runs_nothing_is_recommended(self, open_page, study, words, measure):
        measure(n_seeds=2)
        app = open_page(PAGE, study=study.id)
        assert "Two runs say little" in words(app)
        assert app.dataframe[0].value["verdict"].iloc[0] == "ahead so far"
        assert list(app.dataframe[0].value.columns[:3]) == ["rank", "candidate", "mean"]
        assert "recommended" not in words(app)
        assert '"name":"recommended"' not in "".join(c.proto.spec for c in app.get("plotly_chart"))

    def test_the_answer_comes_first_then_the_evidence(self, open_page, study, words, measure):
        measure()
        app = open_page(PAGE, study=study.id)
        text = words(app)
        headings = [m.value for m in app.markdown if m.value.startswith("#### ")]
        (heading,) = headings
        assert heading.count(". ") == 1, "what to use and what to expect; the rest stands beneath it"
        assert ". Expect " in heading
        assert "Trial 4 is the best" in text
        runs, regression, ranks, *_ = titles(app)
        assert "Trial 4 leads: -546 (95 % interval" in runs
        assert "6 runs" in runs
        assert "too good on average" in regression
        assert "Trial 5 falls from 1 to 2; Trial 4 is first" in ranks
        table = app.dataframe[0].value
        assert table["candidate"].tolist() == ["Trial 4", "Trial 5", "Trial 3", "SB3 defaults"]
        assert "p_value" not in table or table["p_value"].notna().any()
        assert app.dataframe[1].value["seed"].tolist() == [1, 2, 3, 4, 5, 6]
        assert primary(app) == ["Choose trial 4"]
        assert "Trained by fast kernels." in text

    def test_the_gravest_warnings_are_in_sight_and_the_others_behind_an_expander(
        self, open_page, study, measure, monkeypatch
    ):
        measure()
        monkeypatch.setattr(reevaluation_result, "MOST_WARNINGS", 1)
        app = open_page(PAGE, study=study.id)
        warned = [m.value for m in app.markdown if ":material/warning:" in m.value]
        (limits,) = [e for e in app.expander if e.label == "1 more limit of these numbers"]
        assert [m.value for m in limits.markdown] == warned[1:]
        assert len(warned) == 2

    def test_the_winner_is_chosen_and_taken_back(self, open_page, study, words, measure):
        folder = measure()
        app = open_page(PAGE, study=study.id)
        app.button(key=f"choose-{folder.id}").click().run()
        winner = read_winner(study)
        assert (winner.trial, winner.reevaluation) == (4, folder.id)
        assert winner.expected == pytest.approx(-546, abs=3)
        assert pinned_trials(study) == {4}
        assert "Chosen: trial 4." in words(app)
        assert any("Pendulum-v1:" in code.value for code in app.code), "its exports"
        assert "Chosen: trial 4." in words(open_page("pages/history.py", study=study.id))
        (table,) = open_page().dataframe
        assert list(table.value["chosen"]) == ["4"]
        app = open_page(PAGE, study=study.id)
        app.button(key="winner-take-back").click().run()
        assert read_winner(study) is None
        assert pinned_trials(study) == set()
        assert "Chosen" not in words(app)
        assert "chosen" not in open_page().dataframe[0].value

    def test_another_than_the_recommended_one_can_be_chosen(self, open_page, study, measure):
        folder = measure()
        app = open_page(PAGE, study=study.id)
        select = app.selectbox(key=f"winner-choice-{folder.id}")
        assert select.value == 4
        select.set_value(5).run()
        assert "Choose trial 5" in labels(app)
        assert primary(app) == [], "it is not among the best"
        app.button(key=f"choose-{folder.id}").click().run()
        winner = read_winner(study)
        assert (winner.trial, winner.expected) == (5, pytest.approx(-696, abs=3))

    def test_a_number_from_another_budget_says_so(self, open_page, study, words, measure):
        folder = measure(n_timesteps=80_000)
        app = open_page(PAGE, study=study.id)
        app.button(key=f"choose-{folder.id}").click().run()
        winner = read_winner(study)
        assert (winner.mode, winner.n_timesteps) == ("retrain", 80_000)
        said = "Expect about -546 after 80 000 steps."
        assert said in words(app).replace(THIN, " ")

    def test_a_baseline_that_wins_is_shown_with_its_arguments_and_no_trial_is_pressed_on_anybody(
        self, open_page, study, words, measure, monkeypatch
    ):
        monkeypatch.setitem(MEANS, "defaults", -100.0)
        measure()
        app = open_page(PAGE, study=study.id)
        text = words(app)
        assert "it cannot be chosen here: SB3 defaults" in text
        assert any('"n_steps"' in code.value or code.value == "{}" for code in app.code)
        assert primary(app) == []
        assert "Choose trial 4" in labels(app)

    def test_more_seeds_are_added_to_the_same_one(self, open_page, study, measure, started):
        folder = measure()
        started.clear()
        app = open_page(PAGE, study=study.id)
        app.button(key=f"reevaluation-extend-{folder.id}").click().run()
        (job,) = find_reevaluations(study)
        assert (job.question.n_seeds, len(job.plan.runs), len(job.results)) == (11, 44, 24)
        assert [f.id for f in started] == [folder.id]

    def test_the_same_candidates_at_twice_the_budget_and_both_rankings(
        self, open_page, study, words, measure
    ):
        folder = measure()
        app = open_page(PAGE, study=study.id)
        assert "Start it" not in labels(app), "nothing is planned behind what is closed"
        assert "Start the re-evaluation" not in labels(app)
        app.session_state[f"reevaluation-again-{folder.id}"] = True
        app.session_state["reevaluation-another"] = True
        app.run()
        assert "Start the re-evaluation" in labels(app)
        app.button(key=f"reevaluation-again-start-{folder.id}").click().run()
        new, old = find_reevaluations(study)
        assert (new.question.n_timesteps, old.question.n_timesteps) == (2000, 1000)
        assert [c.key for c in new.question.candidates] == [c.key for c in old.question.candidates]
        for run in new.plan.runs:
            mean = -MEANS[run.key.rpartition(",")[0]]
            append_result(new.folder, RunResult(key=run.key, state="ok", mean=mean, std=1.0))
        write_record(new.folder.runner, {"pid": 1, "pid_created": 1.0, "started_at": time.time() - 60})
        write_record(new.folder.exit, {"state": "finished", "reason": "", "ended_at": time.time()})
        app = open_page(PAGE, study=study.id)
        text = words(app)
        assert "On another budget" in text
        assert "The two orders are unlike" in text
        assert any("Trial 4 falls from 1 to 4" in title for title in titles(app))
        (picker,) = [box for box in app.selectbox if box.key == "reevaluation-picker"]
        assert picker.value == new.folder.id, "the newest one is shown"
        picker.set_value(old.folder.id).run()
        assert app.query_params["reevaluation"] == old.folder.id
        assert "Trial 4 is the best" in words(app)

    def test_deleting_asks_first(self, open_page, study, words, measure):
        folder = measure()
        app = open_page(PAGE, study=study.id, reevaluation=folder.id)
        app.button(key="reevaluation-delete").click().run()
        assert "It goes for good, with the results of 24 runs" in words(app)
        assert find_reevaluations(study)
        app.button(key="reevaluation-delete-confirmed").click().run()
        assert find_reevaluations(study) == []
        app = open_page(PAGE, study=study.id, reevaluation=folder.id)
        assert primary(app) == ["Start the re-evaluation"]

    def test_an_address_of_another_study_leads_to_the_newest(self, open_page, study, measure):
        folder = measure()
        app = open_page(PAGE, study=study.id, reevaluation="../etc")
        assert not app.exception
        assert app.query_params["reevaluation"] == folder.id

    def test_files_that_were_changed_break_nothing(self, open_page, study, words, measure):
        measure()
        measure().reevaluation.write_text(json.dumps({"mode": "<b>"}))
        text = words(open_page(PAGE, study=study.id))
        assert "1 re-evaluation of this study cannot be read" in text
        assert "Trial 4 is the best" in text

    def test_racing_says_whom_it_gave_up_and_what_it_saved(self, open_page, study, words, measure):
        measure(racing=True, n_results=16, state="finished")
        assert "Racing** gave up" in words(open_page(PAGE, study=study.id))

    def test_deleting_the_study_names_its_reevaluations(self, study, measure):
        measure()
        assert ", 1 re-evaluation, learning curves" in deletion.losses(study)


class TestWeights:
    def test_agents_are_labelled_and_nothing_of_retraining_is_shown(self, open_page, study, words, measure):
        for trial in (5, 4, 3):
            save_policy(study, trial, {}, {})
        folder = measure(mode="weights", defaults=False)
        app = open_page(PAGE, study=study.id)
        text = words(app)
        assert "not the configuration that trained it" in text
        runs, *_ = titles(app)
        assert "The trained agent of Trial 4 leads" in runs
        assert "8 episodes" in runs
        assert "How they learn" not in text
        assert "Trained by" not in text
        assert "Add 5 more seeds" not in labels(app)
        assert app.dataframe[1].value["episode"].tolist() == list(range(1, 9))
        app.button(key=f"choose-{folder.id}").click().run()
        assert "from this trained agent." in words(app)


class TestReadOnly:
    def test_nothing_can_be_asked_and_everything_can_be_seen(
        self, open_page, study, words, measure, monkeypatch
    ):
        measure()
        monkeypatch.setenv(READ_ONLY, "1")
        app = open_page(PAGE, study=study.id)
        text = words(app)
        assert "Trial 4 is the best" in text
        assert len(titles(app)) >= 3
        assert labels(app) == []

    def test_without_one_it_says_so(self, open_page, study, words, monkeypatch):
        monkeypatch.setenv(READ_ONLY, "1")
        app = open_page(PAGE, study=study.id)
        assert "Nobody has re-evaluated this study yet" in words(app)
        assert labels(app) == []

    def test_one_that_runs_or_ended_early_has_no_buttons(
        self, open_page, study, measure, holding, monkeypatch
    ):
        folder = measure(n_results=5, state="stopped")
        monkeypatch.setenv(READ_ONLY, "1")
        assert labels(open_page(PAGE, study=study.id)) == []
        folder.exit.unlink()
        holding(folder)
        assert labels(open_page(PAGE, study=study.id)) == []

    @pytest.mark.parametrize(
        ("button", "action"),
        [
            ("choose-{id}", "choose a winner"),
            ("reevaluation-extend-{id}", "extend a re-evaluation"),
            ("reevaluation-again-start-{id}", "start a re-evaluation"),
            ("reevaluation-start-{study}", "start a re-evaluation"),
            ("reevaluation-delete-confirmed", "delete a re-evaluation"),
        ],
    )
    def test_a_tab_from_before_is_told_so(
        self, open_page, study, words, measure, started, monkeypatch, button, action
    ):
        folder = measure()
        started.clear()
        app = open_page(PAGE, study=study.id)
        app.session_state[f"reevaluation-again-{folder.id}"] = "again-start" in button
        app.session_state["reevaluation-another"] = "start-{study}" in button
        if "confirmed" in button:
            app.button(key="reevaluation-delete").click()
        app.run()
        monkeypatch.setenv(READ_ONLY, "1")
        app.button(key=button.format(id=folder.id, study=study.id)).click().run()
        assert f"so it cannot {action}" in words(app)
        (job,) = find_reevaluations(study)
        assert job.question.n_seeds == 6
        assert (read_winner(study), started) == (None, [])

    def test_a_tab_from_before_cannot_ask_for_the_first_one(self, open_page, study, words, monkeypatch):
        app = open_page(PAGE, study=study.id)
        monkeypatch.setenv(READ_ONLY, "1")
        start_button(app, study).click().run()
        assert "so it cannot start a re-evaluation" in words(app)
        assert find_reevaluations(study) == []

    def test_a_tab_from_before_cannot_stop_one(self, open_page, study, words, measure, holding, monkeypatch):
        folder = measure(n_results=5, state=None)
        holding(folder)
        app = open_page(PAGE, study=study.id)
        monkeypatch.setenv(READ_ONLY, "1")
        app.button(key=f"reevaluation-stop-{folder.id}").click().run()
        assert "so it cannot stop" in words(app)
        assert not folder.stop.exists()


class TestOpened:
    @pytest.fixture
    def theirs(self, runs, tmp_path, monkeypatch):
        """Open a study of plain Optuna, with these stored parameters."""
        monkeypatch.setenv(ROOTS, str(tmp_path))

        def make(**params):
            path = tmp_path / "theirs.log"
            study = optuna.create_study(
                storage=open_journal(path, create=True), study_name=STUDY_NAME, direction="maximize"
            )
            for i in range(4):
                ranges = {
                    name: optuna.distributions.FloatDistribution(*ends) for name, ends in params.items()
                }
                values = {name: ends[0] + (ends[1] - ends[0]) * i / 4 for name, ends in params.items()}
                study.add_trial(
                    optuna.trial.create_trial(params=values, distributions=ranges, value=-100.0 - i)
                )
            return open_study(path, STUDY_NAME, runs)

        return make

    def test_it_asks_how_the_study_is_trained_before_it_can_be_measured(self, open_page, theirs, words):
        folder = theirs(learning_rate=(1e-4, 1e-3), gamma=(0.9, 0.999))
        app = open_page(PAGE, study=folder.id)
        assert "does not say what it trained" in words(app)
        assert "Start the re-evaluation" not in labels(app)
        app.selectbox(key=f"mapping-{folder.id}-env").set_value("Pendulum-v1").run()
        app.number_input(key=f"mapping-{folder.id}-steps").set_value(5000).run()
        save = app.button(key=f"mapping-{folder.id}-save")
        assert not save.disabled
        assert primary(app) == ["Train it like this"]
        save.click().run()
        spec = mapped_spec(folder)
        assert (spec.env.id, spec.budget.n_timesteps) == ("Pendulum-v1", 5000)
        assert {p.target for p in spec.search_space} == {"learning_rate", "gamma"}
        assert primary(app) == ["Start the re-evaluation"]
        assert "Trains trials 0, 1, 2 and 3" in words(app)
        assert spec.trainer == "auto"

    def test_a_trainer_that_a_file_asked_for_outlives_the_form(self, open_page, theirs):
        folder = theirs(learning_rate=(1e-4, 1e-3))
        asked = {"env_id": "Pendulum-v1", "n_timesteps": 5000, "trainer": "sb3"}
        save_mapping(folder, guess_mapping(launch.read_run(folder), **asked).spec)
        app = open_page(PAGE, study=folder.id)
        app.number_input(key=f"mapping-{folder.id}-steps").set_value(6000).run()
        app.button(key=f"mapping-{folder.id}-save").click().run()
        spec = mapped_spec(folder)
        assert (spec.budget.n_timesteps, spec.trainer) == (6000, "sb3")

    def test_a_parameter_that_nobody_knows_must_be_settled_first(self, open_page, theirs, words):
        folder = theirs(learning_rate=(1e-4, 1e-3), magic=(0.0, 1.0))
        app = open_page(PAGE, study=folder.id)
        app.selectbox(key=f"mapping-{folder.id}-env").set_value("Pendulum-v1").run()
        assert "Nobody knows what magic set" in words(app)
        assert app.button(key=f"mapping-{folder.id}-save").disabled

    def test_a_mapping_that_was_damaged_is_asked_for_again(self, open_page, theirs, words):
        folder = theirs(learning_rate=(1e-4, 1e-3))
        folder.mapping.write_text("{")
        app = open_page(PAGE, study=folder.id)
        assert "cannot be read any more" in words(app)
        assert "Start the re-evaluation" not in labels(app)
