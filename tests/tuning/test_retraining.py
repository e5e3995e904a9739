"""The retraining engine with real runners, real workers and real training."""

import errno
import json
import os
import time

import psutil
import pytest

from storage.live import read_curve, read_heartbeats
from storage.paths import create_run
from storage.records import read_record
from tuning import environments, launch, pool, retraining, retraining_task
from tuning.jobs import JobState, create_job, job_status
from tuning.reporter import Reporter
from tuning.retraining_plan import (
    PlanError,
    RetrainPlan,
    RunResult,
    TrainingRun,
    append_result,
    load_plan,
    read_results,
    write_plan,
)
from tuning.retraining_task import NotKept, RunOutcome, RunTask, run_training
from tuning.trainers import TrainerUsed

SMALL = {"n_steps": 64, "n_epochs": 1, "policy_kwargs": {"net_arch": [8]}}


def wait_for(condition, timeout_s=60.0):
    deadline = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
    return found


def plan(*runs, **over):
    fields = {
        "env": {"id": "Edgewise/Fault-v0"},
        "algorithm": "PPO",
        "policy": "MlpPolicy",
        "n_train_envs": 2,
        "n_timesteps": 256,
        "n_eval_episodes": 3,
        "n_eval_envs": 2,
        "n_workers": 2,
        **over,
    }
    return RetrainPlan(runs=runs, **fields)


def run(key, *, seed=10_000, **resolved):
    return TrainingRun(
        key=key, label=f"run {key}", resolved={**SMALL, **resolved}, train_seed=seed, eval_seed=seed + 1000
    )


@pytest.fixture
def job(runs_dir):
    def make(made):
        folder = create_run(runs_dir, "job")
        write_plan(folder, made)
        create_job(folder, "retraining")
        return folder

    return make


@pytest.fixture
def started(job, fault_envs, end_processes_under, runs_dir):
    def start(made):
        folder = job(made)
        launch.start(folder)
        return folder

    yield start
    end_processes_under(runs_dir)


def test_every_run_has_one_result_and_equal_runs_are_equal(started, wait_until_ended):
    made = plan(run("a"), run("a again"), run("b", learning_rate=1e-2), run("c", seed=12_000))
    folder = started(made)
    status = wait_until_ended(folder)
    assert (status.state, status.reason) == (JobState.FINISHED, "All 4 runs are done.")
    results = read_results(folder, made)
    assert {r.state for r in results.values()} == {"ok"}
    a, again, b, c = (results[key] for key in ("a", "a again", "b", "c"))
    assert a.returns == again.returns
    assert a.returns != b.returns
    assert a.returns != c.returns
    assert len(a.returns) == 3
    assert a.mean == pytest.approx(sum(a.returns) / 3)
    assert a.timesteps == 256
    assert a.duration_s > 0
    assert [steps for steps, _, _ in read_curve(folder, 0).evaluations] == [256]
    assert read_heartbeats(folder) == []
    assert read_record(folder.runner)["machine"]["cores"] >= 1


def test_stop_now_and_resume_train_only_what_is_missing(started, wait_until_ended):
    slow = {"n_steps": 512, "n_epochs": 2000, "batch_size": 8}  # an update takes much longer than the promise
    made = plan(run("a"), run("b"), run("slow", **slow), run("slow too", **slow), run("c"))
    folder = started(made)
    updating = {2, 3}  # both, or "b" might still be training
    wait_for(lambda: {b.trial for b in read_heartbeats(folder) if b.phase == "update"} == updating)
    assert launch.stop(folder, "now")
    asked = time.monotonic()
    status = wait_until_ended(folder, timeout_s=10)
    assert time.monotonic() - asked < 4
    assert status.state == JobState.STOPPED
    assert "2 of 5 runs are done." in status.reason
    before = folder.results.read_bytes()
    assert read_heartbeats(folder) == []

    fast = plan(run("a"), run("b"), run("slow"), run("slow too"), run("c"))
    write_plan(folder, fast)  # so that the test need not wait for them
    launch.start(folder)
    assert wait_until_ended(folder).state == JobState.FINISHED
    assert folder.results.read_bytes().startswith(before), "what was done stays as it was"
    assert len(folder.results.read_bytes().splitlines()) == 5
    assert set(read_results(folder, fast)) == {"a", "b", "slow", "slow too", "c"}


