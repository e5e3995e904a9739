"""The probe command on files made by hand; test_probe_jobs.py runs a real one."""

import json
import shutil

import pytest
from optuna.trial import create_trial
from typer.testing import CliRunner

from storage import locks
from storage.journal import append_trials
from storage.records import write_record
from tuning import launch
from tuning.__main__ import app
from tuning.probe_jobs import find_probes
from tuning.retraining_plan import RunResult, append_result
from tuning.spec import build_spec
from tuning.trainers import TrainerUsed


@pytest.fixture
def study(runs_dir, fault_spec, monkeypatch):
    """A study whose best trials crowd the upper end of learning_rate; no runner is ever started."""
    monkeypatch.setattr(launch, "start", lambda folder: None)
    spec = fault_spec(defaults_first=False)
    folder = launch.create_study(spec, runs_dir)
    declared = {p.name: p.distribution() for p in spec.search_space}
    rates = [10 ** (-4 + 2 * n / 39) for n in range(40)]
    trials = [
        create_trial(
            value=-50.0 + n,
            params={"learning_rate": rates[n], "gamma": 0.9 + (n * 7 % 40) / 410},
            distributions=declared,
        )
        for n in range(40)
    ]
    append_trials(folder.journal, trials)
    return folder


def here(*arguments):
    result = CliRunner().invoke(app, ["probe", *map(str, arguments)], prog_name="python -m tuning")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def finish(job, *, state="finished", gain=20.0):
    for n, run in enumerate(job.plan.runs):
        mean = -50.0 + (0 if "own" in run.key else gain) + n * 7 % 5
        result = RunResult(key=run.key, state="ok", mean=mean, std=1.0, trainer=TrainerUsed("fast"))
        append_result(job.folder, result)
    write_record(job.folder.exit, {"state": state, "reason": "Because.", "ended_at": 1.0})


def test_a_probe_is_planned_as_asked_and_said_in_words(study):
    options = ("--side", "high", "--value", 0.02, "--value", 0.03, "--configurations", 2, "--seeds", 3)
    result = here(study.id, "learning_rate", *options, "--timesteps", 256)
    assert result.exit_code == 0
    assert "at 0.02 and 0.03, each with the same 3 new seeds: 18 runs of 256 steps" in result.output
    (job,) = find_probes(study)
    assert job.question.values == (0.02, 0.03)
    assert job.plan.n_timesteps == 256
    assert f"{job.folder.id}: created, 0 of 18 runs." in result.output


def test_without_a_side_the_verdict_says_which(study):
    assert here(study.id, "learning_rate").exit_code == 0
    assert find_probes(study)[0].question.side == "high"


def test_where_no_verdict_says_which_side_it_is_asked_for(runs_dir, fault_spec):
    result = here(launch.create_study(fault_spec(), runs_dir).id, "gamma")
    assert result.exit_code == 2
    assert "Give --side low or --side high." in result.output


def test_the_answer_as_json_and_as_a_sentence(study):
    here(study.id, "learning_rate", "--side", "high")
    finish(find_probes(study)[0])
    answer = json.loads(here(study.id, "learning_rate", "--status", "--json").stdout)
    assert (answer["state"], answer["verdict"], answer["side"]) == ("finished", "better beyond", "high")
    assert [value["past"] for value in answer["values"]] == [True, True]
    assert answer["values"][0]["low"] < answer["values"][0]["mean"] < answer["values"][0]["high"]
    text = here(study.id, "learning_rate", "--status", "--wait")
    assert text.exit_code == 0
    assert answer["sentence"] in text.output
    assert answer["trained_by"] == "fast kernels"
    assert "Trained by fast kernels." in text.output


def test_waiting_for_a_probe_that_failed_fails(study):
    here(study.id, "learning_rate", "--side", "high")
    finish(find_probes(study)[0], state="failed")
    result = here(study.id, "learning_rate", "--status", "--wait")
    assert result.exit_code == 1
    assert "failed, 27 of 27 runs. Because." in result.output


def test_resume_goes_on_with_the_newest(study, monkeypatch):
    here(study.id, "learning_rate", "--side", "high")
    started = []
    monkeypatch.setattr(launch, "start", started.append)
    assert here(study.id, "learning_rate", "--resume").exit_code == 0
    assert started == [find_probes(study)[0].folder]


def test_a_finished_probe_is_not_resumed(study, monkeypatch):
    here(study.id, "learning_rate", "--side", "high")
    finish(find_probes(study)[0])
    started = []
    monkeypatch.setattr(launch, "start", started.append)
    result = here(study.id, "learning_rate", "--resume")
    assert (result.exit_code, started) == (0, [])
    assert "There is nothing left to do" in result.stderr


def test_a_parameter_without_an_order_is_named_before_a_side_is_asked_for(runs_dir, fault_spec):
    choices = {"name": "activation_fn", "kind": "categorical", "choices": ["tanh", "relu"]}
    data = fault_spec().model_dump()
    data["search_space"] = [*data["search_space"], {**choices, "transform": "activation_fn"}]
    result = here(launch.create_study(build_spec(data), runs_dir).id, "activation_fn")
    assert result.exit_code == 2
    assert "activation_fn has no order, so it has no bound to look beyond." in result.stderr
    assert "--side" not in result.stderr


def test_a_study_that_is_only_read_is_not_called_missing(study, tmp_path):
    file = tmp_path / "theirs.log"
    shutil.copy(study.journal, file)
    result = here(file, "learning_rate", "--side", "high")
    assert result.exit_code == 2
    assert f"{file} is a study that Edgewise only reads" in result.stderr
    assert f"belongs to the study {study.id}: give that id." in here(study.journal, "gamma").stderr
    secret = here("postgresql://me:hidden@host/db", "gamma")
    assert secret.exit_code == 2
    assert "hidden" not in secret.stderr


def test_stop_asks_the_runner(study):
    here(study.id, "learning_rate", "--side", "high")
    assert "The probe is not running." in here(study.id, "learning_rate", "--stop").output


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("learning_rate", "--side", "up"), 2, "--side must be low or high: received 'up'"),
        (("learning_rate", "--side", "high", "--value", "-1"), 2, "learning_rate cannot be -1"),
        (
            ("learning_rate", "--side", "high", "--value", "0.001"),
            2,
            "at least one value above 0.01, such as",
        ),
        (("rate", "--side", "high"), 2, "There is no parameter 'rate'"),
        (("learning_rat",), 2, "There is no parameter 'learning_rat' in tiny. Did you mean learning_rate?"),
        (("nope", "--status"), 2, "There is no parameter 'nope'"),
        (("learning_rate", "--stop", "--status"), 2, "exclude each other"),
        (("learning_rate", "--status"), 5, "There is no probe of learning_rate"),
    ],
)
def test_what_cannot_be_done_has_its_exit_code(study, arguments, code, said):
    result = here(study.id, *arguments)
    assert result.exit_code == code
    assert said in result.output


def test_a_study_without_results_has_nothing_to_probe(runs_dir, fault_spec):
    folder = launch.create_study(fault_spec(), runs_dir)
    result = here(folder.id, "learning_rate", "--side", "high")
    assert result.exit_code == 5
    assert "no trial is complete yet" in result.output


def test_a_second_probe_is_a_conflict(study):
    here(study.id, "learning_rate", "--side", "high")
    with locks.FileLock(find_probes(study)[0].folder.lock):
        assert here(study.id, "gamma", "--side", "low").exit_code == 3


def test_an_unknown_study(runs_dir):
    assert here("nowhere-0000", "gamma").exit_code == 4
