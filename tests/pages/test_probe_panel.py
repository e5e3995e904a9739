"""The panel of probes in its states, on files made by hand."""

import json
import os
import re
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.components import deletion
from storage.locks import FileLock
from storage.records import write_record
from tuning import launch
from tuning.analysis.verdicts import Verdict
from tuning.probe import plan_probe
from tuning.probe_jobs import find_probes, start_probe
from tuning.retraining_plan import RunResult, append_result
from tuning.trainers import TrainerUsed

ROOT = Path(__file__).resolve().parents[2]


def panel(root, study_id, verdict, side, name, beliefs=(None, None)):
    from types import SimpleNamespace

    from pages.components.probe_panel import draw_probe
    from storage.paths import find_run
    from tuning import launch
    from tuning.analysis.verdicts import Verdict

    run = launch.read_run(find_run(root, study_id))
    low, high = (SimpleNamespace(belief=belief) for belief in beliefs)
    evidence = SimpleNamespace(low=low, high=high)
    draw_probe(run, SimpleNamespace(name=name, verdict=Verdict(verdict), side=side, evidence=evidence))


@pytest.fixture
def study(make_study):
    return make_study("probed", n_complete=4)


@pytest.fixture
def draw(study):
    def draw(verdict=Verdict.EDGE, side="high", name="learning_rate", beliefs=(None, None)):
        arguments = (study.path.parent, study.id, verdict.value, side, name, beliefs)
        return AppTest.from_function(panel, default_timeout=30, args=arguments).run()

    return draw


@pytest.fixture
def probe(study, monkeypatch):
    """Write a probe of the study with results in which each run past the bound is better."""

    def make(*, n_results=None, state="finished", gain=100.0):
        monkeypatch.setattr(launch, "start", lambda folder: None)
        planned = plan_probe(launch.read_run(study), "learning_rate", "high")
        folder = start_probe(study, planned)
        for n, run in enumerate(planned.plan.runs[:n_results]):
            mean = -300.0 + (0 if "own" in run.key else gain) + n % 3
            done = RunResult(key=run.key, state="ok", mean=mean, std=1.0, duration_s=2.0)
            append_result(folder, done.model_copy(update={"trainer": TrainerUsed("sb3", "gSDE <b>")}))
        if state is not None:
            write_record(folder.runner, {"pid": 1, "pid_created": 1.0, "started_at": time.time() - 60})
        if state not in (None, "interrupted"):
            write_record(folder.exit, {"state": state, "reason": "Because.", "ended_at": time.time() - 5})
        return folder

    return make


def labels(app):
    return [button.label for button in app.button]


def test_without_a_probe_the_panel_says_what_one_would_train(words, draw):
    app = draw()
    text = words(app)
    assert "in pairs that share their seeds" in text
    assert "Start the probe" in labels(app)
    assert app.text_input[0].value == "0.009, 0.03"
    assert "again with learning_rate as it was" in text
    assert "27 runs. About" in text


@pytest.mark.parametrize("verdict", [Verdict.FINE, Verdict.NO_EFFECT, Verdict.NOT_ENOUGH])
@pytest.mark.parametrize(("beliefs", "values"), [((0.1, 0.3), "0.009, 0.03"), ((0.3, 0.1), "9e-06, 3e-06")])
def test_a_verdict_about_no_bound_asks_which_one_is_meant(words, draw, study, verdict, beliefs, values):
    app = draw(verdict, side=None, beliefs=beliefs)
    assert app.text_input[0].value == values, "the end that is likelier to be too near comes first"
    assert [box.label for box in app.button_group] == ["Which bound?", "Share of the study's steps"]


def test_the_other_bound_can_be_chosen_and_has_values_of_its_own(draw, study, monkeypatch):
    monkeypatch.setattr(launch, "start", lambda folder: None)
    app = draw(Verdict.FINE, side=None)
    app.button_group[0].set_value("Lower").run()
    low = app.text_input[0].value
    assert all(float(value) < 3e-5 for value in low.split(","))
    app.button(key="probe-start-learning_rate").click().run()
    (job,) = find_probes(study)
    assert (job.question.side, len(job.question.values)) == ("low", 2)


def test_where_training_breaks_at_one_bound_the_other_comes_first(draw):
    app = draw(Verdict.STABILITY, side="high")
    assert all(float(value) < 3e-5 for value in app.text_input[0].value.split(","))


def test_a_parameter_without_ends_has_no_probe(words, make_study, draw):
    study = make_study("choices", n_complete=4, search_space="starter")
    arguments = (study.path.parent, study.id, "fine", None, "activation_fn")
    app = AppTest.from_function(panel, default_timeout=30, args=arguments).run()
    assert words(app).strip() == ""


def test_a_probe_shows_whatever_the_verdict(words, draw, probe):
    probe()
    assert "Past the bound it gets better" in words(draw(Verdict.FINE, side=None))
    assert "Resume the probe" not in labels(draw(Verdict.NOT_ENOUGH, side=None))


def test_values_inside_the_range_are_refused(words, draw):
    app = draw()
    app.text_input[0].set_value("0.001").run()
    assert "0.001 lies inside the declared range of learning_rate" in words(app)
    assert app.button(key="probe-start-learning_rate").disabled


