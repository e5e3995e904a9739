"""Planning re-evaluations: who is a candidate, and what is trained."""

import dataclasses
import itertools
from datetime import timedelta

import pytest
from optuna.trial import TrialState, create_trial

from storage.artifacts import save_policy
from storage.paths import RunFolder
from storage.trials import IMPORTED_FROM, IMPORTED_TRIAL, TRAINER, StudyData
from tuning.algorithms import algorithm, algorithm_names
from tuning.jobs import JobState, JobStatus
from tuning.launch import Run
from tuning.reevaluation_plan import (
    NothingToReevaluate,
    ReevaluationError,
    extended,
    plan_reevaluation,
    reevaluation_seconds,
    top_trials,
    worst_level,
)
from tuning.spec import build_spec

SPACE = [
    {"name": "learning_rate", "kind": "float", "low": 3e-5, "high": 3e-3, "log": True},
    {"name": "gamma", "kind": "float", "low": 0.9, "high": 0.9999},
    {"name": "n_steps_pow", "kind": "int", "low": 5, "high": 12, "transform": "2^x"},
    {
        "name": "activation_fn",
        "kind": "categorical",
        "choices": ["tanh", "relu"],
        "transform": "activation_fn",
    },
]
DEFAULTS = {"learning_rate": 3e-4, "gamma": 0.99, "n_steps_pow": 11, "activation_fn": "tanh"}
BASE = {"learning_rate": 1e-3, "gamma": 0.95, "n_steps_pow": 8, "activation_fn": "relu"}


def spec_with(**over):
    fields = {
        "name": "searched",
        "env": {"id": "Pendulum-v1"},
        "search_space": SPACE,
        "budget": {"n_trials": 10, "n_timesteps": 40_000, "n_eval_episodes": 7},
        "n_train_envs": 5,
        "seed": 5,
    }
    return build_spec({**fields, **over})


@pytest.fixture
def study(tmp_path):
    """A study with these trials, each (value, changes to BASE, further fields)."""

    def make(*trials, spec=None):
        spec = spec or spec_with()
        declared = {p.name: p.distribution() for p in spec.search_space}
        made = []
        for number, (value, changes, *more) in enumerate(trials):
            fields = {"state": TrialState.COMPLETE, **(more[0] if more else {})}
            params = {k: v for k, v in {**BASE, **changes}.items() if v is not None}
            trial = create_trial(
                value=value, params=params, distributions={n: declared[n] for n in params}, **fields
            )
            trial.number = number
            made.append(trial)
        status = JobStatus(JobState.FINISHED, "study", "", 0.0, None, None, None)
        folder = RunFolder(tmp_path.resolve() / "searched-1a2b")
        return Run(folder, spec, status, StudyData("study", spec.maximize, tuple(made)))

    return make


@pytest.fixture
def good(study):
    """Defaults, near-duplicates, and trials of every kind of end."""
    return study(
        (-1200.0, DEFAULTS),
        (-200.0, {}),
        (-150.0, {"gamma": 0.97}),
        (-160.0, {"gamma": 0.9701}),  # near trial 2
        (-300.0, {"n_steps_pow": 6}),
        (-250.0, {"n_steps_pow": 7}, {"state": TrialState.PRUNED}),
        (None, {"gamma": None}, {"state": TrialState.FAIL}),
        (None, {}, {"state": TrialState.RUNNING}),
        (-100.0, {"gamma": 0.92}, {"user_attrs": {IMPORTED_FROM: "parent-1a2b", IMPORTED_TRIAL: 3}}),
        (float("inf"), {"gamma": 0.91}),
    )


def keys(planned):
    return [c.key for c in planned.question.candidates]


def test_the_best_distinct_trials_and_both_baselines_are_candidates(good):
    planned = plan_reevaluation(good, top=3)
    assert keys(planned) == ["trial 2", "trial 1", "trial 4", "defaults", "tuned"]
    assert top_trials(good, 2) == [2, 1]
    first, *_, defaults, tuned = planned.question.candidates
    assert (first.name, first.search_value, first.merged) == ("Trial 2", -150.0, (3,))
    assert first.resolved == {
        "learning_rate": 1e-3,
        "gamma": 0.97,
        "n_steps": 256,
        "policy_kwargs": {"activation_fn": "relu"},
    }
    assert (defaults.resolved, defaults.trial, defaults.search_value) == ({}, 0, -1200.0)
    assert (tuned.n_train_envs, tuned.trial, tuned.search_value) == (4, None, None)
    assert tuned.resolved["use_sde"] is True
    assert planned.question.worst_seen == -1200.0
    assert "RL Zoo tuned its values for 100\u202f000 steps; here they get 40\u202f000." in planned.words


