import os
import subprocess
import sys
import time

import pytest
from optuna.trial import TrialState, create_trial

from storage import artifacts
from storage.journal import STUDY_NAME, append_trials, open_journal
from storage.paths import RunFolder
from storage.trials import DIVERGED, TRAINER
from tuning import launch, worker
from tuning.jobs import PROJECT_ROOT
from tuning.worker import Task, run_trial


@pytest.fixture
def study(runs_dir, fault_spec):
    spec = fault_spec(env={"id": "Pendulum-v1"}, defaults_first=False, tuned_first=False)
    return launch.create_study(spec, runs_dir), spec


def trials_of(folder):
    return launch.read_run(folder).study.trials


@pytest.mark.parametrize("mode", ["now", "after"])
def test_no_trial_starts_once_the_study_was_asked_to_stop(study, mode):
    folder, spec = study
    folder.stop.write_text(mode)
    outcome = run_trial(Task(str(folder.path), spec, index=0, alone=True))
    assert outcome.trial is None
    assert not trials_of(folder)


def test_no_trial_starts_after_the_deadline(study):
    folder, spec = study
    task = Task(str(folder.path), spec, index=0, alone=True, deadline=time.monotonic() - 0.1)
    assert run_trial(task).trial is None
    assert not trials_of(folder)


def test_no_trial_starts_in_a_worker_that_was_told_to_end(study, monkeypatch):
    folder, spec = study
    monkeypatch.setattr(worker.CONTROL, "stop_kind", "interrupted")  # its runner died while it was starting
    monkeypatch.setattr(worker, "_storages", {})
    assert run_trial(Task(str(folder.path), spec, index=0, alone=True)).trial is None
    assert not trials_of(folder)


def test_no_trial_starts_beyond_a_budget_that_shrank(study, monkeypatch):
    folder, spec = study
    import optuna

    monkeypatch.setattr(worker, "_storages", {})
    running = optuna.load_study(study_name=STUDY_NAME, storage=open_journal(folder.journal))
    running.tell(running.ask(), 1.0)
    running.ask()
    launch.extend(folder, 2)
    assert run_trial(Task(str(folder.path), spec, index=2, alone=False)).trial is None
    assert len(trials_of(folder)) == 2


def test_the_defaults_and_a_pinned_trial_keep_their_weights_where_none_are_kept(
    runs_dir, fault_spec, monkeypatch
):
    spec = fault_spec(env={"id": "Pendulum-v1"}, retention={"top": 0}, pruner={"name": "none"})
    folder = launch.create_study(spec, runs_dir)
    artifacts.set_pin(folder, 1, pinned=True)
    monkeypatch.setattr(worker, "_storages", {})
    for index in range(3):
        run_trial(Task(str(folder.path), spec, index=index, alone=True))
    assert artifacts.kept_trials(folder) == {0, 1}


@pytest.mark.parametrize(
    ("request_", "recorded"),
    [
        ({}, {"name": "fast"}),
        ({"algorithm": "A2C", "hyperparameters": {"n_steps": 64}}, {"name": "fast"}),
        (
            {"hyperparameters": {"n_steps": 64, "n_epochs": 1, "use_sde": True}},
            {"name": "sb3", "reason": "gSDE"},
        ),
        ({"trainer": "sb3"}, {"name": "sb3"}),
    ],
    ids=["auto", "auto, A2C", "auto with gSDE", "sb3"],
)
def test_a_trial_records_whose_code_trained_it(request_, recorded, runs_dir, fault_spec, monkeypatch):
    spec = fault_spec(env={"id": "Pendulum-v1"}, defaults_first=False, tuned_first=False, **request_)
    folder = launch.create_study(spec, runs_dir)
    monkeypatch.setattr(worker, "_storages", {})
    run_trial(Task(str(folder.path), spec, index=0, alone=True))
    (trial,) = trials_of(folder)
    assert trial.state == TrialState.COMPLETE
    assert trial.user_attrs[TRAINER] == recorded
    assert artifacts.load_policy(folder, 0).request["trainer"] == recorded


@pytest.mark.parametrize(
    ("fault", "state"),
    [("none", TrialState.PRUNED), ("nan", TrialState.PRUNED), ("raise", TrialState.FAIL)],
    ids=["pruned", "diverged", "failed"],
)
def test_a_trial_that_is_not_trained_to_its_end_records_its_trainer_too(
    fault, state, runs_dir, fault_spec, fault_envs, monkeypatch
):
    monkeypatch.syspath_prepend("tests/fault_envs")
    monkeypatch.setattr(worker, "_storages", {})
    env = {"id": "Edgewise/Fault-v0", "kwargs": {"fault": fault, "after": 60}}
    strict = {"name": "median", "n_startup_trials": 0, "warmup_fraction": 0}
    spec = fault_spec(env=env, pruner=strict, defaults_first=False, tuned_first=False)
    folder = launch.create_study(spec, runs_dir)
    unbeatable = create_trial(
        value=1.0,
        intermediate_values=dict.fromkeys(spec.evaluation_marks(), 1.0),  # rewards are negative
        params={"learning_rate": 1e-3, "gamma": 0.99},
        distributions={p.name: p.distribution() for p in spec.search_space},
    )
    append_trials(folder.journal, [unbeatable])
    run_trial(Task(str(folder.path), spec, index=1, alone=True))
    _, trial = trials_of(folder)
    assert trial.state == state
    assert (DIVERGED in trial.user_attrs) == (fault == "nan")
    assert trial.user_attrs[TRAINER] == {"name": "fast"}


def test_a_trial_that_somebody_else_ended_stays_ended(study, monkeypatch):
    folder, spec = study
    import optuna

    from tuning import objective

    def end_it_from_outside(trial, *args, **kwargs):
        trial.study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
        return 1.0

    monkeypatch.setattr(objective, "run_objective", end_it_from_outside)
    monkeypatch.setattr(worker, "_storages", {})
    outcome = run_trial(Task(str(folder.path), spec, index=0, alone=True))
    assert "ended from outside" in outcome.sentence
    (trial,) = trials_of(folder)
    assert (trial.state.name, trial.value) == ("FAIL", None)


def test_the_watchdog_is_up_before_torch(tmp_path):
    code = "import sys, tuning.worker, tuning.watchdog, tuning.pool; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=PROJECT_ROOT, check=True)


def test_a_worker_process_without_its_runner_ends_itself(tmp_path):
    folder = RunFolder(tmp_path)
    code = (
        "import sys, time; from tuning import watchdog\n"
        "watchdog.start(sys.argv[1], int(sys.argv[2])); time.sleep(60)"
    )
    argv = [sys.executable, "-c", code, str(folder.path)]
    orphan = subprocess.Popen([*argv, "1"], cwd=PROJECT_ROOT)  # its parent is not process 1
    child = subprocess.Popen([*argv, str(os.getpid())], cwd=PROJECT_ROOT)
    try:
        assert orphan.wait(timeout=20) == 1
        assert child.poll() is None
    finally:
        child.kill()
        child.wait()
