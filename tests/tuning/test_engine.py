"""The engine with real runners, real loky workers and real training."""

import time
from datetime import datetime
from pathlib import Path

import numpy as np
import optuna
import psutil
import pytest
from optuna.trial import TrialState

from storage import artifacts
from storage.journal import STUDY_NAME, open_journal
from storage.live import read_curve, read_heartbeats
from storage.records import read_record
from storage.trials import (
    BASELINE,
    DIVERGED,
    EVALUATIONS,
    FAILURE,
    IMPORTED_FROM,
    RESOLVED,
    RUN,
    TIMESTEPS,
    counted,
    failure_kind,
    ranked,
)
from tuning import launch
from tuning.engine import _Run
from tuning.jobs import AlreadyRunning, JobState


def wait_for(condition, timeout_s=90.0):
    deadline = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
    return found


def tickets(tmp_path, n):
    """Let the next `n` envs that may misbehave do so."""
    folder = tmp_path / "tickets"
    folder.mkdir()
    for index in range(n):
        (folder / str(index)).touch()
    return str(folder)


def trials_of(folder):
    return launch.read_run(folder).study.trials


def workers_of(folder):
    runner = psutil.Process(read_record(folder.runner)["pid"])
    return [p for p in runner.children() if any("loky.backend.popen" in part for part in p.cmdline())]


@pytest.fixture
def still(runs_dir, fault_spec):
    """Return a study that nobody runs, and its journal as a study of Optuna's."""
    folder = launch.create_study(fault_spec(budget={"n_trials": 3}, defaults_first=False), runs_dir)
    return folder, optuna.load_study(study_name=STUDY_NAME, storage=open_journal(folder.journal))


def end_one(study, task, state=TrialState.COMPLETE, **attributes):
    trial = study.ask()
    for name, value in {RUN: {"task": task}, **attributes}.items():
        trial.set_user_attr(name, value)
    study.tell(trial, 1.0 if state == TrialState.COMPLETE else None, state=state)


def test_task_numbers_go_on_though_some_tasks_never_became_a_trial(still):
    folder, study = still
    first = _Run(folder, open_journal(folder.journal))
    numbers = [task.index for task in first.claims()]
    assert numbers == [0, 1, 2]
    for number in numbers[1:]:  # the worker of task 0 died before it asked for a trial
        end_one(study, number)
    (task,) = _Run(folder, open_journal(folder.journal)).claims()
    assert task.index == 3


def test_a_trial_of_nobody_makes_no_room_in_the_budget(still):
    folder, study = still
    claims = _Run(folder, open_journal(folder.journal)).claims()
    claimed = [next(claims) for _ in range(3)]
    study.tell(study.ask(), state=TrialState.FAIL)  # by a worker that had just lost an earlier runner
    end_one(study, 99, **{IMPORTED_FROM: "other"})
    assert next(claims, None) is None
    end_one(study, claimed[0].index, TrialState.FAIL)
    assert len(list(_Run(folder, open_journal(folder.journal)).claims())) == 3


def test_failures_in_a_row_are_told_by_number_whatever_the_clock_says(still):
    folder, study = still
    run = _Run(folder, open_journal(folder.journal))
    states = [TrialState.FAIL, TrialState.FAIL, TrialState.COMPLETE, TrialState.FAIL]
    for task, state in enumerate(states):
        end_one(study, task, state)
    spec, trials = launch.read_run(folder).spec, list(run.trials())
    for trial, hours in zip(trials, (2, 2, 1, 1), strict=True):  # the clock was set back in between
        trial.datetime_complete = datetime(2026, 1, 1, hours)
    assert run.early_end(spec, trials) is None
    for task in (4, 5):
        end_one(study, task, TrialState.FAIL)
    assert "3 trials failed in a row" in run.early_end(spec, run.trials()).reason


def test_two_workers_finish_a_study_with_everything_recorded(launched, fault_spec, wait_until_ended):
    folder = launched(fault_spec(budget={"n_trials": 6}, retention={"top": 2}))
    seen = wait_for(lambda: [b for b in read_heartbeats(folder) if b.timesteps > 0])
    assert {b.pid for b in seen} <= {p.pid for p in workers_of(folder)}
    status = wait_until_ended(folder)

    assert (status.state, status.reason) == (JobState.FINISHED, "All 6 trials are done.")
    trials = trials_of(folder)
    assert len(counted(trials)) == len(trials) == 6
    assert trials[0].user_attrs[BASELINE].startswith("SB3 defaults")
    assert trials[0].params == {"learning_rate": 3e-4, "gamma": 0.99}
    for trial in trials:
        resolved = trial.user_attrs[RESOLVED]
        assert resolved["n_steps"] == 64
        assert resolved["learning_rate"] == trial.params["learning_rate"]
        assert {"task", "train_seed", "eval_seed", "alone"} <= trial.user_attrs[RUN].keys()
    complete = ranked(trials, maximize=True)
    for trial in complete:
        evaluations = trial.user_attrs[EVALUATIONS]
        assert [e["mark"] for e in evaluations] == [256, 512]
        assert trial.value == evaluations[-1]["mean"] == trial.intermediate_values[512]
        assert trial.user_attrs[TIMESTEPS] == 512
        curve = read_curve(folder, trial.number)
        assert len(curve.episodes) == 512 // 10 - 1  # two envs, 256 steps each: 25 whole episodes in each
        assert [steps for steps, _, _ in curve.evaluations] == [256, 512]
    assert len({t.user_attrs[RUN]["train_seed"] for t in trials}) == 6
    assert artifacts.kept_trials(folder) == {t.number for t in complete[:2]} | {0}, "the defaults keep theirs"
    assert read_heartbeats(folder) == []
    machine = read_record(folder.runner)["machine"]
    assert machine["packages"]["stable-baselines3"]
    assert machine["cores"] >= 1


