"""What `best` says beside the configuration that it prints, and what `trials` lists."""

import time

import optuna
import pytest
import yaml
from typer.testing import CliRunner

from storage.trials import SECOND as SECOND_OBJECTIVE
from storage.trials import TRAINER
from storage.winner import Winner, write_winner
from tests.shipped import BEST, SECOND
from tuning.__main__ import app
from tuning.analysis.table import trials_frame
from tuning.cli import results
from tuning.trainers import TrainerUsed

THIS = f"note: this is trial {BEST}, the best of the search. "


@pytest.fixture
def best(recorded):
    """Call the command; returns what it printed as the best trial's configuration, and what it noted."""

    def call(*arguments):
        result = CliRunner().invoke(app, ["best", recorded.id, *map(str, arguments)])
        assert result.exit_code == 0
        assert "Pendulum-v1" in yaml.safe_load(result.stdout)
        return result.stdout, result.stderr

    return call


def test_where_nothing_speaks_for_another_trial_nothing_is_noted(best):
    printed, noted = best()
    assert f": trial {BEST} of " in printed
    assert noted == ""


def test_the_recommended_and_the_chosen_trial_are_named(best, recorded, add_reevaluation):
    add_reevaluation(
        recorded, {f"trial {SECOND}": [-150.0, -152.0, -154.0], f"trial {BEST}": [-300.0, -310.0, -320.0]}
    )
    printed, noted = best()
    assert f": trial {BEST} of " in printed
    assert noted == (
        f"{THIS}Trial {SECOND} is recommended by its re-evaluation; "
        f"--trial {SECOND} prints its configuration.\n"
    )
    write_winner(recorded, Winner(3, -160.0, None, time.time()))
    assert best()[1] == (
        f"{THIS}Trial 3 is the winner that was chosen; --trial 3 prints its configuration.\n"
    )
    assert best("--trial", 3)[1] == ""


def test_a_baseline_that_is_recommended_is_named(best, recorded, add_reevaluation):
    add_reevaluation(
        recorded, {f"trial {SECOND}": [-300.0] * 3, f"trial {BEST}": [-150.0] * 3, "tuned": [-100.0] * 3}
    )
    assert best()[1] == (
        f"note: trial {BEST} is the best trial of its re-evaluation, which recommends RL Zoo's tuned values "
        "instead.\n"
    )


@pytest.mark.parametrize(("reason", "is_told"), [("gSDE", True), (None, False)])
def test_the_listing_tells_trainers_apart_where_trials_differ(capsys, reason, is_told):
    trials = []
    for number, used in enumerate([TrainerUsed("fast"), TrainerUsed("sb3", reason) if reason else None]):
        trial = optuna.trial.create_trial(value=1.0, user_attrs={TRAINER: used.record()} if used else {})
        trial.number = number
        trials.append(trial)
    results._show_table(trials_frame(trials, maximize=True))
    printed = capsys.readouterr().out
    assert ("TRAINED BY" in printed) == ("Stable-Baselines3 (gSDE)" in printed) == is_told


@pytest.mark.parametrize(
    ("second", "header"),
    [("training_time", "SECOND (s)"), ("steps_to_threshold", "SECOND (env steps)"), (None, "SECOND")],
)
def test_the_listing_has_the_second_objective_of_studies_with_one(capsys, second, header):
    trial = optuna.trial.create_trial(value=1.0, user_attrs={SECOND_OBJECTIVE: 2.5})
    trial.number = 0
    results._show_table(trials_frame([trial], maximize=True, second=second))
    head, row = capsys.readouterr().out.splitlines()[:2]
    assert header in head
    assert row.split() == ["0", "complete", "1", "2.5", *row.split()[4:]]
    trial.user_attrs = {}
    results._show_table(trials_frame([trial], maximize=True, second=second))
    assert "SECOND" not in capsys.readouterr().out
