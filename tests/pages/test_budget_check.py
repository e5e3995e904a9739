"""The check of the defaults in its states, on files made by hand."""

import json
import time

import pytest
from streamlit.testing.v1 import AppTest

from pages.components import budget_check_line
from pages.components.launch_fields import PREFIX
from storage.live import Heartbeat, write_heartbeat
from storage.paths import budget_checks, list_runs
from storage.records import write_record
from tests.pages.conftest import tiny_spec
from tuning import budget_check_jobs, env_child, launch
from tuning.environments import EnvInfo
from tuning.retraining_plan import RunResult, append_result
from tuning.spec import build_spec

HOSTILE = "<script>alert(1)</script> **bold** [x](http://evil.example)"


def panel(text):
    from pages.components import budget_check
    from tuning.spec import parse_spec

    budget_check.draw(parse_spec(text) if text else None)


@pytest.fixture(autouse=True)
def started(monkeypatch):
    found = []
    monkeypatch.setattr(launch, "start", found.append)
    return found


@pytest.fixture
def spec():
    return tiny_spec()


@pytest.fixture
def draw(runs, spec):
    """Draw the section for a request; None for one that cannot be launched."""

    def one(asked=spec):
        text = asked.to_yaml() if asked else ""
        return AppTest.from_function(panel, default_timeout=30, args=(text,)).run()

    return one


@pytest.fixture
def check(runs, spec):
    """Write a check of the request with the returns of each budget, ended as `state` says."""

    def make(*budgets, state="finished", asked=spec, after=None):
        folder = budget_check_jobs.start_check(asked, runs, after=after)
        job = budget_check_jobs.read_check(folder)
        for factor, values in zip((1, 2, 4), budgets, strict=False):
            for seed, value in enumerate(values):
                known = {"key": job.question.key(factor, seed), "duration_s": 10.0}
                if isinstance(value, float):
                    known |= {"state": "ok", "mean": value, "timesteps": factor * 2048}
                else:
                    known |= {"state": "failed", "message": value}
                append_result(folder, RunResult(**known))
        if state is not None:
            write_record(folder.runner, {"pid": 1, "pid_created": 1.0, "started_at": time.time() - 60})
        if state not in (None, "interrupted"):
            write_record(folder.exit, {"state": state, "reason": "Because.", "ended_at": time.time() - 5})
        return folder

    return make


RISING = ([-1120.0] * 3, [-700.0] * 3, [-180.0, -190.0, -170.0])


def label(app):
    return app.expander[0].label.replace("\\", "").replace("\u202f", " ")


def labels(app):
    return [button.label for button in app.button]


def test_without_a_check_it_says_what_one_would_train_and_starts_it_once(words, draw, runs, started):
    app = draw()
    assert "for 1, 2 and 4 times the 2 048 steps of a trial (1 000 rounded up" in words(app).replace(
        "\u202f", " "
    )
    assert "Roughly" in words(app)
    assert app.expander[0].label == "Do I need tuning at all?"
    app.button(key="budget-check-start").click().run()
    assert "The check has not started." in words(app)
    assert draw().button(key="budget-check-resume").label == "Start the check"
    assert started == list_runs(budget_checks(runs).jobs)
    assert len(started) == 1


def test_a_request_with_faults_is_to_be_corrected_first(words, draw):
    app = draw(None)
    assert "Correct the request above" in words(app)
    assert labels(app) == []


def test_trials_that_end_by_the_clock_cannot_be_checked(words, draw, spec):
    data = spec.model_dump()
    data["budget"]["trial_seconds"] = 30
    app = draw(build_spec(data))
    assert "ends by the clock" in words(app)
    assert labels(app) == []


def test_a_running_check_shows_progress_and_stops(words, draw, check, holding):
    folder = check(*RISING[:2], state=None)
    write_heartbeat(folder, Heartbeat(0, 1, 1.0, "collect", 2000, 4000, 100.0, 3, None, None, 0.0, 20.0))
    holding(folder)
    app = draw()
    assert "6 of 9 runs done, about" in words(app)
    assert app.get("plotly_chart")
    assert labels(app) == ["Stop the check"]
    app.button[0].click().run()
    assert folder.stop.read_text() == "now"
    assert "Stopping the check" in words(app)


