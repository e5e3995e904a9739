"""The study that a command which trains or continues is about: one of ours, named by its id."""

from pathlib import Path

from storage.foreign import source_kind
from storage.paths import RunFolder, UnknownRun, find_run
from tuning.cli.exits import Exit, Refused


def find_own(root: Path, study: str) -> RunFolder:
    """Return the folder of a study; of a path, say why an id is needed.

    Raises:
        UnknownRun: there is no such study, and no such file either.
        Refused: it is the path of a file, or an address, which other commands only read.
        SourceUnreadable: it is the path of something that holds no study.
    """
    try:
        return find_run(root, study)
    except UnknownRun:
        path = Path(study).expanduser()
        if "://" not in study and not path.exists():
            raise
    shown = "What a database URL names"  # which may hold a password
    if "://" not in study:
        if (owner := _owner(root, path)) is not None:
            raise Refused(Exit.BAD_INPUT, f"{study[:200]} belongs to the study {owner.id}: give that id.")
        source_kind(path)
        shown = study[:200]
    raise Refused(
        Exit.BAD_INPUT,
        f"{shown} is a study that Edgewise only reads: it was not launched from here, so its algorithm and "
        "its environment are not known. `python -m tuning diagnose` judges its ranges.",
    )


def _owner(root: Path, path: Path) -> RunFolder | None:
    """Return the study of ours in whose folder a path lies."""
    real = path.resolve()
    if not real.is_relative_to(root.resolve()) or real == root.resolve():
        return None
    try:
        return find_run(root, real.relative_to(root.resolve()).parts[0])
    except UnknownRun:
        return None
