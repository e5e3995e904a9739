"""Create, start, stop, resume, extend and delete studies, with real runners."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from optuna.trial import TrialState

from storage.journal import STUDY_NAME, JournalDamaged, JournalMissing, open_journal
from storage.locks import FileLock, is_held
from storage.paths import RunFolder, UnknownRun, find_run, list_runs
from storage.trials import BASELINE, counted
from tuning import jobs, launch
from tuning.jobs import JobState, job_status, log_tail
from tuning.spec import SpecError, build_spec

WAIT_S = 120
TINY = {
    "name": "tiny",
    "env": {"id": "CartPole-v1"},
    "hyperparameters": {"n_steps": 32, "batch_size": 32, "n_epochs": 1},
    "search_space": "learning-rate-only",
    "budget": {"n_trials": 1, "n_timesteps": 64, "n_evaluations": 1, "n_eval_episodes": 1},
    "n_eval_envs": 1,
    "n_workers": 1,
}
ENDLESS = {**TINY, "name": "endless", "budget": {**TINY["budget"], "n_timesteps": 10**9}}


def spec_of(data=TINY, **changes):
    return build_spec({**data, **changes})


@pytest.fixture
def root(tmp_path):
    return tmp_path / "runs"


@pytest.fixture
def folder(root):
    return launch.create_study(spec_of(), root)


@pytest.fixture
def running(root):
    """A study whose first trial never ends; killed for good at the end of the test."""
    folder = launch.launch(spec_of(ENDLESS), root)
    yield folder
    if folder.path.exists():
        launch.stop(folder, "now")
        wait_until_still(folder)


def wait_until_still(folder):
    deadline = time.monotonic() + WAIT_S
    while is_held(folder.lock):
        assert time.monotonic() < deadline, log_tail(folder, 20)
        time.sleep(0.05)


def wait_for_trial(folder, state=TrialState.RUNNING):
    deadline = time.monotonic() + WAIT_S
    storage = open_journal(folder.journal)
    while not any(t.state == state for t in storage.get_all_trials(0, deepcopy=False)):
        assert time.monotonic() < deadline, log_tail(folder, 20)
        assert is_held(folder.lock), log_tail(folder, 20)
        time.sleep(0.05)


def add_trials(folder, *states):
    study = open_study(folder)
    for state in states:
        trial = study.ask()
        trial.suggest_float("learning_rate", 3e-5, 3e-3, log=True)
        if state != TrialState.RUNNING:
            study.tell(trial, 1.0 if state == TrialState.COMPLETE else None, state=state)


def open_study(folder):
    import optuna

    return optuna.load_study(study_name=STUDY_NAME, storage=open_journal(folder.journal))


# -- creating and reading


def test_a_created_study_is_listed_private_and_not_running(root):
    folder = launch.create_study(spec_of(), root)
    assert list_runs(root) == [folder]
    run = launch.read_run(folder)
    assert run.spec == spec_of()
    assert (run.status.state, run.status.kind) == (JobState.CREATED, "study")
    assert folder.path.stat().st_mode & 0o077 == 0
    (baseline,) = run.study.trials
    assert baseline.state == TrialState.WAITING
    assert baseline.user_attrs[BASELINE] == "SB3 defaults for what is searched"
    assert baseline.system_attrs["fixed_params"] == {"learning_rate": 3e-4}


@pytest.mark.parametrize("maximize", [True, False])
def test_the_direction_and_an_unfixed_baseline(root, maximize):
    folder = launch.create_study(spec_of(hyperparameters={}, maximize=maximize), root)
    run = launch.read_run(folder)
    assert run.study.maximize is maximize
    assert run.study.trials[0].user_attrs[BASELINE] == "SB3 defaults"


def test_no_baseline_where_it_is_not_wanted_or_outside_the_space(root):
    assert not launch.read_run(launch.create_study(spec_of(defaults_first=False), root)).study.trials
    folder = launch.create_study(spec_of(search_space="rl-zoo", hyperparameters={}), root)
    assert not launch.read_run(folder).study.trials


def test_two_studies_of_one_name_are_two(root):
    first, second = launch.create_study(spec_of(), root), launch.create_study(spec_of(), root)
    assert first != second
    assert {folder.id for folder in list_runs(root)} == {first.id, second.id}


def test_a_study_that_cannot_be_created_is_not_listed(root, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(launch, "open_journal", full)
    with pytest.raises(OSError, match="No space left"):
        launch.create_study(spec_of(), root)
    assert list_runs(root) == []


def test_reading_says_which_file_is_wrong(folder):
    content = folder.journal.read_bytes()
    folder.journal.write_bytes(b"")
    with pytest.raises(JournalDamaged, match="no longer holds the study"):
        launch.read_run(folder)
    folder.journal.unlink()
    with pytest.raises(JournalMissing):
        launch.read_run(folder)
    folder.journal.write_bytes(content)
    folder.spec.write_text("{")
    with pytest.raises(SpecError, match="not valid YAML"):
        launch.read_run(folder)


# -- extending


def test_the_budget_moves_but_not_below_what_is_done(folder):
    add_trials(folder, TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL, TrialState.COMPLETE)
    launch.extend(folder, 3)
    assert launch.read_run(folder).spec == spec_of().with_trials(3)
    with pytest.raises(ValueError, match=r"already has 3 trials: ask for at least 3, received 2\."):
        launch.extend(folder, 2)
    with pytest.raises(ValueError, match="already has 3 trials"):
        launch.resume(folder, n_trials=2)
    with pytest.raises(SpecError, match=r"budget\.n_trials"):
        launch.extend(folder, 10**9)
    assert launch.read_run(folder).spec.budget.n_trials == 3
    assert job_status(folder).state == JobState.CREATED


def test_the_budget_of_a_running_study_has_room_for_what_runs(folder):
    add_trials(folder, TrialState.COMPLETE, TrialState.RUNNING, TrialState.RUNNING)
    with (
        FileLock(folder.lock),
        pytest.raises(ValueError, match=r"1 trials and runs 2 more: ask for at least 3, received 2\."),
    ):
        launch.extend(folder, 2)
    launch.extend(folder, 2)  # nobody runs it any more


@pytest.mark.parametrize("n_trials", [0, -1])
def test_an_empty_budget_is_refused(folder, n_trials):
    with pytest.raises(ValueError, match="already has 0 trials: ask for at least 1"):
        launch.extend(folder, n_trials)


# -- tidying


def test_tidy_requeues_once_and_leaves_a_live_study_alone(folder):
    add_trials(folder, TrialState.RUNNING, TrialState.RUNNING)
    with FileLock(folder.lock):
        assert launch.tidy(folder) == 0
    assert [t.state for t in open_study(folder).trials] == [TrialState.RUNNING] * 2
    assert launch.tidy(folder) == 2
    assert launch.tidy(folder) == 0
    states = [t.state for t in open_study(folder).trials]
    assert states == [TrialState.FAIL] * 2 + [TrialState.WAITING] * 2
    assert not is_held(folder.lock)


@pytest.mark.parametrize(
    "break_it",
    [
        lambda folder: folder.journal.unlink(),
        lambda folder: folder.journal.write_bytes(b""),
        lambda folder: folder.journal.write_bytes(b"garbage\n"),
        lambda folder: folder.journal.write_bytes(b'{"op_code": 77}\n'),
        lambda folder: folder.path.rename(folder.path.with_name("gone")),
        lambda folder: folder.lock.mkdir(),
    ],
)
def test_tidy_survives_a_broken_study(folder, break_it):
    break_it(folder)
    assert launch.tidy(folder) == 0


def test_tidy_holds_no_lock_while_it_reads_a_long_journal(folder, monkeypatch):
    add_trials(folder, TrialState.RUNNING)
    held = []

    def slow(path):
        held.append(is_held(folder.lock))
        return open_journal(path)

    monkeypatch.setattr(launch, "open_journal", slow)
    assert launch.tidy(folder) == 1
    assert held == [False]


def test_tidy_survives_a_full_disk(folder, monkeypatch):
    add_trials(folder, TrialState.RUNNING)

    def full(descriptor, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("storage.journal.os.write", full)
    assert launch.tidy(folder) == 0
    monkeypatch.undo()
    assert launch.tidy(folder) == 1


# -- deleting


def test_deleting_takes_everything(root, folder):
    add_trials(folder, TrialState.COMPLETE)
    launch.delete(folder)
    assert list(root.iterdir()) == []
    with pytest.raises(UnknownRun):
        find_run(root, folder.id)
    with pytest.raises(FileNotFoundError):
        launch.delete(folder)
    assert list(root.iterdir()) == []


def test_a_study_half_deleted_is_gone_from_listings_and_its_id_can_be_deleted_again(
    root, folder, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr(launch.shutil, "rmtree", lambda *args, **kwargs: None)  # killed before it came to that
        launch.delete(folder)
    assert list_runs(root) == []
    (grave,) = root.iterdir()
    folder.path.mkdir()
    jobs.create_job(folder, "study")
    launch.delete(folder)
    assert list(root.iterdir()) == [grave]


def test_deleting_does_not_follow_links(folder, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").touch()
    (folder.path / "link").symlink_to(tmp_path / "elsewhere")
    launch.delete(folder)
    assert (tmp_path / "elsewhere" / "file").exists()


@pytest.mark.parametrize("place", ["jobs", "rollouts"])
def test_a_study_of_which_a_job_is_just_being_started_is_not_deleted(folder, place, monkeypatch):
    starting = getattr(folder, place)
    starting.mkdir()
    with FileLock(starting / jobs.START_LOCK), pytest.raises(launch.Busy, match="is just being started"):
        launch.delete(folder)
    assert folder.path.exists()

    listed = []

    def list_and_try_to_start(where):
        listed.append(where)
        assert is_held(where / jobs.START_LOCK), "or a job may start once the others were listed"
        return list_runs(where)

    monkeypatch.setattr(launch, "list_runs", list_and_try_to_start)
    launch.delete(folder)
    assert listed == [folder.jobs, folder.rollouts]
    assert not folder.path.exists()


def test_deleting_is_not_put_off_by_somebody_who_looks(folder):
    import threading

    stop = threading.Event()

    def look():
        while not stop.is_set():
            job_status(folder)

    lookers = [threading.Thread(target=look) for _ in range(3)]
    for looker in lookers:
        looker.start()
    try:
        launch.delete(folder)
    finally:
        stop.set()
        for looker in lookers:
            looker.join()
    assert not folder.path.exists()


# -- real runners


def test_a_study_runs_to_its_exact_budget_and_on_to_a_larger_one(folder):
    launch.start(folder)
    wait_until_still(folder)
    run = launch.read_run(folder)
    assert run.status.state == JobState.FINISHED, log_tail(folder, 20)
    assert len(counted(run.study.trials)) == len(run.study.trials) == 1
    assert run.study.trials[0].user_attrs[BASELINE]
    launch.resume(folder, n_trials=2)
    wait_until_still(folder)
    run = launch.read_run(folder)
    assert run.status.state == JobState.FINISHED, log_tail(folder, 20)
    assert (len(counted(run.study.trials)), run.spec.budget.n_trials) == (2, 2)
    assert launch.tidy(folder) == 0


def test_a_running_study_is_left_alone_and_stops_on_request(running):
    wait_for_trial(running)
    for start in (launch.start, launch.resume, jobs.start_job):
        with pytest.raises(jobs.AlreadyRunning, match="is already running"):
            start(running)
    with pytest.raises(launch.Busy, match="is running: stop it first"):
        launch.delete(running)
    assert launch.tidy(running) == 0
    launch.extend(running, 5)
    status = job_status(running)
    assert status.state == JobState.RUNNING
    assert launch.stop(running, "now")
    assert job_status(running).state in (JobState.STOPPING, JobState.STOPPED)
    wait_until_still(running)
    run = launch.read_run(running)
    assert (run.status.state, run.status.pid) == (JobState.STOPPED, status.pid)
    assert run.spec.budget.n_trials == 5
    assert launch.tidy(running) == 0
    assert not [t for t in launch.read_run(running).study.trials if t.state == TrialState.RUNNING]
    assert not running.stop.exists()


def test_a_killed_runner_shows_as_interrupted_and_is_tidied(running):
    wait_for_trial(running)
    pid = job_status(running).pid
    assert pid is not None
    os.kill(pid, 9)
    wait_until_still(running)
    assert job_status(running).state == JobState.INTERRUPTED
    deadline = time.monotonic() + WAIT_S
    while any(t.state == TrialState.RUNNING for t in launch.read_run(running).study.trials):
        launch.tidy(running)  # races with the worker, which fails its trial itself
        assert time.monotonic() < deadline
    launch.tidy(running)
    trials = launch.read_run(running).study.trials
    assert [t.state for t in trials] == [TrialState.FAIL, TrialState.WAITING]
    assert trials[1].system_attrs["fixed_params"] == trials[0].system_attrs["fixed_params"]


def test_a_request_that_was_broken_meanwhile_is_reported(folder):
    folder.spec.write_text('{"env": {"id": "mod:Env-v0"}}')
    launch.start(folder)
    wait_until_still(folder)
    status = job_status(folder)
    assert status.state == JobState.FAILED
    assert "env.id" in status.reason
    assert "Modules are named by whoever starts the server" in log_tail(folder, 20)


def test_a_journal_that_is_gone_is_reported(folder):
    folder.journal.unlink()
    launch.start(folder)
    wait_until_still(folder)
    status = job_status(folder)
    assert status.state == JobState.FAILED
    assert "moved or deleted" in status.reason
    assert not folder.journal.exists()


START = """
import json, sys, time
from pathlib import Path
from storage.paths import RunFolder
from tuning import jobs, launch
folder = RunFolder(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
try:
    launch.start(folder)
except jobs.AlreadyRunning:
    print(json.dumps("told"), flush=True)
else:
    print(json.dumps(jobs.job_status(folder).pid), flush=True)
"""


def test_two_processes_start_one_study_at_once_and_exactly_one_runner_wins(root):
    for _ in range(2):
        folder = launch.create_study(spec_of(ENDLESS), root)
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", START, str(folder.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            for _ in range(2)
        ]
        try:
            for process in processes:
                assert process.stdout is not None
                assert process.stdout.readline() == b"ready\n"
            for process in processes:
                assert process.stdin is not None
                process.stdin.write(b"go\n")
                process.stdin.flush()
            said = [json.loads(process.communicate(timeout=WAIT_S)[0]) for process in processes]
            assert sorted(map(type, said), key=str) == [int, str], said
            pid = next(answer for answer in said if isinstance(answer, int))
            assert job_status(folder).pid == pid
            assert job_status(folder).state == JobState.RUNNING
        finally:
            launch.stop(folder, "now")
            wait_until_still(folder)
        assert job_status(folder).state == JobState.STOPPED


def test_a_folder_deleted_while_its_runner_starts_does_not_come_back(root, folder):
    with FileLock(folder.lock):
        process = subprocess.Popen(
            [sys.executable, "-m", "tuning.runner", str(folder.path)],
            cwd=jobs.PROJECT_ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        time.sleep(0.5)  # most likely it waits for the lock by now; else it finds no folder at all
        grave = Path(f"{folder.path}-grave")
        folder.path.rename(grave)
    assert process.wait(timeout=WAIT_S) == 1
    process.communicate()
    assert not folder.path.exists()
    assert sorted(path.name for path in grave.iterdir()) == [
        "job.json",
        "journal.log",
        "run.lock",
        "spec.json",
    ]
    assert RunFolder(grave)
