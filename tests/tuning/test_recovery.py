"""What becomes of trials that nobody runs any more, from real journals."""

import json
from dataclasses import asdict

import optuna
import pytest
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import TrialState

from storage.artifacts import kept_trials
from storage.journal import STUDY_NAME, open_journal
from storage.live import Heartbeat, read_heartbeats, write_heartbeat
from storage.paths import RunFolder
from storage.trials import BASELINE, CRASHES, FAILURE, IMPORTED_FROM, RETRIES, RETRY_OF, RUN, failure_kind
from tuning import recovery


@pytest.fixture
def folder(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    optuna.create_study(storage=open_journal(folder.journal, create=True), study_name=STUDY_NAME)
    return folder


@pytest.fixture
def storage(folder):
    return open_journal(folder.journal)


@pytest.fixture
def study(storage):
    return optuna.load_study(study_name=STUDY_NAME, storage=storage)


def run(study, *, alone=False):
    """Take the next trial as a worker does and leave it running."""
    trial = study.ask()
    trial.set_user_attr(RUN, {"alone": alone})
    trial.suggest_float("x", 0, 1)
    return trial


def waiting(study):
    return [t for t in study.trials if t.state == TrialState.WAITING]


def beat(trial):
    return Heartbeat(trial, 1, 0.0, "collect", 0, 1, 0.0, 0, None, None, 0.0, 0.0)


@pytest.mark.parametrize("kind", ["killed", "stopped", "interrupted"])
def test_running_trials_fail_and_are_queued_again_once(folder, storage, study, kind):
    params = [run(study).params for _ in range(3)]
    study.tell(study.ask(), 1.0)
    assert recovery.recover(folder, storage, kind=kind) == [0, 1, 2]
    assert recovery.recover(folder, open_journal(folder.journal), kind=kind) == []
    trials = study.trials
    assert [t.state for t in trials] == [TrialState.FAIL] * 3 + [TrialState.COMPLETE] + [
        TrialState.WAITING
    ] * 3
    assert [failure_kind(t) for t in trials[:3]] == [kind] * 3
    assert "queued again" in trials[0].user_attrs[FAILURE]["message"]
    assert [t.system_attrs["fixed_params"] for t in waiting(study)] == params
    assert [t.user_attrs[RETRY_OF] for t in waiting(study)] == [0, 1, 2]
    assert [run(study).params for _ in range(3)] == params


def test_nothing_to_do(folder, storage, study):
    assert recovery.recover(folder, storage, kind="interrupted") == []
    assert study.trials == []


def test_who_dies_between_failing_and_queueing_leaves_what_the_next_one_finishes(
    folder, storage, study, monkeypatch
):
    run(study), run(study)
    queue = recovery.queue
    with monkeypatch.context() as patch:

        def die_at_second(storage, retry):
            if retry.attributes[RETRY_OF] == 1:
                raise KeyboardInterrupt
            return queue(storage, retry)

        patch.setattr(recovery, "queue", die_at_second)
        with pytest.raises(KeyboardInterrupt):
            recovery.recover(folder, storage, kind="interrupted")
    assert [t.user_attrs[RETRY_OF] for t in waiting(study)] == [0]
    assert recovery.recover(folder, open_journal(folder.journal), kind="interrupted") == []
    assert [t.user_attrs[RETRY_OF] for t in waiting(study)] == [0, 1]


def test_who_dies_between_the_reason_and_the_state_is_repeated(folder, storage, study):
    trial = run(study)
    trial.set_user_attr(FAILURE, {"kind": "killed", "message": "half"})
    assert recovery.recover(folder, storage, kind="interrupted") == [0]
    assert failure_kind(study.trials[0]) == "interrupted"
    assert len(waiting(study)) == 1


def test_a_worker_that_ends_its_trial_meanwhile_wins(folder, storage, study, monkeypatch):
    slow, quick = run(study), run(study)
    their_study = optuna.load_study(study_name=STUDY_NAME, storage=open_journal(folder.journal))
    read = storage.get_all_trials
    done = []

    def read_then_lose(*args, **kwargs):
        trials = read(*args, **kwargs)
        if not done:
            done.append(their_study.tell(quick.number, 5.0))
        return trials

    monkeypatch.setattr(storage, "get_all_trials", read_then_lose)
    assert recovery.recover(folder, storage, kind="interrupted") == [slow.number]
    assert [t.state for t in study.trials] == [TrialState.FAIL, TrialState.COMPLETE, TrialState.WAITING]
    assert study.trials[1].value == 5.0


def test_what_was_not_sampled_yet_is_sampled_by_the_retry(folder, storage, study):
    study.enqueue_trial({"x": 0.25, "y": 0.75})
    trial = study.ask()
    trial.suggest_float("x", 0, 1)
    trial.suggest_float("z", 0, 1)
    recovery.recover(folder, storage, kind="killed")
    (again,) = waiting(study)
    assert again.system_attrs["fixed_params"] == {"x": 0.25, "y": 0.75, "z": trial.params["z"]}


def test_a_trial_that_sampled_nothing_is_not_queued(folder, storage, study):
    study.ask()
    assert recovery.recover(folder, storage, kind="killed") == [0]
    assert waiting(study) == []


def test_a_queued_trial_that_died_before_it_sampled_is_queued_again(folder, storage, study):
    study.enqueue_trial({"x": 0.5}, user_attrs={BASELINE: "SB3 defaults"})
    study.ask()
    recovery.recover(folder, storage, kind="killed")
    (again,) = waiting(study)
    assert again.system_attrs["fixed_params"] == {"x": 0.5}
    assert again.user_attrs[BASELINE] == "SB3 defaults"


def test_the_baseline_stays_one_through_every_retry(folder, storage, study):
    study.enqueue_trial({"x": 0.5}, user_attrs={BASELINE: "SB3 defaults"})
    for _ in range(3):
        run(study)
        recovery.recover(folder, storage, kind="stopped")
    assert [t.user_attrs.get(BASELINE) for t in study.trials] == ["SB3 defaults"] * 4
    assert [t.user_attrs.get(RETRY_OF) for t in study.trials] == [None, 0, 1, 2]


@pytest.mark.parametrize("kind", ["stopped", "interrupted"])
def test_stops_use_no_retries(folder, storage, study, kind):
    run(study, alone=True)
    for _ in range(6):
        recovery.recover(folder, storage, kind=kind)
        assert len(waiting(study)) == 1
        assert waiting(study)[0].user_attrs[RETRIES] == 0
        run(study, alone=True)


def test_two_shared_crashes_make_a_suspect_and_two_alone_exhaust_it(folder, storage, study):
    run(study)
    recovery.recover(folder, storage, kind="killed")
    (first,) = waiting(study)
    assert (first.user_attrs[CRASHES], first.user_attrs[RETRIES]) == (1, 0)
    run(study)
    recovery.recover(folder, storage, kind="killed")
    assert waiting(study) == []  # a suspect waits until it can run alone
    for n_alone in (1, 2):
        (retry,) = recovery.due_retries(study.trials)
        assert retry.suspect
        assert (retry.attributes[CRASHES], retry.attributes[RETRIES]) == (2, n_alone - 1)
        number = recovery.queue(storage, retry)
        assert waiting(study)[0].number == number
        assert recovery.due_retries(study.trials) == []
        trial = run(study, alone=True)
        assert trial.number == number
        assert not recovery.exhausted(study.trials[number])
        recovery.recover(folder, storage, kind="killed")
    assert recovery.exhausted(study.trials[number])
    assert recovery.due_retries(study.trials) == []
    assert waiting(study) == []
    assert len({t.params["x"] for t in study.trials}) == 1


def test_with_one_worker_a_configuration_runs_three_times(folder, storage, study):
    run(study, alone=True)
    for _ in range(2):
        recovery.recover(folder, storage, kind="killed")
        assert len(waiting(study)) == 1
        run(study, alone=True)
    recovery.recover(folder, storage, kind="killed")
    assert waiting(study) == []
    assert [t.state for t in study.trials] == [TrialState.FAIL] * 3
    assert [recovery.exhausted(t) for t in study.trials] == [False, False, True]


def test_an_innocent_sibling_counts_as_one_shared_crash_only(folder, storage, study):
    run(study), run(study)
    recovery.recover(folder, storage, kind="killed")
    assert [t.user_attrs[CRASHES] for t in waiting(study)] == [1, 1]
    for trial in (run(study), run(study)):
        study.tell(trial, 1.0)
    assert recovery.due_retries(study.trials) == []


def test_errors_are_not_repeated(folder, storage, study):
    trial = run(study)
    trial.set_user_attr(FAILURE, {"kind": "error", "message": "TypeError"})
    study.tell(trial, state=TrialState.FAIL)
    study.tell(run(study), state=TrialState.FAIL)  # by hand, without any record
    recovery.recover(folder, storage, kind="interrupted")
    assert waiting(study) == []


def test_imported_trials_neither_run_again_nor_stand_for_a_retry_of_ours(folder, storage, study):
    theirs = {IMPORTED_FROM: "other", FAILURE: {"kind": "killed"}}
    distribution = optuna.distributions.FloatDistribution(0, 1)
    study.add_trial(
        optuna.trial.create_trial(
            state=TrialState.FAIL, params={"x": 0.5}, distributions={"x": distribution}, user_attrs=theirs
        )
    )
    own = run(study)
    study.add_trial(
        optuna.trial.create_trial(value=1.0, user_attrs={IMPORTED_FROM: "other", RETRY_OF: own.number})
    )
    recovery.recover(folder, storage, kind="killed")
    assert [t.user_attrs[RETRY_OF] for t in waiting(study)] == [own.number]


def test_heartbeats_and_policies_of_the_dead_go(folder, storage, study):
    dead, done = run(study), run(study)
    study.tell(done, 1.0)
    for number in (dead.number, done.number):
        write_heartbeat(folder, beat(number))
        (folder.weights / str(number)).mkdir(parents=True)
    (folder.weights / f".{dead.number}.part").mkdir()
    (folder.weights / f".{done.number}.part").mkdir()
    recovery.recover(folder, storage, kind="killed")
    assert read_heartbeats(folder) == []
    assert kept_trials(folder) == {done.number}
    assert [path.name for path in folder.weights.glob(".*")] == [f".{done.number}.part"]


def test_a_hostile_heartbeat_deletes_nothing_outside(folder, storage, study, tmp_path):
    victim = tmp_path / "victim.json"
    victim.write_text("{}")
    folder.heartbeats.mkdir()
    record = {**asdict(beat(0)), "trial": "../../victim"}
    (folder.heartbeats / "0.json").write_text(json.dumps(record))
    recovery.recover(folder, storage, kind="interrupted")
    assert victim.exists()


def test_claim_takes_one_particular_queued_trial(folder, storage, study):
    for x in (0.1, 0.2):
        study.enqueue_trial({"x": x})
    trial = recovery.claim(study, 1)
    assert trial.suggest_float("x", 0, 1) == 0.2
    assert [t.state for t in study.trials] == [TrialState.WAITING, TrialState.RUNNING]
    other = optuna.load_study(study_name=STUDY_NAME, storage=open_journal(folder.journal))
    with pytest.raises(ValueError, match=r"Trial 1 is no longer queued\."):
        recovery.claim(other, 1)
    study.tell(trial, 1.0)
    with pytest.raises((ValueError, UpdateFinishedTrialError)):
        recovery.claim(other, 1)
    assert study.ask().number == 0


def test_a_suspect_that_its_runner_left_in_the_queue_still_runs_alone(folder, storage, study):
    for _ in range(2):
        run(study)
        recovery.recover(folder, storage, kind="killed")
    number = recovery.next_suspect(storage, study.trials)
    assert [t.number for t in waiting(study)] == [number]
    # the runner is killed here, or asked to stop
    recovery.recover(folder, storage, kind="interrupted")
    assert recovery.next_suspect(storage, study.trials) == number
    assert [t.number for t in waiting(study)] == [number]
    study.tell(recovery.claim(study, number), 1.0)
    assert recovery.next_suspect(storage, study.trials) is None


@pytest.mark.parametrize(
    "attributes",
    [
        {CRASHES: "many"},
        {CRASHES: "9" * 5000},
        {RETRIES: [1]},
        {RETRY_OF: [1]},
        {RETRY_OF: {"a": 1}},
        {RUN: "text"},
    ],
)
def test_records_that_make_no_sense_keep_nobody_from_recovering(folder, storage, study, attributes):
    distribution = optuna.distributions.FloatDistribution(0, 1)
    study.add_trial(
        optuna.trial.create_trial(
            state=TrialState.FAIL,
            params={"x": 0.5},
            distributions={"x": distribution},
            user_attrs={FAILURE: {"kind": "killed"}, **attributes},
            system_attrs={"fixed_params": "text"},
        )
    )
    own = run(study)
    assert recovery.recover(folder, storage, kind="interrupted") == [own.number]
    assert own.params in [t.system_attrs["fixed_params"] for t in waiting(study)]
