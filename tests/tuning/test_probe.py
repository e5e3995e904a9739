"""Planning probes, and running one."""

from dataclasses import replace
from datetime import timedelta

import pytest
from optuna.trial import TrialState, create_trial

from storage.paths import RunFolder
from storage.trials import TRAINER, StudyData
from tuning.jobs import JobState, JobStatus
from tuning.launch import Run
from tuning.probe import plan_probe, probe_seconds
from tuning.probe_values import ProbeError
from tuning.spec import build_spec

SPACE = [
    {"name": "learning_rate", "kind": "float", "low": 3e-5, "high": 3e-4, "log": True},
    {"name": "gamma", "kind": "float", "low": 0.97, "high": 0.9999},
    {"name": "n_steps_pow", "kind": "int", "low": 5, "high": 10, "transform": "2^x"},
    {"name": "n_epochs", "kind": "int", "low": 2, "high": 10, "step": 4},
    {"name": "batch_size", "kind": "categorical", "choices": [32, 64, 128]},
    {
        "name": "activation_fn",
        "kind": "categorical",
        "choices": ["tanh", "relu"],
        "transform": "activation_fn",
    },
]
BASE = {
    "learning_rate": 2.9e-4,
    "gamma": 0.98,
    "n_steps_pow": 10,
    "n_epochs": 10,
    "batch_size": 128,
    "activation_fn": "tanh",
}


@pytest.fixture
def spec():
    return build_spec(
        {
            "name": "probed",
            "env": {"id": "Pendulum-v1"},
            "search_space": SPACE,
            "budget": {"n_trials": 10, "n_timesteps": 40_000, "n_eval_episodes": 7},
            "n_train_envs": 4,
            "seed": 5,
        }
    )


@pytest.fixture
def study(spec, tmp_path):
    """A study with these trials, each (value, changes to BASE)."""

    def make(*trials, **over):
        made = []
        for number, (value, changes) in enumerate(trials):
            declared = {p.name: p.distribution() for p in spec.search_space}
            state = TrialState.FAIL if value is None else TrialState.COMPLETE
            trial = create_trial(state=state, value=value, params={**BASE, **changes}, distributions=declared)
            trial.number = number
            made.append(trial)
        status = JobStatus(JobState.FINISHED, "study", "", 0.0, None, None, None)
        data = StudyData("study", over.get("spec", spec).maximize, tuple(made))
        return Run(RunFolder(tmp_path), over.get("spec", spec), status, data)

    return make


@pytest.fixture
def good(study):
    return study(
        (-500.0, {"gamma": 0.99}),
        (-200.0, {}),
        (-150.0, {"gamma": 0.975}),
        (None, {}),
        (-300.0, {"n_steps_pow": 6}),
    )


def test_only_the_one_parameter_moves_and_all_share_their_seeds(good):
    planned = plan_probe(good, "learning_rate", "high")
    q, plan = planned.question, planned.plan
    assert [c.trial for c in q.configurations] == [2, 1, 4]
    assert [c.result for c in q.configurations] == [-150.0, -200.0, -300.0]
    assert q.values == (5e-4, 1e-3)
    assert len(plan.runs) == 27
    runs = {run.key: run for run in plan.runs}
    for configuration in q.configurations:
        for seed in range(3):
            own = runs[q.key(configuration, None, seed)]
            for value in q.values:
                moved = runs[q.key(configuration, value, seed)]
                assert moved.resolved == {**own.resolved, "learning_rate": value}
                assert (moved.train_seed, moved.eval_seed) == (own.train_seed, own.eval_seed)
    assert runs[q.key(q.configurations[0], None, 0)].resolved["learning_rate"] == 2.9e-4
    assert runs[q.key(q.configurations[2], None, 0)].resolved["n_steps"] == 64
    assert len({(run.train_seed, run.eval_seed) for run in plan.runs}) == 3
    assert min(run.train_seed for run in plan.runs) >= 10_000
    assert (plan.n_timesteps, plan.n_eval_episodes, plan.n_train_envs) == (40_000, 7, 4)


def test_runs_come_seed_by_seed_so_that_a_stopped_probe_has_whole_pairs(good):
    plan = plan_probe(good, "learning_rate", "high").plan
    assert [run.train_seed for run in plan.runs] == sorted(run.train_seed for run in plan.runs)