def test_a_killed_worker_and_a_torn_result_cost_nothing_but_time(started, wait_until_ended, tmp_path):
    tickets = tmp_path / "tickets"
    tickets.mkdir()
    (tickets / "0").touch()
    env = {"id": "Edgewise/Fault-v0", "kwargs": {"fault": "die", "tickets": str(tickets)}}
    made = plan(*(run(str(n)) for n in range(4)), env=env)
    folder = started(made)
    folder.results.write_bytes(b'{"key": "0", "sta')
    status = wait_until_ended(folder)
    assert (status.state, status.reason) == (JobState.FINISHED, "All 4 runs are done.")
    assert not list(tickets.iterdir()), "a worker has died"
    assert "it runs again, alone" in folder.log.read_text()
    lines = [json.loads(line) for line in folder.results.read_bytes().splitlines()]
    assert sorted(line["key"] for line in lines) == ["0", "1", "2", "3"]
    assert len({tuple(line["returns"]) for line in lines}) == 1, (
        "whether a worker died before changes nothing"
    )


def test_a_run_that_kills_each_of_its_workers_is_given_up_and_its_siblings_are_not(job, monkeypatch):
    batches = []

    def first_kills(function, tasks, *, n_workers, **_):
        underway = [task for _, task in zip(range(n_workers), tasks, strict=False)]
        batches.append([task.index for task in underway])
        if 0 in batches[-1]:
            raise pool.WorkerDied("killed")
        for task in (*underway, *tasks):
            key = task.plan.runs[task.index].key
            yield RunOutcome(task.index, RunResult(key=key, state="ok", mean=1.0))

    monkeypatch.setattr(pool, "run_tasks", first_kills)
    made = plan(*(run(str(n)) for n in range(4)))
    folder = job(made)
    end = retraining.run_plan(folder)
    said = "All 4 runs are done, 1 given up because its workers died."
    assert (end.state, end.reason) == (JobState.FINISHED, said)
    assert batches == [[0, 1], [0], [0], [1], [2, 3]], "suspects run alone, the others together"
    results = read_results(folder, made)
    assert (results["0"].state, results["0"].message) == ("failed", retraining.DIED)
    assert [key for key, result in results.items() if result.worker_died] == ["0"]
    assert {results[key].state for key in "123"} == {"ok"}


def test_workers_that_always_die_end_the_job(job, monkeypatch):
    def all_die(function, tasks, **_):
        list(tasks)
        raise pool.WorkerDied("killed")
        yield

    monkeypatch.setattr(pool, "run_tasks", all_die)
    made = plan(*(run(str(n)) for n in range(5)))
    folder = job(made)
    end = retraining.run_plan(folder)
    assert end.state == JobState.FAILED
    assert "3 runs in a row died" in end.reason
    assert [r.message for r in read_results(folder, made).values()] == [retraining.DIED] * 3

    def memory_is_free_again(function, tasks, **_):
        for task in tasks:
            key = task.plan.runs[task.index].key
            yield RunOutcome(task.index, RunResult(key=key, state="ok", mean=1.0))

    monkeypatch.setattr(pool, "run_tasks", memory_is_free_again)
    end = retraining.run_plan(folder)
    assert (end.state, end.reason) == (JobState.FINISHED, "All 5 runs are done.")
    assert {r.state for r in read_results(folder, made).values()} == {"ok"}
    assert len(folder.results.read_bytes().splitlines()) == 8, "nothing that was written goes"