def test_one_trial_that_ran_away_is_not_the_worst_level(study):
    values = [-150.0 - 10 * i for i in range(58)]
    usual = study(*[(v, {"gamma": 0.9 + 0.001 * i}) for i, v in enumerate(values)])
    assert plan_reevaluation(usual).question.worst_seen == sorted(values)[3]
    ran_away = study(*[(v, {"gamma": 0.9 + 0.001 * i}) for i, v in enumerate([*values, -1e9])])
    assert plan_reevaluation(ran_away).question.worst_seen == sorted(values)[2]


@pytest.mark.parametrize("sign", [1, -1])
def test_the_worst_level_is_a_quantile_from_the_bad_end(sign):
    def level(n):
        return worst_level([sign * x for x in range(n)], maximize=sign == 1)

    assert level(0) is None
    assert [sign * level(n) for n in (1, 2, 9)] == [0, 0, 0]
    assert [sign * level(n) for n in (10, 21, 22, 41, 60, 101)] == [1, 1, 2, 2, 3, 5]


def test_all_share_fresh_seeds_that_no_env_of_the_search_ever_had(good):
    planned = plan_reevaluation(good, top=2, n_seeds=4)
    runs = planned.plan.runs
    assert [run.key for run in runs[:4]] == [f"{key}, seed 0" for key in keys(planned)]
    pairs = [(run.train_seed, run.eval_seed) for run in runs]
    assert [len({p for p in pairs[4 * i : 4 * i + 4]}) for i in range(4)] == [1] * 4
    ranges = []
    for train_seed, eval_seed in dict.fromkeys(pairs):
        ranges += [range(train_seed, train_seed + 999), range(eval_seed, eval_seed + 999)]
    ranges.sort(key=lambda r: r.start)
    assert ranges[0].start >= 10_000, "a study's own seeds end below, ranks included"
    assert all(a.stop <= b.start for a, b in itertools.pairwise(ranges))
    assert {run.n_train_envs for run in runs if run.key.startswith("tuned")} == {4}
    assert {run.n_train_envs for run in runs if not run.key.startswith("tuned")} == {None}
    assert planned.plan.keep_weights
    assert not any(run.plays_only for run in runs)


def test_more_seeds_keep_those_there_are_and_every_run_its_place(good):
    planned = plan_reevaluation(good, top=2, n_seeds=3).with_draw(7)
    question, plan = extended(planned.question, planned.plan, 5)
    assert plan.runs[: len(planned.plan.runs)] == planned.plan.runs
    assert plan == plan_reevaluation(good, top=2, n_seeds=5).with_draw(7).plan
    assert question.n_seeds == 5
    assert extended(planned.question, plan, 5) == (question, plan), "an extension that broke off goes on"
    with pytest.raises(ReevaluationError, match="must be above 5 and at most 100: received 5"):
        extended(question, plan, 5)


def test_an_extension_that_broke_off_is_asked_for_again_with_any_total(good):
    planned = plan_reevaluation(good, top=2, n_seeds=3).with_draw(7)
    short, longer = (extended(planned.question, planned.plan, n) for n in (4, 9))
    assert extended(planned.question, longer[1], 4) == short, "what it had too much goes"
    assert extended(short[0], planned.plan, 4) == short, "the question was there first"
    assert extended(short[0], planned.plan, 9) == longer
    with pytest.raises(ReevaluationError, match="must be above 3 "):
        extended(short[0], planned.plan, 3)
    n = len(short[0].candidates)
    result = longer[1].runs[6 * n].key
    kept = extended(planned.question, longer[1], 4, done={result})[1]
    assert kept.runs == longer[1].runs[: 6 * n + 1], "a run that has a result keeps its place"


def test_more_episodes_than_can_be_read_are_refused(good):
    with pytest.raises(ReevaluationError, match=r"at most 1.000.000 episodes: received 300 runs of 10.000"):
        plan_reevaluation(good, top=2, defaults=True, tuned=False, n_seeds=100, n_episodes=10_000)