def test_another_draw_changes_the_seeds_and_nothing_else(good):
    planned = plan_probe(good, "gamma", "low")
    assert planned.with_draw(0) == planned
    other = planned.with_draw(1)
    pairs = {}
    for one, two in zip(planned.plan.runs, other.plan.runs, strict=True):
        assert abs(one.train_seed - two.train_seed) >= 2000
        assert one.model_dump(exclude={"train_seed", "eval_seed"}) == two.model_dump(
            exclude={"train_seed", "eval_seed"}
        )
        pairs.setdefault((one.train_seed, one.eval_seed), set()).add((two.train_seed, two.eval_seed))
    assert [len(pair) for pair in pairs.values()] == [1] * planned.question.n_seeds


def test_a_study_that_continues_this_one_draws_other_seeds(good, tmp_path):
    child = replace(good, folder=RunFolder(tmp_path / "probed-wide-1a2b"))
    seeds = [{run.train_seed for run in plan_probe(r, "gamma", "low").plan.runs} for r in (good, child)]
    assert not seeds[0] & seeds[1]


@pytest.mark.parametrize(
    ("parameter", "side", "values"),
    [
        ("learning_rate", "high", (5e-4, 1e-3)),
        ("learning_rate", "low", (1.4e-5, 7e-6)),
        ("gamma", "low", (0.96, 0.955)),
        ("n_steps_pow", "high", (12, 13)),
        ("n_epochs", "high", (14, 18)),
        ("batch_size", "high", (256, 512)),
        ("batch_size", "low", (16, 8)),
    ],
)
def test_values_past_the_bound_are_such_as_the_parameter_can_have(good, parameter, side, values):
    q = plan_probe(good, parameter, side).question
    assert q.values == values
    assert [type(v) for v in q.values] == [type(v) for v in values]
    assert all(q.past(value) for value in q.values)


@pytest.mark.parametrize("side", ["low", "high"])
def test_inside_the_first_value_lies_in_the_half_in_question(good, side):
    for name, low, high in (("learning_rate", 3e-5, 3e-4), ("gamma", 0.97, 0.9999), ("n_steps_pow", 5, 10)):
        first, *further = plan_probe(good, name, side, inside=True).question.values
        assert low < first < high
        middle = (low * high) ** 0.5 if name == "learning_rate" else (low + high) / 2
        assert (first > middle) == (side == "high")
        assert all(v > high if side == "high" else v < low for v in further)


def test_a_bound_at_its_natural_limit_cannot_be_probed(study, spec):
    data = spec.model_dump()
    data["search_space"][1]["low"] = 0.0
    wide = build_spec(data)
    run = study((-1.0, {}), spec=wide)
    with pytest.raises(ProbeError, match=r"gamma cannot go past 0: gamma must be at least 0 and below 1"):
        plan_probe(run, "gamma", "low")


def test_values_stay_inside_the_natural_limit(good):
    for inside in (False, True):
        assert all(v < 1 for v in plan_probe(good, "gamma", "high", inside=inside).question.values)


def test_chosen_values_are_snapped_and_ordered_outward(good):
    assert plan_probe(good, "n_epochs", "high", values=[19, 15, 14]).question.values == (14, 18)
    assert plan_probe(good, "gamma", "low", values=[0.9, 0.95]).question.values == (0.95, 0.9)
    assert plan_probe(good, "batch_size", "high", values=[200]).question.values == (200,)


@pytest.mark.parametrize(
    ("parameter", "values", "said"),
    [
        ("gamma", [1.5], "gamma cannot be 1.5: gamma must be at least 0 and below 1"),
        ("learning_rate", [-1.0], "learning_rate cannot be -1"),
        ("learning_rate", [float("nan")], "must be a finite number: received nan"),
        ("learning_rate", [], "Give 1 to 5 values"),
        ("learning_rate", [1.0] * 6, "Give 1 to 5 values"),
        ("batch_size", [100], "100 is none of the choices"),
        ("gamma", [0.9], "0.9 lies beyond the lower bound of gamma"),
        (
            "n_steps_pow",
            [14],
            "collects 65\u202f536 steps in one rollout, more than the 40\u202f000 of a run",
        ),
        ("activation_fn", None, "has no order"),
        (
            "learning",
            None,
            r"'learning' in probed. Did you mean learning_rate\? It searches learning_rate, gamma",
        ),
    ],
)
def test_what_makes_no_sense_is_said_with_the_rule(good, parameter, values, said):
    with pytest.raises(ProbeError, match=said):
        plan_probe(good, parameter, "high", values=values)


def test_a_value_past_the_bound_is_asked_for(good):
    said = (
        r"0.0002 lies inside the declared range of learning_rate, .* one value above 0.0003, such as 0.0005"
    )
    with pytest.raises(ProbeError, match=said):
        plan_probe(good, "learning_rate", "high", values=[2e-4])
    said = r"5e-05, 3e-05 lie inside .* Name at least one value below 3e-05, such as "
    with pytest.raises(ProbeError, match=said):
        plan_probe(good, "learning_rate", "low", values=[3e-5, 5e-5])
    assert plan_probe(good, "learning_rate", "high", values=[1e-3, 5e-3]).question.values == (1e-3, 5e-3)


