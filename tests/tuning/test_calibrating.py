"""Measuring for real: processes of its own, real training, and nothing left behind."""

import json
import time

import psutil
import pytest
import yaml
from typer.testing import CliRunner

from tuning import calibrating, calibration_child
from tuning.__main__ import app
from tuning.calibration_child import CalibrationBusy, CalibrationChild
from tuning.spec import parse_spec

TINY = {
    "env": {"id": "CartPole-v1"},
    "hyperparameters": {"n_steps": 32, "n_epochs": 1, "policy_kwargs.net_arch": [8]},
    "search_space": "learning-rate-only",
    "budget": {"n_trials": 2, "n_timesteps": 256, "n_evaluations": 2, "n_eval_episodes": 2},
    "n_workers": 1,
}


def is_probe(process):
    try:
        return "tuning.calibration_probe" in process.cmdline()
    except psutil.Error:
        return False  # a runner of another test that has ended and nobody reaped yet


def test_estimate_measures_and_keeps_what_it_measured(tmp_path, runs_dir, monkeypatch):
    monkeypatch.setattr(calibrating, "N_CONFIGURATIONS", 2)
    monkeypatch.setattr(calibrating, "BUSY_S", 0.01)
    path = tmp_path / "spec.yaml"
    path.write_text(yaml.safe_dump(TINY))
    result = CliRunner().invoke(app, ["estimate", str(path), "--seconds", "0.05", "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    costs = told["measured"]["alone"]
    assert [cost["trainer"] for cost in costs] == ["fast", "fast"]
    assert all(0 < cost["collect_step_s"] < 0.1 and 0 < cost["update_step_s"] < 0.1 for cost in costs)
    assert 5 < costs[0]["episode_steps"] <= 500
    assert told["measured"]["time_limit"] == 500
    assert told["study"]["rows"][0]["n_workers"] == 1
    kept = calibrating.kept(runs_dir, parse_spec(path.read_text()))
    assert kept is not None
    assert kept.model_dump(mode="json") == told["measured"]
    assert not any(is_probe(process) for process in psutil.Process().children())


def test_an_environment_that_cannot_be_made_is_said(tmp_path, runs_dir):
    path = tmp_path / "spec.yaml"
    path.write_text(yaml.safe_dump({**TINY, "env": {"id": "CartPole-v1", "kwargs": {"nonsense": 1}}}))
    result = CliRunner().invoke(app, ["estimate", str(path)])
    assert result.exit_code == 1
    assert "Nothing could be measured. " in result.stderr
    assert "nonsense" in result.stderr
    assert not (runs_dir / calibrating.FOLDER).exists()


def test_a_page_s_measurement_is_alone_and_ends_with_all_its_processes(runs_dir):
    spec = parse_spec(yaml.safe_dump(TINY))
    child = CalibrationChild(spec, runs_dir)
    with pytest.raises(CalibrationBusy):
        CalibrationChild(spec, runs_dir)
    parent = psutil.Process(child._process.pid)
    deadline = time.monotonic() + 20
    while not (probes := parent.children()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert child.fault == ""
    child.end()
    assert not child.is_running
    _, alive = psutil.wait_procs(probes, timeout=5)
    assert not alive
    assert not [other for other in calibration_child._made if other.is_running]
