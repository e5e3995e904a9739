"""Small JSON records, written whole or not at all."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

MAX_RECORD_BYTES = 4_000_000


def write_text(path: Path, text: str, *, durable: bool = True) -> None:
    """Replace `path` atomically; with `durable` the bytes reach the disk before the old ones go."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_record(path: Path, record: dict[str, Any], *, durable: bool = True) -> None:
    """Replace `path` by `record` as JSON, atomically. NaN and infinity are refused."""
    write_text(path, json.dumps(record, allow_nan=False, indent=1), durable=durable)


def read_record(path: Path) -> dict[str, Any] | None:
    """Return the record, or None when the file is absent, too large, or not a JSON object."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_RECORD_BYTES + 1)
        if len(text) > MAX_RECORD_BYTES:
            return None
        record = json.loads(text)
    except (OSError, ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None
