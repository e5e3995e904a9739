"""What ships with Edgewise: the Pendulum story, and recorded studies that are copied, never written."""

import os
import shutil
import tempfile
from pathlib import Path

from storage.paths import NAME_PATTERN, RunFolder, check_name
from storage.records import read_record
from tuning.access import require_writable
from tuning.spec import StudySpec, load_spec

FOLDER = Path(__file__).resolve().parent.parent / "examples"


def pendulum_story() -> StudySpec:
    """Return the spec of the first study a person runs."""
    return load_spec(FOLDER / "pendulum.yaml")


def recorded() -> list[Path]:
    """Return the shipped studies that stand alone, by name: folders under `examples/` with a job record."""
    paired = {path for pair in recorded_pairs() for path in pair}
    return sorted(path.parent for path in FOLDER.glob("*/job.json") if path.parent not in paired)


def recorded_pairs() -> list[tuple[Path, Path]]:
    """Return the shipped pairs: a study whose space was too narrow, and the one that continues it."""
    pairs = []
    for path in sorted(FOLDER.glob("*/job.json")):
        parent = (read_record(RunFolder(path.parent).parent) or {}).get("id")
        if isinstance(parent, str) and NAME_PATTERN.fullmatch(parent) and (FOLDER / parent).is_dir():
            pairs.append((FOLDER / parent, path.parent))
    return pairs


def copy_recorded(source: Path, root: Path) -> RunFolder:
    """Copy a shipped study into the runs folder under its own name, or return the copy of before.

    Raises:
        ReadOnly: there is none yet, and this server only shows studies.
    """
    target = root / check_name(source.name)
    if not (target / "job.json").is_file():
        require_writable("copy an example")
        root.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=root, prefix=".copy-"))
        try:
            # Without times and modes: shipped files may be read-only, and the copy is the newest study.
            shutil.copytree(source, partial / "study", copy_function=shutil.copyfile)
            (partial / "study").chmod(0o700)
            os.rename(partial / "study", target)
        except OSError:
            if not (target / "job.json").is_file():  # else somebody else was faster
                raise
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return RunFolder(target)
