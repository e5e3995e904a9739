"""Pin a trial, so that its weights stay: what pages may do to the policies that a study keeps."""

from storage import artifacts
from storage.paths import RunFolder
from tuning.access import require_writable


def set_pin(folder: RunFolder, trial: int, *, pinned: bool) -> None:
    """Pin a trial, so that its policy outlives the ranking, or take the pin away.

    Raises:
        ReadOnly: this server only shows studies.
    """
    require_writable("change which weights are kept")
    artifacts.set_pin(folder, trial, pinned=pinned)