def test_starting_takes_what_the_form_holds_and_a_second_press_starts_no_second(
    words, draw, study, monkeypatch
):
    started = []
    monkeypatch.setattr(launch, "start", started.append)
    app = draw()
    app.text_input[0].set_value("0.02").run()
    app.number_input[1].set_value(2).run()
    assert "at 0.02, each with the same 2 new seeds" in words(app)
    app.button(key="probe-start-learning_rate").click().run()
    assert not app.exception
    (job,) = find_probes(study)
    assert job.question.values == (0.02,)
    assert (job.question.n_seeds, [f.id for f in started]) == (2, [job.folder.id])
    with FileLock(job.folder.lock):
        app.button(key="probe-start-learning_rate").click().run()
    assert len(find_probes(study)) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "Give 1 to 5 values"), ("much", "received 'much'"), ("-1", "cannot be -1")],
)
def test_values_that_make_no_sense_are_said_and_cannot_be_started(words, draw, text, said):
    app = draw()
    app.text_input[0].set_value(text).run()
    assert said in words(app)
    assert app.button(key="probe-start-learning_rate").disabled


def test_a_finished_probe_shows_its_sentence_figure_and_date(words, draw, probe):
    probe()
    app = draw()
    text = words(app)
    assert "Past the bound it gets better" in text
    assert "with the configurations of trials" in text
    (by,) = [c.value for c in app.caption if "Trained by" in c.value]
    assert by.endswith(r"Trained by Stable\-Baselines3 \(gSDE \<b\>\).")
    assert len(app.get("plotly_chart")) == 1
    assert "Start the probe" in labels(app), "another one can be asked for"
    assert "Resume the probe" not in labels(app)


def test_a_running_probe_shows_progress_and_can_only_be_stopped(words, draw, probe, holding):
    folder = probe(n_results=9, state=None)
    holding(folder)
    app = draw()
    text = words(app)
    assert "9 of 27 runs done" in text
    assert "After 9 of 27 runs" in text
    assert labels(app) == ["Stop the probe"]
    app.button(key=f"probe-stop-{folder.id}").click().run()
    assert folder.stop.read_text() == "now"
    assert "Stopping the probe" in words(app)


def test_the_panel_of_another_parameter_waits_for_its_turn(words, make_study, probe, holding, monkeypatch):
    study = make_study("two", search_space="starter")
    monkeypatch.setattr(launch, "start", lambda folder: None)
    folder = start_probe(study, plan_probe(launch.read_run(study), "learning_rate", "high"))
    holding(folder)
    arguments = (study.path.parent, study.id, "edge", "low", "gamma")
    app = AppTest.from_function(panel, default_timeout=30, args=arguments).run()
    assert "A probe of learning_rate is running. One at a time." in words(app)


@pytest.mark.parametrize(
    ("state", "said"),
    [("stopped", "Probe stopped"), ("failed", "Because"), ("interrupted", "ended without a word")],
)
def test_a_probe_that_ended_early_shows_what_it_has_and_goes_on(
    words, draw, probe, study, monkeypatch, state, said
):
    folder = probe(n_results=12, state=state)
    app = draw()
    assert said in words(app)
    assert "After 12 of 27 runs: past the bound it gets better" in words(app)
    started = []
    monkeypatch.setattr(launch, "start", started.append)
    app.button(key=f"probe-resume-{folder.id}").click().run()
    assert [f.id for f in started] == [folder.id]
    assert len(find_probes(study)) == 1


def test_the_newest_probe_comes_first_and_earlier_ones_stay(words, draw, probe):
    probe(gain=100.0)
    probe(gain=-100.0)
    app = draw()
    text = words(app)
    assert "gets worse" in text
    assert "gets better" in text
    assert text.index("gets worse") < text.index("gets better")
    assert [e.label for e in app.expander] == ["Earlier probes of learning\\_rate (1)"]


def test_files_that_were_changed_break_nothing(words, draw, probe):
    probe()
    broken = probe()
    broken.plan.write_text(json.dumps({"runs": "<b>"}))
    app = draw()
    text = words(app)
    assert "1 probe of this study cannot be read" in text
    assert "Past the bound it gets better" in text


def test_a_study_that_is_not_ours_says_why_it_cannot_be_probed(words, monkeypatch, study, draw):
    from dataclasses import replace

    real = launch.read_run
    monkeypatch.setattr(launch, "read_run", lambda folder: replace(real(folder), spec=None))
    text = words(draw())
    assert "This study was not launched here" in text
    assert "Start the probe" not in text


def test_deleting_a_study_names_its_probes(study, probe):
    assert "probe" not in deletion.losses(study).replace(study.id, "")
    probe()
    assert ", 1 probe, learning curves" in deletion.losses(study)


def test_a_file_that_vanishes_while_it_is_weighed_does_not_matter(study, monkeypatch):
    (study.path / "weights").mkdir(exist_ok=True)
    (study.path / "weights" / "big").write_bytes(b"x" * 3_000_000)
    walk = os.walk

    def vanishing(folder):
        for place, folders, names in walk(folder):
            yield place, folders, [*names, "replaced-just-now"]

    monkeypatch.setattr(deletion.os, "walk", vanishing)
    assert re.search(r"\(3\.\d MB\)", deletion.losses(study))
