"""The rollout command: one real video, and every way to be refused."""

import json
import shutil

import imageio_ffmpeg
import optuna
import pytest
from typer.testing import CliRunner

from storage.journal import STUDY_NAME, open_journal
from storage.trials import BASELINE
from tuning import launch
from tuning.__main__ import app
from tuning.rollout_jobs import find_rollouts
from tuning.spec import build_spec


@pytest.fixture
def study(runs_dir, end_processes_under):
    """A study of episodes of 10 steps with three trials, the first of them the defaults."""
    spec = build_spec(
        {
            "name": "filmed",
            "env": {"id": "Pendulum-v1", "kwargs": {"max_episode_steps": 10}},
            "search_space": "learning-rate-only",
            "budget": {"n_trials": 3, "n_timesteps": 1000},
            "defaults_first": False,
            "tuned_first": False,
        }
    )
    folder = launch.create_study(spec, runs_dir)
    added = optuna.load_study(study_name=STUDY_NAME, storage=open_journal(folder.journal))
    rate = optuna.distributions.FloatDistribution(3e-5, 3e-3, log=True)
    for number in range(3):
        added.add_trial(
            optuna.trial.create_trial(
                params={"learning_rate": 1e-3},
                distributions={"learning_rate": rate},
                value=-100.0 + number,
                user_attrs={BASELINE: "SB3 defaults"} if number == 0 else {},
            )
        )
    yield folder
    end_processes_under(runs_dir)


def here(*arguments):
    result = CliRunner().invoke(app, ["rollout", *map(str, arguments)], prog_name="python -m tuning")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_a_video_is_rendered_copied_and_not_rendered_twice(study, keep_untrained, tmp_path):
    for number, push in ((0, -1.0), (2, 1.0)):
        keep_untrained(
            study,
            number,
            "Pendulum-v1",
            push=push,
            resolved={"gamma": 0.9 + number / 100},
            max_episode_steps=10,
        )
    out = tmp_path / "demo.mp4"
    options = ("--trial", 2, "--against", "defaults", "--seed", 3, "--out", out)
    result = here(study.id, *options)
    assert result.exit_code == 0, result.output
    assert (
        "PPO on Pendulum-v1: same algorithm, same training steps; only 1 hyperparameter differs."
        in result.output
    )
    assert "SB3 defaults: return" in result.output
    assert "Tuned (trial 2): return" in result.output
    assert imageio_ffmpeg.count_frames_and_secs(str(out))[0] == 11
    assert oct(out.stat().st_mode & 0o777) != "0o600", "as any file that a person makes"

    refused = here(study.id, *options)
    assert refused.exit_code == 2
    assert "--force" in refused.output
    again = here(study.id, *options, "--force", "--json")
    assert again.exit_code == 0
    record = json.loads(again.stdout)
    assert (record["video"], record["frames"], record["seed"]) == (str(out), 11, 3)
    assert [a["label"] for a in record["actors"]] == ["SB3 defaults", "Tuned (trial 2)"]
    assert record["actors"][0]["episodes"][0]["steps"] == 10
    assert len(find_rollouts(study)) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["demo.mp4", "runs"]


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--out", "film.avi"), 2, "Let it end in .mp4"),
        (("--out", "nowhere/film.mp4"), 2, "There is no folder"),
        (("--trial", "7"), 2, "Trial 7 of {id} kept no weights. Trial 2 did."),
        (("--against", "someone"), 2, "--against is `defaults` or the number of a trial"),
        (("--against", "2"), 2, "cannot play against itself"),
        (("--against", "defaults"), 5, "`python -m tuning reevaluate {id}`"),
        (("--episodes", "0"), 2, "greater than or equal to 1"),
        (("--seed", "-1"), 2, "greater than or equal to 0"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_rendered(
    study, keep_untrained, tmp_path, monkeypatch, options, code, said
):
    monkeypatch.chdir(tmp_path)
    keep_untrained(study, 2, "Pendulum-v1")
    result = here(study.id, *options)
    assert result.exit_code == code, result.output
    assert said.format(id=study.id) in " ".join(result.output.split())
    assert find_rollouts(study) == []


@pytest.mark.parametrize(
    ("options", "who"),
    [
        ((), "Tuned (trial 2, median of 3 runs)"),
        (("--policy", "typical"), "Tuned (trial 2, median of 3 runs)"),
        (("--policy", "search"), "Tuned (trial 2)"),
    ],
)
def test_a_trial_that_was_measured_again_is_shown_by_its_median_run(
    study, keep_untrained, add_reevaluation, options, who
):
    keep_untrained(study, 2, "Pendulum-v1")
    add_reevaluation(study, {"trial 2": [-300.0, -100.0, -200.0]})
    result = here(study.id, "--trial", 2, "--against", 2, *options)
    assert f"{who} cannot play against itself" in " ".join(result.output.split())
    shutil.rmtree(study.weights)
    refused = here(study.id, "--trial", 2, "--policy", "search")
    assert refused.exit_code == 2
    assert "The search kept no policy of trial 2" in " ".join(refused.output.split())


def test_a_study_without_policies_says_what_to_do(study):
    result = here(study.id)
    assert result.exit_code == 5
    assert "No trial of this study kept its weights" in result.output


def test_a_study_that_is_not_there(runs_dir):
    assert here("absent-0000").exit_code == 4
