"""Ten workers die, each while it owns a RUNNING trial, in every phase of a trial: the count stays exact."""

import fcntl
import os
import re
import signal
import time
from contextlib import suppress

import psutil
from optuna.trial import TrialState

from storage.live import read_heartbeats
from storage.trials import RETRIES, counted, failure_kind, run_record
from tuning import launch
from tuning.jobs import JobState, job_status, log_tail

N_TRIALS = 20
KILLS = ("collect", "update", "evaluate", "tell", "collect", "tell", "update", "evaluate", "tell", "collect")


def test_ten_kills_in_every_phase_leave_exactly_twenty_trials(launched, fault_spec, wait_until_ended):
    # A rollout and an update take a tenth of a second or more: a worker does not tell of shorter ones. And
    # trials last: at full speed the budget would else be used up before the last kill.
    parameters = {"n_steps": 1024, "n_epochs": 4, "batch_size": 32, "policy_kwargs.net_arch": [8]}
    budget = {"n_trials": N_TRIALS, "n_timesteps": 16_384, "n_eval_episodes": 40}
    folder = launched(fault_spec(hyperparameters=parameters, budget=budget, pruner={"name": "none"}))
    landed = []
    for phase in KILLS:
        landed.append(kill_one_in(folder, phase))
    status = wait_until_ended(folder, timeout_s=180)

    assert landed == list(KILLS)
    assert status.state == JobState.FINISHED, log_tail(folder, 40)
    trials = launch.read_run(folder).study.trials
    assert len(counted(trials)) == N_TRIALS
    assert not [t for t in trials if t.state in (TrialState.RUNNING, TrialState.WAITING)]
    assert {failure_kind(t) for t in trials if t.state == TrialState.FAIL} == {"killed"}
    # what a worker had been told was written is still there, once
    log = folder.log.read_text()
    acknowledged = [int(n) for n in re.findall(r"Trial (\d+) complete", log)]
    assert len(acknowledged) == len(set(acknowledged))
    complete = {t.number for t in trials if t.state == TrialState.COMPLETE}
    assert set(acknowledged) <= complete
    # a configuration runs again after its worker died, unless it had none yet or was given up
    repeats = {t.user_attrs["retry_of"] for t in trials if "retry_of" in t.user_attrs}
    assert repeats <= {t.number for t in trials if t.state == TrialState.FAIL}


def kill_one_in(folder, phase):
    """SIGKILL a worker that is in `phase` and owns a RUNNING trial; return the phase it was in."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert job_status(folder).state.alive, log_tail(folder, 40)
        if phase == "tell":
            if kill_while_telling(folder):
                return phase
        elif kill_while_in(folder, phase):
            return phase
        time.sleep(0.001)
    raise AssertionError(f"no worker was met in {phase}:\n{log_tail(folder, 40)}")


def kill_while_in(folder, phase):
    for beat in read_heartbeats(folder):
        if beat.phase == phase and suspended(beat):
            again = [b for b in read_heartbeats(folder) if b.trial == beat.trial and b.phase == phase]
            if again and owns_running_trial(folder, beat):
                psutil.Process(beat.pid).kill()
                return True
            os.kill(beat.pid, signal.SIGCONT)
    return False


def kill_while_telling(folder):
    """Hold the journal's lock while a worker comes to tell its result, and kill it there."""
    if not [b for b in read_heartbeats(folder) if b.phase in ("evaluate", "save")]:
        return False
    with folder.journal.open("rb") as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        deadline = time.monotonic() + 0.3
        while time.monotonic() < deadline:
            for beat in read_heartbeats(folder):
                if beat.phase == "tell" and suspended(beat):
                    if owns_running_trial(folder, beat):
                        psutil.Process(beat.pid).kill()
                        return True
                    os.kill(beat.pid, signal.SIGCONT)
            time.sleep(0.001)
    return False


def suspended(beat):
    with suppress(psutil.Error, ProcessLookupError):
        if psutil.Process(beat.pid).create_time() == beat.pid_created:
            os.kill(beat.pid, signal.SIGSTOP)
            return True
    return False


def owns_running_trial(folder, beat):
    """Say whether the trial runs, and would run once more after another death."""
    trial = launch.read_run(folder).study.trials[beat.trial]
    is_last_chance = run_record(trial).get("alone") and trial.user_attrs.get(RETRIES, 0) > 0
    return trial.state == TrialState.RUNNING and not is_last_chance