def test_where_hardly_any_trial_went_values_inside_will_do(good):
    found = plan_probe(good, "learning_rate", "high", values=[1e-3], inside=True)
    assert found.question.values == (1e-3,)


def test_near_equal_configurations_are_one(study):
    run = study(
        (-1.0, {}), (-2.0, {"gamma": 0.9801}), (-3.0, {"activation_fn": "relu"}), (-4.0, {"gamma": 0.99})
    )
    assert [c.trial for c in plan_probe(run, "gamma", "low").question.configurations] == [0, 2, 3]


def test_few_configurations_get_more_seeds_and_a_probe_has_20_to_30_runs(study):
    for n in (1, 2, 3):
        run = study(*((-float(k), {"n_steps_pow": 5 + k}) for k in range(n)))
        for name, side in (("learning_rate", "high"), ("gamma", "high"), ("gamma", "low")):
            assert 20 <= len(plan_probe(run, name, side).plan.runs) <= 30


def test_a_run_at_its_own_value_is_not_trained_twice(study):
    run = study((-1.0, {"n_steps_pow": 9}))
    planned = plan_probe(run, "n_steps_pow", "high", values=[9, 12], n_seeds=2)
    assert len(planned.plan.runs) == 4


def test_the_best_are_the_lowest_where_the_study_minimises(study, spec):
    down = build_spec({**spec.model_dump(), "maximize": False})
    run = study((-1.0, {}), (-2.0, {"n_steps_pow": 6}), spec=down)
    assert [c.trial for c in plan_probe(run, "gamma", "low").question.configurations] == [1, 0]


@pytest.mark.parametrize("trials", [(), ((None, {}),), ((float("inf"), {}),)])
def test_without_a_complete_trial_there_is_nothing_to_probe(study, trials):
    with pytest.raises(ProbeError, match="no trial is complete yet"):
        plan_probe(study(*trials), "gamma", "low")


def test_a_value_that_would_train_longer_than_its_pair_is_left_out(good):
    """SB3 trains whole rollouts: 2^12 steps in 4 envs are 16 384, and 2^13 more than the whole budget."""
    assert plan_probe(good, "n_steps_pow", "high").question.values == (12, 13)
    assert plan_probe(good, "n_steps_pow", "high", n_timesteps=20_000).question.values == (12,)


def test_too_few_steps_for_a_rollout_are_refused(good):
    with pytest.raises(ProbeError, match=r"Trial 2 collects 4.096 steps in one rollout.* Give the runs more"):
        plan_probe(good, "gamma", "low", n_timesteps=4_000)


def test_a_study_that_is_not_ours_cannot_be_probed(good):
    with pytest.raises(ProbeError, match="not launched here"):
        plan_probe(replace(good, spec=None), "gamma", "low")


@pytest.mark.parametrize("over", [{"n_configurations": 0}, {"n_seeds": 21}, {"n_timesteps": 0}])
def test_sizes_have_bounds(good, over):
    with pytest.raises(ProbeError, match="must be 1 to"):
        plan_probe(good, "gamma", "low", **over)


def test_the_words_say_what_is_trained(good):
    words = plan_probe(good, "learning_rate", "high", n_timesteps=10_000).words
    assert words == (
        "Trains the best trials, 2, 1 and 4, again with learning_rate as it was and at 5e-4 and 0.001, each "
        "with the same 3 new seeds: 27 runs of 10\u202f000 steps."
    )


def test_the_estimate_grows_with_the_runs_and_their_steps(good):
    full, short = (plan_probe(good, "gamma", "low", n_timesteps=n) for n in (40_000, 10_000))
    assert probe_seconds(good, full) == pytest.approx(4 * probe_seconds(good, short))
    assert probe_seconds(good, full) > 10


def test_what_sb3_took_does_not_tell_how_long_the_fast_kernels_take(good):
    """Trials of a study from before the fast kernels recorded no trainer."""
    for trial in good.study.trials:
        trial.datetime_complete = trial.datetime_start + timedelta(seconds=1000)
    planned = plan_probe(good, "gamma", "low")
    by_sb3 = replace(planned, plan=planned.plan.model_copy(update={"trainer": "sb3"}))
    assert probe_seconds(good, by_sb3) >= 1000 > probe_seconds(good, planned)
    for trial in good.study.trials:
        trial.user_attrs[TRAINER] = {"name": "fast"}
    assert probe_seconds(good, by_sb3) < 1000 <= probe_seconds(good, planned)