def test_picked_trials_may_be_imported_or_pruned_and_come_best_first(good):
    planned = plan_reevaluation(good, trials=[5, 4, 8, 4, 9], defaults=False, tuned=False)
    assert keys(planned) == ["trial 8", "trial 4", "trial 5", "trial 9"]
    assert [c.search_value for c in planned.question.candidates] == [-100.0, -300.0, None, None]


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (6, "Trial 6 cannot be trained again: it ended without a value for gamma"),
        (7, "Trial 7 has not ended yet. Wait for it"),
        (99, "There is no trial 99 in searched-1a2b, which has 10"),
    ],
)
def test_what_cannot_be_trained_is_refused_with_the_reason(good, number, said):
    with pytest.raises(ReevaluationError, match=said):
        plan_reevaluation(good, trials=[1, number])


def test_a_baseline_that_was_picked_is_trained_once(good):
    planned = plan_reevaluation(good, trials=[0, 1], tuned=False)
    assert keys(planned) == ["trial 1", "defaults"]
    assert "SB3 defaults are what trial 0 ran: trained once." in planned.words
    alone = plan_reevaluation(good, trials=[0, 1], defaults=False, tuned=False)
    assert keys(alone) == ["trial 1", "trial 0"]


@pytest.mark.parametrize(
    ("algorithm", "env", "default"), [("SAC", "Pendulum-v1", "medium"), ("DQN", "CartPole-v1", "small")]
)
def test_the_trial_of_the_defaults_is_found_where_steps_are_replayed(study, algorithm, env, default):
    net = {"name": "net_arch", "kind": "categorical", "choices": ["small", "medium", "big"]}
    space = [{**net, "transform": "off_policy_net_arch"}]
    spec = spec_with(env={"id": env}, algorithm=algorithm, search_space=space, n_train_envs=1)
    nothing = dict.fromkeys(BASE)
    run = study((-9.0, {**nothing, "net_arch": "big"}), (-8.0, {**nothing, "net_arch": default}), spec=spec)
    planned = plan_reevaluation(run, trials=[0], tuned=False)
    found = planned.question.baseline
    assert (found.trial, found.search_value) == (1, -8.0)


def test_picked_trials_with_one_configuration_are_one_candidate(study):
    run = study((-3.0, {}), (-2.0, {}), (-1.0, {"gamma": 0.9501}))
    planned = plan_reevaluation(run, trials=[1, 0, 2], defaults=False)
    assert [(c.trial, c.merged) for c in planned.question.candidates if c.kind == "trial"] == [
        (2, ()),
        (1, (0,)),
    ], "a person who picks near-equal ones wants both"


def test_defaults_are_sb3_s_own_even_where_the_study_fixed_something(study):
    spec = spec_with(search_space=SPACE[:2], hyperparameters={"n_steps": 64})
    run = study((-1.0, {"n_steps_pow": None, "activation_fn": None}), spec=spec)
    planned = plan_reevaluation(run, tuned=False)
    trial, defaults = planned.question.candidates
    assert trial.resolved["n_steps"] == 64
    assert (defaults.name, defaults.resolved) == ("SB3 defaults", {})
    assert "The defaults are SB3's own also for the 1 value that the study fixed." in planned.words


def test_tuned_values_are_of_that_environment_with_its_own_arguments(study):
    for env in ({"id": "CartPole-v1"}, {"id": "Pendulum-v1", "kwargs": {"g": 5.0}}):
        assert "tuned" not in keys(plan_reevaluation(study((-1.0, {}), spec=spec_with(env=env))))


def test_known_tuned_values_can_be_given_to_their_algorithm():
    known = [(algorithm(name), entry) for name in algorithm_names() for entry in algorithm(name).tuned]
    assert "Pendulum-v1" in [entry.env for _, entry in known]
    for info, entry in known:
        assert [info.arguments[name].fault(value) for name, value in entry.arguments.items()] == [None] * len(
            entry.arguments
        )
        assert entry.policy in info.policies
        assert entry.source.startswith("https://")


def test_another_budget_is_recorded_beside_the_study_s(good):
    planned = plan_reevaluation(good, n_timesteps=80_000)
    assert (planned.question.n_timesteps, planned.question.study_timesteps) == (80_000, 40_000)
    assert planned.plan.n_timesteps == 80_000
    at_once = reevaluation_seconds(good, plan_reevaluation(good))
    assert at_once < reevaluation_seconds(good, planned) < 2 * at_once


def test_each_candidate_without_a_trial_costs_what_its_own_configuration_does(good):
    def seconds(trainer="auto", **who):
        run = dataclasses.replace(good, spec=good.spec.model_copy(update={"trainer": trainer}))
        return reevaluation_seconds(run, plan_reevaluation(run, **who))

    gsde, fast = {"top": 0, "defaults": False}, {"trials": [1], "defaults": False, "tuned": False}
    assert seconds(**gsde) > 3 * seconds(**fast)  # the tuned values have gSDE, which the kernels leave to SB3
    assert seconds(**gsde) == pytest.approx(seconds("sb3", **gsde))
    assert seconds("sb3", **fast) > 3 * seconds(**fast)