def no_room(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_runs_that_nobody_asked_for_are_not_trained(job, monkeypatch):
    def all_well(function, tasks, **_):
        for task in tasks:
            key = task.plan.runs[task.index].key
            yield RunOutcome(task.index, RunResult(key=key, state="ok", mean=1.0))

    monkeypatch.setattr(pool, "run_tasks", all_well)
    made = plan(*(run(str(n)) for n in range(4)))
    folder = job(made)
    end = retraining.run_plan(folder, asked_for={"0", "2", "of no plan"})
    assert (end.state, end.reason) == (JobState.FINISHED, "All 2 runs are done.")
    assert set(read_results(folder, made)) == {"0", "2"}


def test_a_full_disk_ends_the_job_and_makes_no_failed_run(job, monkeypatch):
    made = plan(run("a"))
    folder = job(made)

    def well(function, tasks, **_):
        yield from (RunOutcome(t.index, RunResult(key="a", state="ok", mean=1.0)) for t in tasks)

    monkeypatch.setattr(pool, "run_tasks", well)
    with monkeypatch.context() as patch:
        patch.setattr(retraining, "append_result", no_room)
        end = retraining.run_plan(folder)
    assert end.state == JobState.FAILED
    assert end.reason == (
        "The result of run a cannot be kept: [Errno 28] No space left on device. "
        "Make room, then resume: what is done stays."
    )
    assert retraining.run_plan(folder).reason == "The only run is done."


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("tuning.reporter.append_curve", "The curve of run a cannot be written"),
        ("tuning.training.save_policy", "The policy of run a cannot be kept"),
        ("tuning.training.make_envs", "The disk became full during run a"),
    ],
)
def test_wherever_the_disk_is_full_the_run_has_not_failed(job, fault_envs, monkeypatch, where, said):
    monkeypatch.syspath_prepend("tests/fault_envs")
    environments.register_packages()
    made = plan(run("a"), keep_weights=True)
    folder = job(made)
    monkeypatch.setattr(where, no_room)
    with pytest.raises(NotKept, match=rf"{said}: \[Errno 28\] No space left on device\."):
        run_training(RunTask(str(folder.path), made, 0))
    assert read_heartbeats(folder) == []


def test_where_nothing_is_trained_the_heart_counts_episodes(job, fault_envs, monkeypatch, keep_untrained):
    monkeypatch.syspath_prepend("tests/fault_envs")
    environments.register_packages()
    made = plan(run("a").model_copy(update={"plays_only": True}))
    folder = job(made)
    keep_untrained(folder, 0, "Edgewise/Fault-v0")
    voices = []

    class Heard(Reporter):
        def __exit__(self, *error):
            self.phase("tell")
            voices.extend(read_heartbeats(folder))
            super().__exit__(*error)

    monkeypatch.setattr(retraining_task, "Reporter", Heard)
    result = run_training(RunTask(str(folder.path), made, 0)).result
    assert (len(result.returns), result.timesteps) == (3, 0)
    assert [(beat.timesteps, beat.total_timesteps) for beat in voices] == [(3, 3)]


def test_a_heartbeat_without_room_is_no_reason_to_end_anything(job, fault_envs, monkeypatch):
    monkeypatch.syspath_prepend("tests/fault_envs")
    environments.register_packages()
    monkeypatch.setattr("tuning.reporter.write_heartbeat", no_room)
    made = plan(run("a"))
    outcome = run_training(RunTask(str(job(made).path), made, 0))
    assert outcome.result.state == "ok"


def test_stop_after_starts_nothing_further_and_keeps_what_ends(job, monkeypatch):
    made = plan(*(run(str(n)) for n in range(4)))
    folder = job(made)

    def ask_to_stop_during_the_first(function, tasks, **_):
        for task in tasks:
            folder.stop.write_text("after")
            key = task.plan.runs[task.index].key
            yield RunOutcome(task.index, RunResult(key=key, state="ok", mean=1.0))

    monkeypatch.setattr(pool, "run_tasks", ask_to_stop_during_the_first)
    end = retraining.run_plan(folder)
    assert end.state == JobState.STOPPED
    assert end.reason == "Stopped on request, after the running ones. 1 of 4 runs are done."
    assert set(read_results(folder, made)) == {"0"}


@pytest.mark.parametrize("mode", ["now", "after"])
def test_no_run_starts_once_the_job_was_asked_to_stop(job, mode):
    made = plan(run("a"))
    folder = job(made)
    folder.stop.write_text(mode)
    assert run_training(RunTask(str(folder.path), made, 0)) == RunOutcome(0, None)


@pytest.mark.parametrize(
    ("fault", "state", "said"),
    [("raise", "failed", "RuntimeError: the simulator lost"), ("nan", "diverged", "NaN")],
)
def test_what_goes_wrong_in_a_run_is_its_result(started, wait_until_ended, fault, state, said):
    env = {"id": "Edgewise/Fault-v0", "kwargs": {"fault": fault, "after": 60}}
    made = plan(run("a"), env=env, trainer="auto")
    folder = started(made)
    assert wait_until_ended(folder).state == JobState.FINISHED
    (result,) = read_results(folder, made).values()
    assert (result.state, result.mean, result.trainer) == (state, None, TrainerUsed("fast"))
    assert said in result.message