def test_equal_specs_with_one_worker_give_equal_values(launched, fault_spec, wait_until_ended):
    spec = fault_spec(n_workers=1, budget={"n_trials": 5}, sampler={"name": "tpe", "n_startup_trials": 2})
    first, second = launched(spec), launched(spec)
    results = []
    for folder in (first, second):
        wait_until_ended(folder)
        results.append([(t.number, t.params, t.value, t.intermediate_values) for t in trials_of(folder)])
    assert results[0] == results[1]
    assert len({value for _, _, value, _ in results[0]}) == 5


def test_a_kept_policy_is_rebuilt_without_pickle_and_acts_as_it_was_evaluated(
    launched, fault_spec, wait_until_ended, monkeypatch
):
    folder = launched(fault_spec(budget={"n_trials": 2}))
    wait_until_ended(folder)
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "fault_envs"))
    from tuning.evaluation import evaluate
    from tuning.policy import rebuild_policy
    from tuning.training import make_envs

    for trial in ranked(trials_of(folder), maximize=True):
        kept = artifacts.load_policy(folder, trial.number)
        policy = rebuild_policy(kept)
        env = make_envs(launch.read_run(folder).spec.env, 2, seed=kept.request["eval_seed"])
        result = evaluate(policy, env, n_episodes=2, seed=kept.request["eval_seed"])
        assert result.mean == pytest.approx(trial.value, rel=1e-6)
        assert np.isfinite(policy.predict(env.observation_space.sample(), deterministic=True)[0]).all()


def test_divergence_is_a_pruned_trial_with_its_reason(launched, fault_spec, wait_until_ended):
    # step 60 is in the last episode that the first rollout ends
    env = {"id": "Edgewise/Fault-v0", "kwargs": {"fault": "nan", "after": 60}}
    spec = fault_spec(env=env, budget={"n_trials": 2})
    folder = launched(spec)
    assert wait_until_ended(folder).state == JobState.FINISHED
    for trial in trials_of(folder):
        assert trial.state == TrialState.PRUNED
        assert "diverged (learning_rate" in trial.user_attrs[DIVERGED]
        assert not trial.intermediate_values


def test_three_crashes_of_the_environment_end_the_study_and_say_why(launched, fault_spec, wait_until_ended):
    folder = launched(fault_spec(env={"id": "Edgewise/Fault-v0", "kwargs": {"fault": "raise"}}, n_workers=1))
    status = wait_until_ended(folder)
    assert status.state == JobState.FAILED
    assert "3 trials failed in a row" in status.reason
    assert "the simulator lost" in status.reason
    trials = trials_of(folder)
    assert [t.state for t in trials] == [TrialState.FAIL] * 3
    for trial in trials:
        assert failure_kind(trial) == "error"
        assert "in step" in trial.user_attrs[FAILURE]["traceback"]


def test_one_crash_of_the_environment_costs_one_failed_trial(
    launched, fault_spec, wait_until_ended, tmp_path
):
    kwargs = {"fault": "exit", "tickets": tickets(tmp_path, 1)}
    folder = launched(fault_spec(env={"id": "Edgewise/Fault-v0", "kwargs": kwargs}, budget={"n_trials": 3}))
    assert wait_until_ended(folder).state == JobState.FINISHED
    trials = trials_of(folder)
    assert len(counted(trials)) == 3
    assert [failure_kind(t) for t in trials if t.state == TrialState.FAIL] == ["error"]


def test_a_killed_worker_costs_nothing_but_time(launched, fault_spec, wait_until_ended, tmp_path):
    kwargs = {"fault": "die", "tickets": tickets(tmp_path, 1)}
    folder = launched(fault_spec(env={"id": "Edgewise/Fault-v0", "kwargs": kwargs}, budget={"n_trials": 4}))
    assert wait_until_ended(folder).state == JobState.FINISHED
    trials = trials_of(folder)
    assert len(counted(trials)) == 4
    dead = [t for t in trials if t.state == TrialState.FAIL]
    assert dead
    assert {failure_kind(t) for t in dead} == {"killed"}
    repeated = {t.user_attrs["retry_of"]: t.params for t in counted(trials) if "retry_of" in t.user_attrs}
    assert repeated == {t.number: t.params for t in dead if t.params}, "the sibling may have died first thing"


