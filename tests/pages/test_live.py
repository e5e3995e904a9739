import os
import signal
import time

import psutil
import pytest

from pages.components.running_trials import trial_progress, trial_title
from pages.components.worker_table import worker_frame, worker_memory_mb
from storage.live import Heartbeat
from storage.trials import failure_kind
from tuning import launch

PAGE = "pages/live.py"


def test_without_a_study_the_page_says_what_to_do(open_page, shown):
    app = open_page(PAGE)
    assert "No study yet" in shown(app)


def test_a_wrong_id_is_named_and_shown_as_plain_text(open_page, make_study, shown):
    make_study()
    text = shown(open_page(PAGE, study="<img src=x>[a](http://b) :material/home:"))
    assert "There is no study named" in text
    assert r"\<img" in text
    assert r"\:material\/home\:" in text


def test_a_running_study_shows_its_trial_workers_and_log(open_page, running, shown):
    app = open_page(PAGE, study=running.id)
    text = shown(app)
    assert "Running for" in text
    assert "5 of 12 trials done" in text
    assert "Best so far: -700" in text
    assert r"Trained by fast kernels\: 5 trials; Stable\-Baselines3 \(gSDE \<b\>\)\: 1 trial." in text
    assert "**Trial 6** · updating the policy" in text
    assert "500 of 1\u202f000 steps" in text
    assert "trial 7 <b>collects</b>" in text
    assert "Stop after current trials" in text
    assert len(app.get("vega_lite_chart")) == 1
    workers = app.dataframe[0].value
    assert workers["health"].tolist() == ["well"]
    assert workers["trial"].tolist() == [6]


def test_stopping_asks_the_runner(open_page, running, shown):
    app = open_page(PAGE, study=running.id)
    next(b for b in app.button if b.label == "Stop after current trials").click().run()
    assert running.stop.read_text() == "after"
    assert "Stopping" in shown(app)
    app.button(key="stop-now").click().run()
    assert running.stop.read_text() == "now"


def test_extending_a_running_study_changes_its_budget(open_page, running, shown):
    app = open_page(PAGE, study=running.id)
    app.number_input[0].set_value(30).run()
    app.button(key="extend-now").click().run()
    assert launch.read_run(running).spec.budget.n_trials == 30
    assert "5 of 30 trials done" in shown(app)


@pytest.mark.parametrize(("total", "said"), [(2, "ask for at least 6, received 2"), (10**6, "100000")])
def test_a_total_beyond_its_limits_changes_nothing_and_says_why(open_page, running, shown, total, said):
    app = open_page(PAGE, study=running.id)
    app.number_input[0].set_value(total).run()
    app.button(key="extend-now").click().run()
    assert launch.read_run(running).spec.budget.n_trials == 12
    assert said in shown(app).replace("\\", "")


def test_a_total_edited_with_the_press_is_the_one_used(open_page, running):
    app = open_page(PAGE, study=running.id)
    app.number_input[0].set_value(30)
    app.button(key="extend-now").click().run()
    assert launch.read_run(running).spec.budget.n_trials == 30


def test_a_runner_that_has_just_started_shows_that_it_works(open_page, running, shown):
    os.kill(launch.read_run(running).status.pid, signal.SIGSTOP)  # holds its lock and writes no heartbeat
    for path in running.heartbeats.iterdir():
        path.unlink()
    app = open_page(PAGE, study=running.id)
    assert not app.exception
    assert app.status[0].label.startswith("Waiting for trials")


@pytest.mark.parametrize(
    ("state", "reason", "said"),
    [
        ("finished", "All 5 trials are done.", "Finished after 55 s: 5 of 5 trials done."),
        ("stopped", "Stopped on request.", "Stopped with 5 of 5 trials done."),
        ("failed", "Three in a row: *boom*", r"Three in a row\: \*boom\*"),
        ("interrupted", "", "Interrupted with 5 of 5 trials done"),
        (None, "", "It has not started yet."),
    ],
)
def test_every_state_has_its_sentence(open_page, make_study, shown, state, reason, said):
    folder = make_study(state=state, reason=reason)
    app = open_page(PAGE, study=folder.id)
    assert said in shown(app)
    links = [link.label for link in app.main.get("page_link")]
    assert "Read its history" in links


