"""Budget checks on disk: found again by their question, one at a time; and a real one."""

import math
import time

import pytest

from storage.locks import FileLock
from storage.paths import budget_checks, list_runs
from storage.records import write_record, write_text
from tuning import budget_check_jobs, cores, jobs, launch
from tuning.access import ReadOnly
from tuning.budget_check import budget_check, plan_check
from tuning.budget_check_jobs import (
    find_checks,
    forget_check,
    newest_check,
    read_check,
    resume_check,
    running_check,
    start_check,
)
from tuning.jobs import JobState
from tuning.retraining_plan import seed_pairs


@pytest.fixture
def started(monkeypatch):
    """The jobs that would have been started."""
    found = []
    monkeypatch.setattr(launch, "start", found.append)
    return found


@pytest.fixture
def spec(fault_spec):
    return fault_spec(algorithm="A2C", hyperparameters={}, budget={"n_timesteps": 100})


def end(folder, state="finished"):
    write_record(folder.exit, {"state": state, "reason": "Because.", "ended_at": time.time()})


def test_a_real_check_trains_the_defaults_with_each_budget(
    spec, runs_dir, fault_envs, wait_until_ended, end_processes_under
):
    try:
        folder = start_check(spec, runs_dir)
        uses = cores.cores_in_use(runs_dir)
        status = wait_until_ended(folder)
    finally:
        end_processes_under(runs_dir)
    assert (status.state, status.reason) == (JobState.FINISHED, "All 9 runs are done.")
    assert [(use.kind, use.n_workers) for use in uses] == [("budget-check", 2)]
    assert cores.use_words(uses[0]) == "a budget check (2 workers)"
    job = newest_check(runs_dir, budget_check(spec), finished=True)
    assert job is not None
    assert job.folder == folder
    for factor in (1, 2, 4):
        for seed in range(3):
            result = job.results[job.question.key(factor, seed)]
            assert (result.state, result.timesteps) == ("ok", 100 * factor)
            assert len(result.returns) == 2
            assert math.isfinite(result.mean)
    assert job.progress.fraction == 1.0
    assert launch.list_runs(runs_dir) == [], "it is no study"


def test_whoever_asks_the_same_finds_the_same_job(spec, fault_spec, runs_dir, started):
    folder = start_check(spec, runs_dir)
    assert started == [folder]
    with FileLock(folder.lock):
        assert start_check(spec.model_copy(update={"seed": 5}), runs_dir) == folder
        assert running_check(runs_dir).folder == folder
        other = fault_spec(algorithm="A2C", hyperparameters={}, budget={"n_timesteps": 200})
        with pytest.raises(jobs.AlreadyRunning, match="Another budget check is running: Edgewise/Fault-v0"):
            start_check(other, runs_dir)
    assert started == [folder]
    end(folder, "stopped")
    assert start_check(spec, runs_dir) == folder, "what is left is trained"
    assert started == [folder, folder]
    end(folder)
    assert start_check(spec, runs_dir) == folder
    assert len(started) == 2, "there is nothing left to do"
    assert newest_check(runs_dir, budget_check(other)) is None


def test_again_takes_other_seeds_and_two_presses_start_one(spec, runs_dir, started):
    first = start_check(spec, runs_dir)
    end(first)
    second = start_check(spec, runs_dir, after=first.id)
    assert second != first
    assert start_check(spec, runs_dir, after=first.id) == second
    assert len(list_runs(budget_checks(runs_dir).jobs)) == 2
    question = budget_check(spec)
    assert newest_check(runs_dir, question).folder == second
    assert newest_check(runs_dir, question, finished=True).folder == first
    end(second)
    forget_check(runs_dir, second)
    third = start_check(spec, runs_dir, after=first.id)
    seeds = [set(seed_pairs(read_check(folder).plan)) for folder in (first, third)]
    assert not seeds[0] & seeds[1]
    third_draw, first_draw = (jobs.read_record(folder.job)["draw"] for folder in (third, first))
    assert (first_draw, third_draw) == (0, 2), "seeds of a check that was forgotten are not used again"


def test_one_that_runs_is_not_forgotten_and_one_that_ended_early_goes_on(spec, runs_dir, started):
    folder = start_check(spec, runs_dir)
    with FileLock(folder.lock), pytest.raises(launch.Busy, match="stop it first"):
        forget_check(runs_dir, folder)
    resume_check(runs_dir, folder)
    assert started == [folder, folder]
    forget_check(runs_dir, folder)
    assert find_checks(runs_dir) == []


def test_only_the_newest_checks_are_kept(fault_spec, runs_dir, started, monkeypatch):
    monkeypatch.setattr(budget_check_jobs, "KEPT", 2)
    kept = []
    for n in (100, 200, 300):
        kept.append(
            start_check(fault_spec(algorithm="A2C", hyperparameters={}, budget={"n_timesteps": n}), runs_dir)
        )
        time.sleep(0.01)
    assert [job.folder for job in find_checks(runs_dir)] == [kept[2], kept[1]]


def test_files_that_are_not_what_they_were_are_passed_by(spec, runs_dir, started):
    folder = start_check(spec, runs_dir)
    end(folder)
    write_text(folder.budget_check, "{}")
    assert find_checks(runs_dir) == []
    assert start_check(spec, runs_dir) != folder


def test_a_name_alone_makes_no_answer(spec, fault_spec, runs_dir, started):
    folder = start_check(spec, runs_dir)
    other = budget_check(fault_spec(algorithm="A2C", hyperparameters={}, budget={"n_timesteps": 300}))
    write_text(folder.budget_check, other.model_dump_json())
    assert newest_check(runs_dir, budget_check(spec)) is None


def test_a_server_that_only_shows_studies_starts_and_forgets_nothing(spec, runs_dir, started, monkeypatch):
    folder = start_check(spec, runs_dir)
    monkeypatch.setenv("EDGEWISE_READ_ONLY", "1")
    for action in (
        lambda: start_check(spec, runs_dir, after=folder.id),
        lambda: resume_check(runs_dir, folder),
        lambda: forget_check(runs_dir, folder),
    ):
        with pytest.raises(ReadOnly):
            action()
    assert plan_check(spec).question == newest_check(runs_dir, budget_check(spec)).question
