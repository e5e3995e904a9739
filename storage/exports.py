"""What was written for others into a study's folder, and stays there."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from storage.paths import RunFolder


@dataclass(frozen=True)
class KeptExport:
    """One folder that was written, such as a model card."""

    path: Path
    size_bytes: int
    written_at: float  # seconds since the epoch


def kept_exports(folder: RunFolder) -> list[KeptExport]:
    """Return what lies among a study's exports, newest first; what is still being written is left out."""
    found = []
    with suppress(OSError):
        for path in folder.exports.iterdir():
            with suppress(OSError):  # replaced meanwhile
                if path.is_dir() and not path.is_symlink() and not path.name.startswith("."):
                    files = [file.stat() for file in path.iterdir()]
                    written_at = max((file.st_mtime for file in files), default=path.stat().st_mtime)
                    found.append(KeptExport(path, sum(file.st_size for file in files), written_at))
    return sorted(found, key=lambda export: -export.written_at)
