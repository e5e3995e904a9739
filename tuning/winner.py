"""Choose the trial that a study ends with: its weights stay, and pages and exports name it."""

import time

from storage.artifacts import pinned_trials, set_pin
from storage.paths import RunFolder
from storage.winner import Winner, clear_winner, read_winner, write_winner
from tuning.access import require_writable


def choose_winner(
    study: RunFolder,
    trial: int,
    *,
    expected: float | None = None,
    reevaluation: str | None = None,
    mode: str | None = None,
    n_timesteps: int | None = None,
) -> Winner:
    """Make a trial the one that a study ends with, in place of an earlier choice, and pin its weights.

    Args:
        study: its folder.
        trial: a trial's number.
        expected: honest number for its mean return.
        reevaluation: id of the re-evaluation that the choice rests on.
        mode: of that re-evaluation: "retrain" or "weights".
        n_timesteps: that `expected` holds for, where they are not the study's own.

    Raises:
        ReadOnly: the server only shows studies.
    """
    require_writable("choose a winner")
    earlier = read_winner(study)
    pinned = trial not in pinned_trials(study)
    if earlier is not None and earlier.trial == trial:
        pinned = earlier.pinned
    elif earlier is not None:
        take_back_winner(study)
    set_pin(study, trial, pinned=True)  # first, so that the sweep of a running study leaves the weights
    winner = Winner(trial, expected, reevaluation, time.time(), pinned, mode, n_timesteps)
    write_winner(study, winner)
    return winner


def take_back_winner(study: RunFolder) -> None:
    """Take the choice back, and with it the pin, unless that had been there before.

    Raises:
        ReadOnly: the server only shows studies.
    """
    require_writable("take back a winner")
    earlier = read_winner(study)
    clear_winner(study)
    if earlier is not None and earlier.pinned:
        set_pin(study, earlier.trial, pinned=False)