def test_a_candidate_without_a_trial_is_priced_at_the_pace_of_those_there_are(study):
    def seconds(minutes, **who):
        by_kernels = {"user_attrs": {TRAINER: {"name": "fast"}}}
        run = study(*[(float(-n), {"gamma": 0.9 + n / 100}, by_kernels) for n in range(3)])
        for trial in run.study.trials:
            trial.datetime_start = trial.datetime_complete - timedelta(minutes=minutes)
        return reevaluation_seconds(run, plan_reevaluation(run, n_episodes=1, **who))

    gsde = {"top": 0, "defaults": False}
    assert seconds(20, **gsde) == pytest.approx(2 * seconds(10, **gsde))
    own = {"trials": [1], "defaults": False, "tuned": False}
    assert seconds(20, **own) == pytest.approx(5 * 20 * 60, rel=0.01)  # ten seeds on two workers


def test_what_trains_longer_than_asked_is_named(good):
    words = plan_reevaluation(good, top=1, n_timesteps=5_000).words
    assert "SB3 defaults: one rollout takes 10\u202f240 steps" in words
    assert "Trial 2: one rollout" not in words


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"n_seeds": 0}, "seeds must be 1 to 100: received 0"),
        ({"n_seeds": 101}, "seeds must be 1 to 100: received 101"),
        ({"n_episodes": 0}, "episodes must be 1 to"),
        ({"n_timesteps": 0}, "steps must be 1 to"),
        ({"top": -1}, "top trials must be 0 to 20"),
        ({"top": 0, "defaults": False, "tuned": False}, "no candidate: pick at least one"),
        ({"mode": "weights", "n_timesteps": 80_000}, "not trained further"),
        ({"mode": "weights"}, "No policy of these candidates was kept: Trial 2, Trial 1, .* or retrain"),
    ],
)
def test_what_makes_no_sense_is_said_with_the_rule(good, over, said):
    with pytest.raises(ReevaluationError, match=said):
        plan_reevaluation(good, **over)


def test_too_many_runs_or_candidates_are_refused(study):
    run = study(*((-float(n), {"learning_rate": 10 ** (-4.4 + n / 12)}) for n in range(22)))
    with pytest.raises(ReevaluationError, match=r"at most 20 candidates: received 22. Pick fewer"):
        plan_reevaluation(run, trials=range(22), defaults=False, tuned=False)
    with pytest.raises(ReevaluationError, match="at most 1\u202f000 runs"):
        plan_reevaluation(run, top=12, n_seeds=100)


def test_without_a_complete_trial_only_baselines_can_be_measured(study):
    run = study((None, {}, {"state": TrialState.FAIL}))
    with pytest.raises(NothingToReevaluate, match=r"No trial of .* is complete yet"):
        plan_reevaluation(run)
    assert keys(plan_reevaluation(run, top=0)) == ["defaults", "tuned"]


def test_a_study_that_is_not_ours_must_be_mapped_first(good):
    with pytest.raises(ReevaluationError, match=r"was not launched here.*--map SPEC.yaml"):
        plan_reevaluation(dataclasses.replace(good, spec=None))


def test_kept_policies_play_from_the_same_starts_and_those_without_are_left_out(good, tmp_path):
    for number in (2, 4):
        save_policy(good.folder, number, {}, {})
    parent = RunFolder(tmp_path.resolve() / "parent-1a2b")
    parent.path.mkdir()
    parent.job.write_text("{}")
    save_policy(parent, 3, {}, {})
    planned = plan_reevaluation(good, mode="weights", trials=[1, 2, 4, 8])
    assert keys(planned) == ["trial 8", "trial 2", "trial 4"]
    assert [(home.study, home.number) for home in planned.policies] == [
        ("parent-1a2b", 3),
        (good.folder.id, 2),
        (good.folder.id, 4),
    ]
    assert len({run.eval_seed for run in planned.plan.runs}) == 1
    assert all(run.plays_only for run in planned.plan.runs)
    assert (planned.question.n_seeds, planned.question.racing) == (1, False)
    assert "no policy of theirs was kept: Trial 1, SB3 defaults and RL Zoo's tuned values." in planned.words
    with pytest.raises(ReevaluationError, match="Start a new re-evaluation with more episodes"):
        extended(planned.question, planned.plan, 2)
