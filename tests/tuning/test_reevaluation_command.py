"""The reevaluate command on files made by hand; test_reevaluation_jobs.py runs a real one."""

import json

import pytest
from optuna.trial import create_trial
from typer.testing import CliRunner

from storage import locks
from storage.journal import append_trials
from storage.records import write_record
from tuning import launch
from tuning.__main__ import app
from tuning.reevaluation_jobs import find_reevaluations
from tuning.retraining_plan import RunResult, append_result
from tuning.trainers import TrainerUsed


@pytest.fixture
def study(runs_dir, fault_spec, monkeypatch):
    """A study of eight complete trials, the last one the best; no runner is ever started."""
    monkeypatch.setattr(launch, "start", lambda folder: None)
    spec = fault_spec(defaults_first=False)
    folder = launch.create_study(spec, runs_dir)
    declared = {p.name: p.distribution() for p in spec.search_space}
    trials = [
        create_trial(
            value=-50.0 + n,
            params={"learning_rate": 10 ** (-4 + n / 4), "gamma": 0.95},
            distributions=declared,
        )
        for n in range(8)
    ]
    append_trials(folder.journal, trials)
    return folder


def here(*arguments):
    result = CliRunner().invoke(app, ["reevaluate", *map(str, arguments)], prog_name="python -m tuning")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def newest(study):
    return find_reevaluations(study)[0]


def finish(job, *, state="finished"):
    for n, run in enumerate(job.plan.runs):
        if run.key in job.results:
            continue
        mean = -60.0 + n % 7 - (30.0 if run.key.startswith("defaults") else 0)
        result = RunResult(key=run.key, state="ok", mean=mean, std=1.0, trainer=TrainerUsed("fast"))
        append_result(job.folder, result)
    write_record(job.folder.exit, {"state": state, "reason": "Because.", "ended_at": 1.0})


def test_it_is_planned_as_asked_and_said_in_words(study):
    result = here(study.id, "--top", 2, "--seeds", 4, "--episodes", 9, "--budget", 2, "--no-racing")
    assert result.exit_code == 0, result.output
    assert (
        "Trains trials 7 and 6 and the SB3 defaults from scratch, each with the same 4 new seeds: 12 runs of "
        "1 024 steps, each judged by 9 episodes. The defaults are SB3's own also for the 3 values that the "
        "study fixed." in result.output
    )
    job = newest(study)
    assert (job.question.n_timesteps, job.question.racing) == (1024, False)
    assert f"{job.folder.id}: created. 0 of 12 runs." in result.output


def test_trials_are_picked_alone_or_beside_the_best(study):
    here(study.id, "--trial", 3, "--trial", 1, "--no-defaults")
    assert [c.trial for c in newest(study).question.candidates] == [3, 1]
    here(study.id, "--trial", 3, "--top", 2, "--no-defaults")
    assert [c.trial for c in newest(study).question.candidates] == [7, 6, 3]


def test_the_answer_as_a_table_and_as_json(study):
    here(study.id, "--top", 2, "--seeds", 7)
    finish(newest(study))
    result = here(study.id, "--status")
    assert "rank  candidate" in result.stdout
    assert "finished. Because." in result.stdout
    answer = json.loads(here(study.id, "--status", "--json").stdout)
    assert (answer["state"], answer["seeds"], answer["done"]) == ("finished", 7, 21)
    by_key = {c["key"]: c for c in answer["candidates"]}
    assert by_key.keys() == {"trial 7", "trial 6", "defaults"}
    assert by_key["defaults"]["rank"] == 3
    assert answer["recommendation"] in result.stdout
    assert answer["trained_by"] == "fast kernels"
    assert "Trained by fast kernels." in result.stdout


def test_more_seeds_extend_the_newest(study):
    here(study.id, "--top", 2, "--seeds", 3, "--no-defaults", "--no-racing")
    finish(newest(study))
    result = here(study.id, "--more-seeds", 2)
    assert result.exit_code == 0
    assert newest(study).question.n_seeds == 5
    assert (newest(study).progress.done, newest(study).progress.total) == (6, 10)
    with locks.FileLock(newest(study).folder.lock):
        result = here(study.id, "--more-seeds", 2)
    assert result.exit_code == 3
    assert "is running" in result.output


def test_a_finished_one_is_not_resumed_and_one_that_was_extended_is(study, monkeypatch):
    started = []
    monkeypatch.setattr(launch, "start", started.append)
    here(study.id, "--top", 1, "--seeds", 3, "--no-defaults")
    finish(newest(study))
    assert "nothing left to do" in here(study.id, "--resume").output
    assert len(started) == 1
    here(study.id, "--more-seeds", 1)  # its runner, say, died at once
    assert here(study.id, "--resume").exit_code == 0
    assert len(started) == 3


def test_one_that_gave_up_a_run_whose_worker_died_is_resumed(study, monkeypatch):
    started = []
    monkeypatch.setattr(launch, "start", started.append)
    here(study.id, "--top", 1, "--seeds", 3, "--no-defaults")
    job = newest(study)
    died = RunResult(key=job.plan.runs[1].key, state="failed", message="killed", worker_died=True)
    append_result(job.folder, died)
    finish(newest(study))
    assert "nothing left" not in here(study.id, "--resume").output
    assert len(started) == 2


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--status",), 5, "There is no re-evaluation of"),
        (("--stop", "--resume"), 2, "exclude each other"),
        (("--mode", "both"), 2, "--mode must be retrain or weights: received 'both'"),
        (("--budget", 2, "--timesteps", 9), 2, "both set the steps"),
        (("--budget", 0), 2, "--budget must be above 0"),
        (("--mode", "weights"), 2, "No policy of these candidates was kept"),
        (("--trial", 99), 2, "There is no trial 99"),
        (("--env", "Pendulum-v1"), 2, "was launched here"),
    ],
)
def test_what_cannot_be_done_is_said_with_its_code(study, options, code, said):
    result = here(study.id, *options)
    assert result.exit_code == code
    assert said in result.output


def test_without_a_complete_trial_there_is_nothing_yet(runs_dir, fault_spec):
    result = here(launch.create_study(fault_spec(), runs_dir).id)
    assert result.exit_code == 5
    assert "complete yet" in result.output
    assert here("nothing-1a2b").exit_code == 4


def test_waiting_ends_with_the_job(study):
    here(study.id, "--top", 1, "--seeds", 3, "--no-defaults")
    finish(newest(study), state="failed")
    assert here(study.id, "--status", "--wait").exit_code == 1
