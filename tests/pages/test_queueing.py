"""Queue or run now: on Launch, Live and Studies."""

import pytest

from pages.components import room
from storage.locks import FileLock
from tuning import env_child, launch, queue
from tuning.cores import CoreUse
from tuning.env_description import EnvDescription
from tuning.environments import EnvInfo
from tuning.jobs import JobState, job_status
from tuning.queue import Place
from tuning.queue_words import queued_sentence, waiting_words

PENDULUM = EnvDescription(
    "Pendulum-v1", "Box(3)", "continuous", "Box(1)", "continuous", 200, None, "MlpPolicy", None, None
)
LAUNCH, LIVE = "pages/launch.py", "pages/live.py"


@pytest.fixture(autouse=True)
def _two_cores(monkeypatch):
    for module in (room, queue):
        monkeypatch.setattr(module, "usable_cores", lambda: 2)
    infos = [EnvInfo("Pendulum-v1", 200, None, "gymnasium")]
    monkeypatch.setattr(env_child, "catalogue_from_child", lambda: infos)
    monkeypatch.setattr(env_child, "describe_from_child", lambda env: PENDULUM)


@pytest.fixture
def waiting(make_study, running, runs, end_processes_under):
    """A study that waits, with a runner of its own, for the one that runs."""
    folder = make_study("waits", state="stopped", n_trials=9)
    launch.enqueue(folder)
    yield folder
    end_processes_under(runs)


def press(app, label):
    return next(button for button in app.button if button.label == label).click().run()


def test_launch_offers_to_queue_while_the_cores_are_busy(open_page, running, words, monkeypatch):
    queued, started = [], []
    monkeypatch.setattr(launch, "enqueue", queued.append)
    monkeypatch.setattr(launch, "start", started.append)
    app = open_page(LAUNCH)
    assert f"2 of 2 cores busy: {running.id} (2 workers)." in words(app)
    assert app.button(key="launch").label == "Run now"
    app.button(key="queue").click().run()
    assert not app.exception
    assert (len(queued), started) == (1, [])
    assert app.title[0].value == "Live"
    app.switch_page(LAUNCH).run()
    app.button(key="queue").click().run()  # the second press of a double click
    assert len(queued) == 1


def test_launch_with_free_cores_has_one_button(open_page, make_study, words):
    make_study()
    app = open_page(LAUNCH)
    assert "All 2 cores are free." in words(app)
    assert app.button(key="launch").label == "Launch"
    assert "Queue" not in [button.label for button in app.button]


def test_live_says_what_a_queued_study_waits_for_and_lets_it_leave(open_page, waiting, running, words):
    app = open_page(LIVE, study=waiting.id)
    text = words(app)
    assert "Queued: it is the next one and starts by itself once 2 cores are free." in text
    assert f"2 of 2 cores busy: {running.id} (2 workers)." in text
    assert "Move up" not in text  # it is the only one
    press(app, "Leave the queue")
    assert job_status(waiting).state == JobState.STOPPED
    text = words(app)
    assert queue.LEFT.rstrip(".") in text
    assert "Resume now" in text
    press(app, "Queue")
    assert job_status(waiting).state == JobState.QUEUED


def test_a_queued_study_takes_up_a_new_total_and_moves_up(open_page, waiting, make_study, words):
    second = make_study("second", state="stopped", n_trials=9)
    launch.enqueue(second)
    app = open_page(LIVE, study=second.id)
    assert "Queued: 1 study goes first, then" in words(app)
    app.number_input[0].set_value(30).run()
    app.button(key="extend-now").click().run()
    assert launch.read_run(second).spec.budget.n_trials == 30
    assert job_status(second).state == JobState.QUEUED
    press(app, "Move up")
    assert queue.queued(second.path.parent) == [second, waiting]
    assert "it is the next one" in words(app)


def test_looking_gives_a_ticket_whose_runner_died_a_new_one(open_page, make_study, running, runs, holding):
    folder = make_study("rebooted", state=None)
    queue.write_record(folder.ticket, {"turn": 1})
    open_page(LIVE, study=folder.id)
    with pytest.raises(queue.LockHeld), FileLock(folder.lock):
        pass
    assert queue.leave(folder)


@pytest.mark.parametrize(
    ("position", "needed", "uses", "said"),
    [
        (1, 1, (CoreUse("a-1", "study", 2),), "it is the next one and starts by itself once a core is free."),
        (1, 2, (), "it is its turn"),
        (2, 2, (), "1 study goes first, then it starts by itself once 2 cores are free. All 2 cores are"),
        (4, 1, (CoreUse("a-1", "probe", 1),), "3 studies go first, then it starts by itself once a core is"),
        (4, 1, (CoreUse("a-1", "probe", 1),), "free. 1 of 2 cores busy: probe of a-1 (1 worker)."),
    ],
)
def test_what_a_queued_study_waits_for(position, needed, uses, said):
    assert said in queued_sentence(Place(position, 4, needed, 2, uses))


def test_who_waits():
    assert [waiting_words(n) for n in (0, 1, 3)] == [
        "",
        "1 study waits in the queue",
        "3 studies wait in the queue",
    ]