def test_a_dead_runner_takes_its_workers_along_and_the_job_goes_on(started, wait_until_ended):
    made = plan(run("a", n_epochs=5), run("b", n_epochs=5), n_timesteps=2_000)
    folder = started(made)
    wait_for(lambda: [b for b in read_heartbeats(folder) if b.timesteps > 0])
    runner = psutil.Process(job_status(folder).pid)
    workers = runner.children()
    runner.kill()
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not [p for p in alive if "loky" in " ".join(p.cmdline())], "workers must not outlive their runner"
    assert job_status(folder).state == JobState.INTERRUPTED
    launch.start(folder)
    assert wait_until_ended(folder).state == JobState.FINISHED
    assert set(read_results(folder, made)) == {"a", "b"}
    curve = read_curve(folder, 0)
    assert [steps for steps, _, _ in curve.evaluations] == [2_048]
    assert [steps for steps, _ in curve.episodes] == sorted(steps for steps, _ in curve.episodes), (
        "the curve of the attempt that died is gone"
    )


def test_a_plan_comes_back_as_it_was(job):
    made = plan(run("a", gamma=0.9), run("b"))
    assert load_plan(job(made)) == made


def test_a_plan_from_before_there_was_a_choice_stays_with_sb3(job):
    made = plan(run("a"), trainer="auto")
    folder = job(made)
    record = json.loads(folder.plan.read_text())
    del record["trainer"]
    folder.plan.write_text(json.dumps(record))
    assert load_plan(folder) == made.model_copy(update={"trainer": "sb3"})


@pytest.mark.parametrize("text", ["", "[]", '{"runs": []}', '{"env": 3}'])
def test_a_plan_that_cannot_be_read_is_said_in_a_sentence(job, text):
    folder = job(plan(run("a")))
    folder.plan.write_text(text)
    with pytest.raises(PlanError, match=r"plan\.json of job-.*Start a new one"):
        load_plan(folder)


@pytest.mark.parametrize(
    ("over", "resolved", "used"),
    [
        ({"trainer": "auto"}, {}, TrainerUsed("fast")),
        ({"trainer": "auto"}, {"use_sde": True}, TrainerUsed("sb3", "gSDE")),
        ({}, {}, TrainerUsed("sb3")),  # as plans were written when there was no other trainer
    ],
)
def test_a_result_says_whose_code_trained_the_run(job, over, resolved, used):
    made = plan(run("a", **resolved), env={"id": "Pendulum-v1"}, n_train_envs=1, **over)
    folder = job(made)
    result = run_training(RunTask(str(folder.path), made, 0)).result
    assert (result.state, result.trainer) == ("ok", used)
    append_result(folder, result)
    assert read_results(folder, made)["a"].trainer == used


def test_two_runs_may_not_share_a_key():
    with pytest.raises(ValueError, match="used more than once"):
        plan(run("a"), run("a"))


def test_of_two_results_with_one_key_the_first_counts(job):
    made = plan(run("a"))
    folder = job(made)
    for mean in (1.0, 2.0):
        append_result(folder, RunResult(key="a", state="ok", mean=mean, std=0.0, returns=(mean,)))
    append_result(folder, RunResult(key="of another plan", state="ok", mean=3.0))
    folder.results.open("a").write('{"key": "a", "state": "ok"}\n{"key": 3}\n')
    assert [r.mean for r in read_results(folder, made).values()] == [1.0]


def test_a_run_whose_worker_died_is_measured_by_what_came_later(job):
    made = plan(run("a"))
    folder = job(made)
    died = RunResult(key="a", state="failed", message="killed", worker_died=True)
    for result in (died, died, RunResult(key="a", state="diverged"), died):
        append_result(folder, result)
    assert read_results(folder, made)["a"].state == "diverged"


def test_only_a_run_that_failed_may_have_lost_its_workers():
    with pytest.raises(ValueError, match="whose workers died has failed"):
        RunResult(key="a", state="ok", mean=1.0, worker_died=True)


@pytest.mark.parametrize("fields", [{"state": "ok"}, {"state": "failed", "mean": 1.0}])
def test_a_run_has_a_value_exactly_when_it_is_ok(fields):
    with pytest.raises(ValueError, match="exactly when it is ok"):
        RunResult(key="a", **fields)
