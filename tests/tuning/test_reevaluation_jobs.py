"""Re-evaluations on disk, with a real runner and real training where it matters."""

import json
import time

import psutil
import pytest
from optuna.trial import create_trial

from storage import artifacts, locks
from storage.journal import append_trials
from storage.live import read_curve
from storage.paths import list_runs
from storage.records import write_text
from tuning import environments, launch, pool
from tuning.evaluation import play
from tuning.jobs import AlreadyRunning, JobState, job_status
from tuning.policy import build_model, policy_arrays, rebuild_policy
from tuning.race import spared
from tuning.reevaluation import Candidate
from tuning.reevaluation_engine import run_reevaluation
from tuning.reevaluation_jobs import (
    UnreadableReevaluation,
    delete_reevaluation,
    extend_reevaluation,
    find_reevaluations,
    read_reevaluation,
    resume_reevaluation,
    start_reevaluation,
)
from tuning.reevaluation_plan import ReevaluationError, extended, plan_reevaluation
from tuning.retraining_plan import RunResult, write_plan
from tuning.retraining_task import RunOutcome
from tuning.seeds import retraining_seeds

SMALL = {"n_steps": 64, "n_epochs": 1, "policy_kwargs": {"net_arch": [8]}}


def untrained(runs_dir, spec):
    """A study with two complete trials that nobody trained."""
    folder = launch.create_study(spec, runs_dir)
    declared = {p.name: p.distribution() for p in spec.search_space}
    trials = [
        create_trial(
            value=-5.0 - n, params={"learning_rate": 9e-3, "gamma": 0.95 - n / 40}, distributions=declared
        )
        for n in range(2)
    ]
    append_trials(folder.journal, trials)
    return folder


@pytest.fixture
def study(runs_dir, fault_spec):
    return untrained(runs_dir, fault_spec(defaults_first=False, budget={"n_timesteps": 256}))


@pytest.fixture
def still(monkeypatch):
    """No runner is ever started."""
    monkeypatch.setattr(launch, "start", lambda folder: None)


def planned(study, **over):
    fields = {"defaults": False, "tuned": False, "n_seeds": 2, "n_episodes": 2, **over}
    return plan_reevaluation(launch.read_run(study), **fields)


def raced(study, n_seeds):
    """A plan with a third candidate whose training always diverges, far behind the others."""
    breaks = Candidate(
        key="breaks",
        kind="trial",
        name="Breaks",
        trial=2,
        resolved={**SMALL, "learning_rate": 1e12},
        n_train_envs=1,
    )
    made = planned(study, n_seeds=n_seeds)
    question = made.question.model_copy(
        update={"candidates": (*made.question.candidates, breaks), "worst_seen": -1e6}
    )
    runs = []
    for seed in range(n_seeds):
        ours = made.plan.runs[2 * seed : 2 * seed + 2]
        third = {"key": question.run_key(breaks, seed), "resolved": breaks.resolved, "n_train_envs": 1}
        runs += [*ours, ours[0].model_copy(update=third)]
    plan = made.plan.model_copy(update={"runs": tuple(runs)})
    return type(made)(question, plan, made.study, made.study_seed)


def lines(folder):
    return [json.loads(line) for line in folder.results.read_bytes().splitlines()]


def wait_for(condition, timeout_s=60.0):
    deadline = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
    return found


