"""How far a study is, and when it will be done, whatever has happened so far."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from optuna.trial import TrialState, create_trial

from storage.live import Heartbeat
from storage.trials import IMPORTED_FROM
from tuning.progress import retraining_progress, study_progress
from tuning.retraining_plan import RetrainPlan, RunResult, TrainingRun
from tuning.spec import build_spec

NOW = datetime(2026, 1, 1, 12)


def spec_of(n_trials=10, n_timesteps=1_000, n_workers=2):
    return build_spec(
        {
            "env": {"id": "A-v0"},
            "search_space": "learning-rate-only",
            "budget": {"n_trials": n_trials, "n_timesteps": n_timesteps},
            "n_workers": n_workers,
        }
    )


def ended(seconds, *, ago=0.0, state=TrialState.COMPLETE, **attributes):
    trial = create_trial(
        state=state, value=1.0 if state == TrialState.COMPLETE else None, user_attrs=attributes
    )
    trial.datetime_complete = NOW - timedelta(seconds=ago)
    trial.datetime_start = trial.datetime_complete - timedelta(seconds=seconds)
    return trial


def beat(timesteps, *, total=1_000, lived_s=10.0):
    return Heartbeat(
        trial=0,
        pid=1,
        pid_created=0,
        phase="collect",
        timesteps=timesteps,
        total_timesteps=total,
        steps_per_s=timesteps / lived_s if lived_s else 0.0,
        episodes=0,
        last_return=None,
        last_evaluation=None,
        started_at=1_000.0,
        updated_at=1_000.0 + lived_s,
    )


def progress(spec, trials=(), beats=()):
    return study_progress(spec, trials, beats, now=NOW)


def test_nothing_has_happened():
    seen = progress(spec_of())
    assert (seen.done, seen.total, seen.fraction, seen.eta_s, seen.steps_per_s) == (0, 10, 0, None, 0)


def test_failed_running_waiting_and_imported_trials_do_not_count():
    trials = [
        ended(1),
        ended(1, state=TrialState.PRUNED),
        ended(1, state=TrialState.FAIL),
        create_trial(state=TrialState.RUNNING),
        create_trial(state=TrialState.WAITING),
        ended(1, **{IMPORTED_FROM: "other"}),
    ]
    seen = progress(spec_of(), trials)
    assert (seen.done, seen.fraction, seen.eta_s) == (2, 0.2, None)


def test_eta_from_ended_trials_and_the_workers_that_run():
    seen = progress(spec_of(), [ended(30), ended(50)], [beat(500), beat(500)])
    assert seen.fraction == pytest.approx(0.3)
    assert seen.eta_s == pytest.approx((10 - 2 - 1) * 40 / 2)
    alone = progress(spec_of(), [ended(30), ended(50)], [beat(500)])
    assert alone.eta_s == pytest.approx((10 - 2 - 0.5) * 40)


def test_eta_before_anything_has_ended_comes_from_the_steps():
    seen = progress(spec_of(), [], [beat(500), beat(250)])
    assert seen.steps_per_s == pytest.approx(75)
    assert seen.eta_s == pytest.approx((10 - 0.75) * 1_000 / 75)


def test_where_the_clock_ends_a_training_its_own_total_counts():
    spec = build_spec({**spec_of().model_dump(), "budget": {"n_trials": 10, "trial_seconds": 40}})
    seen = progress(spec, beats=[beat(500, total=2_000)])  # a quarter of 40 s
    assert seen.eta_s == pytest.approx((10 - 0.25) * 40)


def test_only_the_newest_twenty_trials_tell_the_rate():
    old = [ended(1_000, ago=500 + i) for i in range(30)]
    new = [ended(10, ago=i) for i in range(20)]
    seen = progress(spec_of(n_trials=100, n_workers=1), [*new, *old], [beat(0)])
    assert seen.eta_s == pytest.approx(50 * 10)


@pytest.mark.parametrize(
    ("trials", "beats"),
    [
        ([ended(0)], [beat(0, lived_s=0)]),
        ([], [beat(0, lived_s=0)]),
        ([], [beat(0, lived_s=-5)]),
        ([], [beat(0, total=0)]),
        ([ended(-50)], [beat(0, lived_s=0)]),
        ([create_trial(state=TrialState.PRUNED)], [beat(0)]),
    ],
)
def test_without_any_speed_nothing_is_promised(trials, beats):
    for trial in trials:
        trial.datetime_start = trial.datetime_start or NOW
    assert progress(spec_of(), trials, beats).eta_s is None


def test_a_clock_that_was_set_back_gives_no_negative_time():
    seen = progress(spec_of(), [ended(-3600), ended(60)], [beat(500)])
    assert seen.eta_s is None or seen.eta_s >= 0


def test_the_last_trials_never_exceed_the_whole():
    seen = progress(spec_of(n_trials=2), [ended(10), ended(10)], [beat(5_000), beat(900)])
    assert (seen.done, seen.fraction, seen.eta_s) == (2, 1.0, 0.0)
    shrunk = progress(spec_of(n_trials=1), [ended(10)] * 3)
    assert shrunk.fraction == 1.0


def plan_of(n_runs=6, n_workers=2):
    runs = [
        TrainingRun(key=str(n), label="", resolved={}, train_seed=10_000, eval_seed=11_000)
        for n in range(n_runs)
    ]
    return RetrainPlan(
        env={"id": "A-v0"},
        algorithm="PPO",
        policy="MlpPolicy",
        n_train_envs=1,
        n_timesteps=1_000,
        n_eval_episodes=1,
        n_eval_envs=1,
        n_workers=n_workers,
        runs=runs,
    )


def result(key, seconds=10.0, state="ok"):
    return RunResult(key=key, state=state, mean=1.0 if state == "ok" else None, duration_s=seconds)


def test_a_retraining_before_its_first_step():
    progress = retraining_progress(plan_of(), [], [])
    assert (progress.done, progress.total, progress.fraction, progress.eta_s) == (0, 6, 0.0, None)


def test_before_any_run_has_ended_the_speed_tells_what_is_left():
    progress = retraining_progress(plan_of(), [], [beat(500), beat(500)])
    assert progress.fraction == pytest.approx(1 / 6)
    assert progress.steps_per_s == 100.0
    assert progress.eta_s == pytest.approx(50.0)  # 5 runs of 1 000 steps at 100 steps/s


def test_runs_that_have_ended_tell_what_is_left():
    done = [result("0"), result("1"), result("2", seconds=0.1, state="failed")]
    progress = retraining_progress(plan_of(), done, [beat(0), beat(0)])
    assert progress.done == 3, "a run that failed is done, and says nothing about how long others take"
    assert progress.eta_s == pytest.approx(3 * 10.0 / 2)


def test_a_retraining_that_does_not_run_has_no_time_left_to_tell():
    assert retraining_progress(plan_of(), [result("0")], []).eta_s is None
    assert retraining_progress(plan_of(n_runs=1), [result("0")], []).fraction == 1.0


def test_runs_that_a_race_does_without_are_not_left_to_do():
    done = [result("0"), result("1")]
    progress = retraining_progress(plan_of(), done, [beat(0), beat(0)], n_spared=2)
    assert (progress.total, progress.fraction) == (4, 0.5)
    assert progress.eta_s == pytest.approx(2 * 10.0 / 2)
    assert retraining_progress(plan_of(), done, [], n_spared=4).fraction == 1.0


def test_where_nothing_is_trained_episodes_tell_what_is_left():
    plan = plan_of(n_runs=2)
    plan = plan.model_copy(
        update={"runs": tuple(run.model_copy(update={"plays_only": True}) for run in plan.runs)}
    )
    progress = retraining_progress(plan, [], [beat(10, total=40)])
    assert (progress.fraction, progress.steps_per_s) == (1 / 8, 0.0), "it counts no steps"
    assert progress.eta_s == pytest.approx(1.75 * 40)  # 10 episodes took 10 s


def test_a_run_counts_for_as_much_as_it_has_steps():
    plan = plan_of(n_runs=3, n_workers=1)
    longer = plan.runs[0].model_copy(update={"n_timesteps": 4_000})
    plan = plan.model_copy(update={"runs": (longer, *plan.runs[1:])})
    assert [plan.steps_of(run) for run in plan.runs] == [4_000, 1_000, 1_000]
    progress = retraining_progress(plan, [result("0", seconds=40.0)], [replace(beat(500), trial=1)])
    assert (progress.done, progress.fraction) == (1, pytest.approx(4_500 / 6_000))
    assert progress.eta_s == pytest.approx(15.0)  # 1 500 steps, as fast as 4 000 in 40 s
    all_but_one = [result("0"), result("1")]
    last = retraining_progress(plan, all_but_one, [replace(beat(1_000), trial=2)])
    assert (last.fraction, last.eta_s) == (1.0, 0.0), "it is being evaluated"


def test_all_runs_are_the_whole_in_whatever_order_they_ended():
    plan = plan_of(n_runs=9)
    runs = tuple(
        run.model_copy(update={"n_timesteps": 100 * (4, 2, 1)[n % 3]}) for n, run in enumerate(plan.runs)
    )
    plan = plan.model_copy(update={"runs": runs})
    for start in range(9):
        done = [result(str((start + 4 * n) % 9)) for n in range(9)]
        assert retraining_progress(plan, done, []).fraction == 1.0