def test_resume_is_offered_while_trials_are_missing(open_page, make_study, monkeypatch):
    folder = make_study(state="stopped", n_trials=9)
    started = []
    monkeypatch.setattr(launch, "start", started.append)
    app = open_page(PAGE, study=folder.id)
    next(b for b in app.button if b.label == "Resume").click().run()
    assert started == [folder]
    assert not app.exception


def test_a_runner_that_cannot_start_is_explained(open_page, make_study, shown, monkeypatch):
    folder = make_study(state="stopped", n_trials=9)

    def fail(folder):
        raise launch.jobs.StartFailed("The runner ended at once. Its log ends: <b>ImportError</b>")

    monkeypatch.setattr(launch, "start", fail)
    app = open_page(PAGE, study=folder.id)
    next(b for b in app.button if b.label == "Resume").click().run()
    assert "The runner ended at once" in shown(app)


def test_opening_the_page_recovers_what_a_dead_runner_left(open_page, make_study, shown):
    folder = make_study(state="interrupted", n_trials=9)
    storage = launch.open_journal(folder.journal)
    storage.create_new_trial(storage.get_study_id_from_name(launch.STUDY_NAME))
    assert "Interrupted" in shown(open_page(PAGE, study=folder.id))
    assert failure_kind(launch.read_run(folder).study.trials[-1]) == "interrupted"


@pytest.mark.parametrize("damage", ["gone", "damaged", "unknown operation", "spec"])
def test_a_broken_study_is_explained(open_page, make_study, shown, damage):
    folder = make_study()
    if damage == "gone":
        folder.journal.unlink()
    elif damage == "spec":
        folder.spec.write_text("{}")
    else:
        line = "{not json}" if damage == "damaged" else '{"op_code": 99, "worker_id": "x"}'
        folder.journal.write_text(folder.journal.read_text() + line + "\n" + line + "\n")
    text = shown(open_page(PAGE, study=folder.id))
    assert "cannot be read" in text


def test_a_journal_that_breaks_while_it_is_watched_is_explained(open_page, make_study, shown):
    folder = make_study()
    app = open_page(PAGE, study=folder.id)
    with folder.journal.open("a") as journal:
        journal.write('{"op_code": 99, "worker_id": "x"}\n')
    app.run()
    assert "cannot be read" in shown(app)
    folder.journal.write_text("")
    app.run()
    assert "cannot be read" in shown(app)


def test_a_foreign_process_is_not_taken_for_a_worker():
    me = psutil.Process()
    assert worker_memory_mb(os.getpid(), me.create_time()) > 1
    assert worker_memory_mb(os.getpid(), me.create_time() - 1000) is None
    assert worker_memory_mb(2**30, 0.0) is None


def test_a_silent_worker_is_called_so():
    me, now = psutil.Process(), time.time()
    beat = Heartbeat(3, me.pid, me.create_time(), "update", 10, 100, 5.0, 0, None, None, now - 60, now - 30)
    assert worker_frame([beat], now=now)["health"].tolist() == ["silent"]
    assert trial_title(beat, now=now) == "**Trial 3** · no sign of life for 30 s"
    assert trial_progress(beat) == "10 of 100 steps · 0 steps/s"
    assert worker_frame([], now=now).empty


def test_why_a_configuration_was_not_queued_stands_beside_the_button(open_page, make_study):
    folder = make_study("tried", state="stopped")
    app = open_page("pages/live.py", study=folder.id)
    next(field for field in app.text_input if str(field.key).startswith("try-")).set_value("-7").run()
    next(button for button in app.button if button.label == "Queue it").click().run()
    inside = app.get_by_key(f"try-{folder.id}-{app.session_state[f'try-best-{folder.id}']}-popover")
    assert "Nothing was queued." in inside.error[0].value.replace("\\", "")