def test_a_race_that_is_killed_resumed_and_extended_trains_each_run_once(
    study, runs_dir, fault_envs, wait_until_ended, end_processes_under
):
    try:
        folder = start_reevaluation(study, raced(study, 5))
        with pytest.raises(AlreadyRunning, match=r"A re-evaluation of .* is running"):
            extend_reevaluation(study, folder, 6)
        wait_for(lambda: folder.results.exists() and len(lines(folder)) >= 4)
        runner = psutil.Process(job_status(folder).pid)
        workers = runner.children()
        runner.kill()
        psutil.wait_procs([runner, *workers], timeout=10)
        assert job_status(folder).state == JobState.INTERRUPTED
        before = folder.results.read_bytes()
        resume_reevaluation(study, folder)
        status = wait_until_ended(folder)
        assert folder.results.read_bytes().startswith(before), "what was acknowledged stays"
        job = read_reevaluation(folder)
        first = dict(job.results)
        extend_reevaluation(study, folder, 6)
        assert wait_until_ended(folder).state == JobState.FINISHED
    finally:
        end_processes_under(runs_dir)
    assert status.state == JobState.FINISHED
    kept, saved = len(job.results), 15 - len(job.results)
    assert status.reason == (
        f"All {kept} runs are done, {kept - 10} diverged. "
        f"Racing gave up 1 candidate and saved {saved} of 15 runs."
    )
    assert 1 <= saved <= 2, "three looks are needed, and joblib may take one run too early"
    assert (job.progress.done, job.progress.total, job.progress.fraction) == (kept, kept, 1.0)

    after = read_reevaluation(folder)
    assert {key: after.results[key] for key in first} == first
    assert after.plan.runs[:15] == job.plan.runs
    assert (len(after.plan.runs), after.question.n_seeds) == (18, 6)
    assert sum(key.startswith("trial") for key in after.results) == 12
    written = [line["key"] for line in lines(folder)]
    assert sorted(written) == sorted(set(written)), "no run has two results"
    assert spared(after.question, after.results).given_up == ("breaks",)

    seeds = retraining_seeds(0, 0, 6, study=study.id)
    assert list(dict.fromkeys((r.train_seed, r.eval_seed) for r in after.plan.runs)) == seeds
    for index, run in enumerate(after.plan.runs):
        result = after.results.get(run.key)
        assert (index in artifacts.kept_trials(folder)) == (result is not None and result.state == "ok")
        if index < 2:
            kept_policy = artifacts.load_policy(folder, index)
            assert kept_policy.request["value"] == result.mean
            assert kept_policy.request["train_seed"] == run.train_seed
            assert [steps for steps, _, _ in read_curve(folder, index).evaluations] == [256]


def test_kept_policies_get_their_own_returns_from_the_same_starts(
    fault_spec, runs_dir, wait_until_ended, end_processes_under
):
    spec = fault_spec(env={"id": "Pendulum-v1"}, defaults_first=False, tuned_first=False)
    study = untrained(runs_dir, spec)
    env = environments.make(spec.env.id, {})
    for number in range(2):
        request = {
            "env": {"id": spec.env.id, "kwargs": {}},
            "algorithm": "PPO",
            "policy": "MlpPolicy",
            "resolved": SMALL,
        }
        model = build_model("PPO", "MlpPolicy", env, SMALL, seed=number)
        artifacts.save_policy(study, number, policy_arrays(model.policy), request)
    try:
        folder = start_reevaluation(study, planned(study, mode="weights", n_episodes=3))
        artifacts.drop_policies_except(study, ())  # the study may find better ones meanwhile
        status = wait_until_ended(folder)
    finally:
        end_processes_under(runs_dir)
    assert (status.state, status.reason) == (JobState.FINISHED, "All 2 runs are done.")
    job = read_reevaluation(folder)
    start = job.plan.runs[0].eval_seed
    assert start >= 10_000
    for index, run in enumerate(job.plan.runs):
        policy = rebuild_policy(artifacts.load_policy(folder, index))
        own = play(policy, env, seeds=range(start, start + 3))
        assert job.results[run.key].returns == own.returns
        assert job.results[run.key].timesteps == 0
    assert job.results[job.plan.runs[0].key].returns != job.results[job.plan.runs[1].key].returns
    alone = play(policy, env, seeds=[start + 2])
    assert alone.returns[0] == own.returns[2], "an episode does not depend on those before it"


