"""Configurations that are queued in a study that exists: nothing lost, and the budget exact."""

import json
import threading
import time

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState, create_trial
from typer.testing import CliRunner

from storage.journal import append_trials
from storage.locks import FileLock, is_held
from storage.records import write_record
from storage.trials import PROPOSED_BY, counted
from tuning import jobs, launch
from tuning.__main__ import app
from tuning.access import ReadOnly
from tuning.jobs import JobState
from tuning.queued_trials import queue_trials
from tuning.spec import SpecError, load_spec

GOOD = {"learning_rate": "2e-3", "gamma": 0.95}


@pytest.fixture
def folder(fault_spec, runs_dir):
    return launch.create_study(fault_spec(budget={"n_trials": 2}, defaults_first=False), runs_dir)


def test_a_queued_configuration_takes_a_trial_of_the_budget(folder):
    queued = queue_trials(folder, [GOOD])
    assert (queued.trials, queued.n_trials, queued.n_more, queued.is_running) == ((0,), 2, 0, False)
    trial = launch.read_run(folder).study.trials[0]
    assert trial.state == TrialState.WAITING
    assert trial.system_attrs["fixed_params"] == {"learning_rate": 0.002, "gamma": 0.95}
    assert trial.user_attrs == {PROPOSED_BY: "by hand"}


def test_the_budget_grows_by_what_it_has_no_room_for(folder):
    queued = queue_trials(folder, [GOOD, {"gamma": 0.99}, {"gamma": 0.91}])
    assert (queued.trials, queued.n_trials, queued.n_more) == ((0, 1, 2), 3, 1)
    assert load_spec(folder.spec).budget.n_trials == 3
    assert "Trials 0 to 2 are queued. The budget was used up, so it is 3 trials now." in queued.words


def test_one_value_outside_queues_nothing(folder):
    with pytest.raises(SpecError, match=r"Configuration 2: gamma 0\.5 lies outside 0\.9 … 0\.999\. Widen"):
        queue_trials(folder, [GOOD, {"gamma": 0.5}])
    assert launch.read_run(folder).study.trials == ()


def test_where_the_budget_cannot_grow_nothing_is_queued(fault_spec, runs_dir):
    spec = fault_spec(sampler={"name": "gp"}, budget={"n_trials": 500}, defaults_first=False)
    folder = launch.create_study(spec, runs_dir)
    values = {"params": {"gamma": 0.95}, "distributions": {"gamma": FloatDistribution(0.9, 0.999)}}
    append_trials(folder.journal, [create_trial(value=1.0, **values) for _ in range(500)])
    with pytest.raises(SpecError, match="500"):
        queue_trials(folder, [GOOD])
    assert len(launch.read_run(folder).study.trials) == 500
    assert load_spec(folder.spec).budget.n_trials == 500


def test_who_changes_the_budget_waits_for_another_who_does(folder, monkeypatch):
    monkeypatch.setattr(launch, "BUDGET_WAIT_S", 0.0)
    with launch.changing_budget(folder):
        for change in (lambda: queue_trials(folder, [GOOD]), lambda: launch.extend(folder, 9)):
            with pytest.raises(launch.Busy, match="changing the budget"):
                change()
    assert launch.read_run(folder).study.trials == ()


def test_a_study_that_waits_for_its_turn_keeps_its_place(folder):
    write_record(folder.ticket, {"turn": 1})
    assert not queue_trials(folder, [GOOD], resume=True).is_running
    assert folder.ticket.exists()


def test_a_study_that_has_just_tried_every_combination_is_started_again(fault_spec, runs_dir, monkeypatch):
    space = [{"name": "gamma", "kind": "categorical", "choices": [0.9, 0.95]}]
    folder = launch.create_study(
        fault_spec(search_space=space, sampler={"name": "brute_force"}, defaults_first=False), runs_dir
    )
    gamma = {"gamma": CategoricalDistribution([0.9, 0.95])}
    done = [create_trial(value=1.0, params={"gamma": g}, distributions=gamma) for g in (0.9, 0.95)]
    append_trials(folder.journal, done)
    started = []

    def start(folder):
        started.append(folder)
        raise jobs.AlreadyRunning("somebody was faster")

    monkeypatch.setattr(launch, "start", start)
    write_record(folder.exit, {"state": "finished"})
    held = FileLock(folder.lock)
    held.__enter__()
    threading.Timer(0.5, held.__exit__, (None, None, None)).start()  # it ends, and has not seen the queue
    assert queue_trials(folder, [{"gamma": 0.9}]).is_running
    assert started == [folder]


def test_a_server_that_only_shows_queues_nothing(folder, monkeypatch):
    monkeypatch.setenv("EDGEWISE_READ_ONLY", "1")
    with pytest.raises(ReadOnly):
        queue_trials(folder, [GOOD])


def test_the_command_queues_and_says_what_came_of_it(folder, runs_dir):
    def run(*arguments):
        return CliRunner().invoke(app, ["enqueue", folder.id, "--runs-dir", str(runs_dir), *arguments])

    done = run("--set", "learning_rate=1e-3", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == {"id": folder.id, "trials": [0], "n_trials": 2, "running": False}
    for wrong in ("gamma", "gamma=", "gamma=0.5", "gama=0.95"):
        refused = run("--set", wrong)
        assert refused.exit_code == 2
        assert refused.stderr.startswith("error: ")
    assert run("--set", "gamma=0.95", "--set", "gamma=0.96").exit_code == 2
    assert len(launch.read_run(folder).study.trials) == 1


def test_nothing_is_lost_beside_a_runner_that_finishes(launched, fault_spec, wait_until_ended):
    spec = fault_spec(budget={"n_trials": 1, "n_timesteps": 128}, defaults_first=False, n_workers=1)
    folder = launched(spec)
    deadline = time.monotonic() + 90
    while not counted(launch.read_run(folder).study.trials):
        assert time.monotonic() < deadline
        assert is_held(folder.lock)
    queued = queue_trials(folder, [GOOD])  # its budget is used up: the runner decides to end about now
    assert (queued.n_trials, queued.is_running) == (2, True)
    while len(counted(launch.read_run(folder).study.trials)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert wait_until_ended(folder).state == JobState.FINISHED
    trials = launch.read_run(folder).study.trials
    assert [t.state for t in trials] == [TrialState.COMPLETE] * 2
    assert trials[1].params == {"learning_rate": 0.002, "gamma": 0.95}
