"""Choose the trial that a study ends with: its weights stay, and pages and exports name it."""

import time
from contextlib import suppress

from storage.artifacts import pinned_trials, set_pin
from storage.paths import RunFolder
from storage.winner import Winner, clear_winner, read_winner, write_winner
from tuning import launch
from tuning.access import require_writable
from tuning.lineage import TrialHome, trial_home


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

    Those of an imported trial are pinned where it ran.

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
    home = _home(study, trial)
    pinned = home.folder is not None and home.number not in pinned_trials(home.folder)
    if earlier is not None and earlier.trial == trial:
        pinned = earlier.pinned
    elif earlier is not None:
        take_back_winner(study)
    if home.folder is not None:  # first, so that the sweep of a running study leaves the weights
        set_pin(home.folder, home.number, pinned=True)
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
        home = _home(study, earlier.trial)
        if home.folder is not None:
            set_pin(home.folder, home.number, pinned=False)


def _home(study: RunFolder, number: int) -> TrialHome:
    """Return where the weights of a trial lie: in this study, or, of an imported one, where it ran."""
    with suppress(ValueError, LookupError, OSError):  # of a study that cannot be read nobody knows better
        for trial in launch.read_run(study).study.trials:
            if trial.number == number:
                return trial_home(study, trial)
    return TrialHome(study.id, study, number)