def test_they_are_found_newest_first_beside_unreadable_ones_and_are_no_studies(study, runs_dir, still):
    first, second = (start_reevaluation(study, planned(study)) for _ in range(2))
    first.reevaluation.write_text('{"mode": 3}')
    newest, oldest = find_reevaluations(study)
    assert newest.folder == second
    assert newest.progress.total == 4
    assert isinstance(oldest, UnreadableReevaluation)
    assert "reevaluation.json" in oldest.reason
    assert list_runs(runs_dir) == [study]


def test_each_draws_seeds_that_no_job_of_the_study_ever_had(study, still):
    seen = set()
    for _ in range(3):
        folder = start_reevaluation(study, planned(study))
        seeds = {run.train_seed for run in read_reevaluation(folder).plan.runs}
        assert not seeds & seen
        seen |= seeds
        delete_reevaluation(study, folder)
    assert find_reevaluations(study) == []


def test_one_that_runs_is_neither_extended_nor_deleted(study, still):
    folder = start_reevaluation(study, planned(study))
    with locks.FileLock(folder.lock):
        with pytest.raises(AlreadyRunning, match="Wait until it has ended, or stop it first"):
            extend_reevaluation(study, folder, 5)
        with pytest.raises(launch.Busy, match="is running: stop it first"):
            delete_reevaluation(study, folder)
    assert read_reevaluation(folder).question.n_seeds == 2


def test_a_policy_that_is_gone_is_said_so_and_nothing_is_listed(study, still):
    artifacts.save_policy(study, 0, {}, {})
    made = planned(study, mode="weights")
    artifacts.drop_policies_except(study, ())
    with pytest.raises(ReevaluationError, match=r"policy of trial 0 of .* cannot be copied: .* Retrain it"):
        start_reevaluation(study, made)
    assert find_reevaluations(study) == []
    assert not list(study.jobs.glob("reevaluation*"))


@pytest.mark.parametrize("first", ["plan", "question"])
def test_an_extension_that_breaks_off_between_its_files_changes_nothing_and_can_be_asked_for_again(
    study, still, monkeypatch, first
):
    """Racing goes on too: runs that the question does not name, it could not spare."""
    folder = start_reevaluation(study, raced(study, 4))
    job = read_reevaluation(folder)
    question, plan = extended(job.question, job.plan, 8)
    if first == "plan":
        write_plan(folder, plan)
    else:
        write_text(folder.reevaluation, question.model_dump_json())
    trained = []

    def train(function, tasks, **_):
        for task in tasks:
            key = task.plan.runs[task.index].key
            trained.append(key)
            who, seed = key.split(", seed ")
            mean = None if who == "breaks" else -5.0 - (int(who[-1]) + int(seed)) % 2
            state = "diverged" if mean is None else "ok"
            yield RunOutcome(task.index, RunResult(key=key, state=state, mean=mean))

    monkeypatch.setattr(pool, "run_tasks", train)
    end = run_reevaluation(folder)
    assert end.state == JobState.FINISHED
    assert end.reason == (
        "All 11 runs are done, 3 diverged. Racing gave up 1 candidate and saved 1 of 12 runs."
    )
    assert len(trained) == 11
    assert read_reevaluation(folder).progress.fraction == 1.0
    extend_reevaluation(study, folder, 8)
    assert (read_reevaluation(folder).question, read_reevaluation(folder).plan) == (question, plan)
    run_reevaluation(folder)
    assert sorted(trained) == sorted(set(trained))
    assert len(trained) == 8 + 8 + 3, "the one that was given up stays so"


@pytest.mark.parametrize("act", ["start", "resume", "extend", "delete"])
def test_a_server_that_only_shows_refuses(study, still, monkeypatch, act):
    folder, made = start_reevaluation(study, planned(study)), planned(study)
    monkeypatch.setenv("EDGEWISE_READ_ONLY", "1")
    acts = {
        "start": lambda: start_reevaluation(study, made),
        "resume": lambda: resume_reevaluation(study, folder),
        "extend": lambda: extend_reevaluation(study, folder, 3),
        "delete": lambda: delete_reevaluation(study, folder),
    }
    with pytest.raises(PermissionError, match=f"cannot {act} a re-evaluation"):
        acts[act]()
