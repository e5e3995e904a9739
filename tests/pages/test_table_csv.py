"""Every table can be taken home with what the page rounds for people."""

import io

import pandas as pd
import pytest

from pages.components import table_csv
from pages.components.rollout_stage import episodes_frame
from pages.components.verdict_evidence import ends_frame
from tests.shipped import BEST
from tuning import examples, launch
from tuning.analysis.saturation import saturation_info
from tuning.analysis.table import trials_csv
from tuning.rollout import KeptTrial
from tuning.rollout_jobs import find_rollouts


def test_a_trials_parameters_are_in_full_precision(open_page, make_study, monkeypatch):
    files = {}
    monkeypatch.setattr(table_csv, "draw", lambda table, name, **_: files.update({name: table}))
    folder = make_study()
    trial = launch.read_run(folder).study.trials[2]
    app = open_page("pages/history.py", study=folder.id, trial="2")
    shown = next(t.value for t in app.dataframe if "Parameter" in t.value)
    assert float(shown["Stored"].iloc[0]) != trial.params["learning_rate"]  # rounded for people
    assert files["trial-2.csv"]["stored"].tolist() == [trial.params["learning_rate"]]


def test_the_evidence_of_a_verdict_has_a_row_for_each_end(make_study):
    run = launch.read_run(make_study(n_complete=40, n_pruned=0, n_failed=0))
    info = saturation_info(run.study.trials, maximize=True)
    frame = pd.read_csv(io.StringIO(trials_csv(ends_frame(info.parameters[0]))))
    assert frame["end"].tolist() == ["low", "high"]
    assert frame["bound"].tolist() == pytest.approx([3e-5, 3e-3])
    assert (frame["all"] == 40).all()


def test_each_episode_of_each_actor_is_a_row(runs, add_rollout):
    runs.mkdir()
    study = examples.copy_recorded(examples.recorded()[0], runs)
    add_rollout(study, KeptTrial(study=study.id, number=BEST))
    job = next(j for j in find_rollouts(study) if getattr(j, "result", None))
    frame = episodes_frame(job, job.result)
    assert list(frame.columns) == ["start", "actor", "return", "steps"]
    assert len(frame) == job.request.n_episodes * len(job.result.actors)