def test_a_configuration_that_kills_each_of_its_workers_is_given_up(
    launched, fault_spec, wait_until_ended, tmp_path
):
    env = {"id": "Edgewise/Fault-v0", "kwargs": {"fault": "die", "tickets": tickets(tmp_path, 3)}}
    folder = launched(fault_spec(env=env, n_workers=1, budget={"n_trials": 1}))
    assert wait_until_ended(folder).state == JobState.FINISHED
    trials = trials_of(folder)
    assert [failure_kind(t) for t in trials] == ["killed", "killed", "killed", None]
    assert [t.params for t in trials[:3]] == [trials[0].params] * 3
    assert trials[3].params != trials[0].params


def test_stop_now_takes_effect_in_the_middle_of_a_long_update(launched, fault_spec, wait_until_ended):
    slow = {"n_steps": 512, "n_epochs": 4000, "batch_size": 8}
    folder = launched(fault_spec(hyperparameters=slow, budget={"n_trials": 3, "n_timesteps": 4096}))
    wait_for(lambda: [b for b in read_heartbeats(folder) if b.phase == "update"])
    before = [b.updated_at for b in read_heartbeats(folder) if b.phase == "update"]
    # the heart beats on while the update calls nothing back
    wait_for(lambda: [b for b in read_heartbeats(folder) if b.phase == "update" and b.updated_at > before[0]])
    assert launch.stop(folder, "now")
    asked = time.monotonic()
    status = wait_until_ended(folder, timeout_s=10)
    took = time.monotonic() - asked
    assert status.state == JobState.STOPPED
    assert took < 4, f"the promise is 2 s, this took {took:.1f} s"
    trials = trials_of(folder)
    assert not [t for t in trials if t.state == TrialState.RUNNING]
    assert {failure_kind(t) for t in trials if t.state == TrialState.FAIL} == {"stopped"}
    assert not launch.stop(folder, "now"), "there is nothing left to stop"


def test_stop_after_current_trials_waits_and_resume_and_extend_end_exactly(
    launched, fault_spec, wait_until_ended
):
    folder = launched(fault_spec(budget={"n_trials": 30, "n_timesteps": 2048}))
    wait_for(lambda: counted(trials_of(folder)))
    launch.stop(folder, "after")
    status = wait_until_ended(folder)
    assert status.state == JobState.STOPPED
    trials = trials_of(folder)
    assert 1 <= len(counted(trials)) < 30
    assert not [t for t in trials if t.state == TrialState.FAIL], "running trials were to finish"

    done = len(counted(trials))
    with pytest.raises(ValueError, match=f"at least {done}"):
        launch.extend(folder, done - 1)
    launch.resume(folder, n_trials=done + 1)
    with pytest.raises(AlreadyRunning):
        launch.resume(folder)
    launch.extend(folder, done + 3)  # a running study takes a larger budget up
    assert wait_until_ended(folder).state == JobState.FINISHED
    assert len(counted(trials_of(folder))) == done + 3


def test_a_dead_runner_takes_its_workers_along_and_the_study_goes_on(launched, fault_spec, wait_until_ended):
    folder = launched(fault_spec(budget={"n_trials": 3, "n_timesteps": 6_000}))
    beats = wait_for(lambda: [b for b in read_heartbeats(folder) if b.timesteps > 0])
    workers = workers_of(folder)
    assert len(workers) == 2
    psutil.Process(launch.read_run(folder).status.pid).kill()
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive, "workers must not outlive their runner"
    assert launch.read_run(folder).status.state == JobState.INTERRUPTED

    launch.tidy(folder)
    trials = trials_of(folder)
    assert not [t for t in trials if t.state == TrialState.RUNNING]
    lost = [t for t in trials if t.state == TrialState.FAIL]
    assert {t.number for t in lost} >= {b.trial for b in beats}
    assert {failure_kind(t) for t in lost} == {"interrupted"}
    queued = [t for t in trials if t.state == TrialState.WAITING]
    assert [t.system_attrs["fixed_params"] for t in queued] == [t.params for t in lost]

    launch.resume(folder)
    assert wait_until_ended(folder).state == JobState.FINISHED
    assert len(counted(trials_of(folder))) == 3


def test_a_terminated_runner_stops_as_if_asked_to(launched, fault_spec, wait_until_ended):
    folder = launched(fault_spec(budget={"n_trials": 3, "n_timesteps": 50_000}))
    wait_for(lambda: [b for b in read_heartbeats(folder) if b.timesteps > 0])
    workers = workers_of(folder)
    psutil.Process(launch.read_run(folder).status.pid).terminate()
    status = wait_until_ended(folder, timeout_s=10)
    assert status.state == JobState.STOPPED
    assert not [t for t in trials_of(folder) if t.state == TrialState.RUNNING]
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive


def test_the_time_budget_starts_no_further_trial(launched, fault_spec, wait_until_ended):
    folder = launched(fault_spec(budget={"n_trials": 1000, "timeout_s": 6.0}))
    status = wait_until_ended(folder)
    assert status.state == JobState.STOPPED
    assert "time budget of 6 s" in status.reason
    assert not [t for t in trials_of(folder) if t.state in (TrialState.RUNNING, TrialState.FAIL)]
