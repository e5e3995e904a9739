"""What `best` says beside the configuration that it prints."""

import time

import pytest
import yaml
from typer.testing import CliRunner

from storage.winner import Winner, write_winner
from tests.shipped import BEST, SECOND
from tuning.__main__ import app

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