def test_a_check_of_something_else_that_runs_keeps_this_one_waiting(words, draw, check, holding):
    holding(check(asked=tiny_spec(env_id="CartPole-v1"), state=None))
    app = draw()
    assert "Another check is running: CartPole-v1 with PPO, 1 000 steps" in words(app).replace("\u202f", " ")
    assert app.button(key="budget-check-start").disabled
    assert "Stop the check" in labels(app)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("stopped", "The check was stopped with 6 of 9 runs done."),
        ("failed", "The check failed with 6 of 9 runs done. Because."),
        ("interrupted", "ended without a word"),
    ],
)
def test_one_that_ended_early_goes_on(words, draw, check, started, state, said):
    folder = check(*RISING[:2], state=state)
    app = draw()
    assert said in words(app).replace("**", "")
    assert app.get("plotly_chart")
    app.button(key="budget-check-resume").click().run()
    assert started == [folder, folder]


def test_a_finished_check_answers_and_sets_the_steps(words, draw, check, runs):
    folder = check(*RISING)
    app = draw()
    assert "Train longer: with 4 times the steps the defaults reach -180" in label(app)
    assert "Set the steps of a trial to" in labels(app)[0]
    app.button(key="budget-check-longer").click().run()
    assert app.session_state[PREFIX + "timesteps"] == 8192
    app.button(key="budget-check-again").click().run()
    assert len(list_runs(budget_checks(runs).jobs)) == 2
    assert "has not started" in words(app)
    assert "With 1 000 steps a trial: Train longer" in words(app).replace("\u202f", " "), "the one before"
    newest = budget_check_jobs.find_checks(runs)[0].folder
    assert newest != folder


def test_the_answer_of_a_check_that_was_watched_leaves_the_section_open(words, draw, check):
    folder = check(*RISING, state=None)
    app = draw()
    before = app.expander[0].proto
    assert before.expanded
    write_record(folder.exit, {"state": "finished", "reason": "", "ended_at": time.time()})
    app.run()
    assert (app.expander[0].label, app.expander[0].proto.expanded) == (before.label, True)
    assert "**Train longer: with 4 times" in words(app)


def test_one_is_forgotten_once_that_is_confirmed(words, draw, check, runs):
    check(*RISING)
    app = draw()
    assert "go for good" in words(app)
    app.button(key="budget-check-forget").click().run()
    assert budget_check_jobs.find_checks(runs) == []
    assert "Check the defaults" in labels(app)


def test_what_is_known_with_other_steps_is_named(words, draw, check, spec):
    check(*RISING)
    budget = spec.budget.model_copy(update={"n_timesteps": 4000})
    text = words(draw(spec.model_copy(update={"budget": budget}))).replace("\u202f", " ")
    assert "With 1 000 steps a trial: Train longer" in text
    assert "Check the defaults" in text


def test_errors_of_runs_are_quoted_as_they_are(draw, check):
    check([HOSTILE] * 3, [HOSTILE] * 3, [HOSTILE] * 3)
    app = draw()
    assert "3 of the 3 runs with once the steps failed" in label(app)
    assert [code.value for code in app.code] == [HOSTILE]
    assert "<script>" not in "".join(str(element.value) for element in app.markdown)


def test_launch_has_the_section(open_page, monkeypatch, words):
    infos = [EnvInfo("Pendulum-v1", 200, None, "gymnasium")]
    monkeypatch.setattr(env_child, "catalogue_from_child", lambda: infos)
    app = open_page("pages/launch.py")
    assert "for 1, 2 and 4 times the" in words(app)
    assert not app.button(key="budget-check-start").disabled


@pytest.mark.parametrize("read_only", [False, True])
def test_history_has_the_line_and_the_sentence(open_page, make_study, check, monkeypatch, read_only):
    make_study(n_complete=4)
    check(*RISING)
    if read_only:
        monkeypatch.setenv("EDGEWISE_READ_ONLY", "1")
    app = open_page("pages/history.py")
    assert not app.exception
    (expander,) = [e for e in app.expander if "Do I need tuning" in e.label]
    assert "Train longer" in expander.label
    figures = [json.loads(plot.proto.spec) for plot in app.get("plotly_chart")]
    names = [trace.get("name") for figure in figures for trace in figure["data"]]
    assert "SB3 defaults, 4x the steps: -180" in names
    links = [link.proto.label for link in app.get("page_link")]
    assert ("Check again on Launch" in links) == (not read_only)


def test_a_study_that_asks_something_else_has_no_line(make_study, check, runs):
    check(*RISING, asked=tiny_spec(env_id="CartPole-v1"))
    folder = make_study(n_complete=1)
    assert budget_check_line.levels(launch.read_run(folder)) == ()
