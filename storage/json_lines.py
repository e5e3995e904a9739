"""Append-only files of JSON objects, one a line, with a single writer: whole lines, or a torn last one."""

import json
import os
from pathlib import Path
from typing import Any


def append_line(path: Path, record: dict[str, Any]) -> None:
    """Append one object and wait until it is on the disk. NaN and infinity are refused.

    What a writer before left torn is cut off first, or this line would be lost with it.
    """
    data = (json.dumps(record, allow_nan=False) + "\n").encode()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        _cut_torn_line(descriptor)
        while data:
            data = data[os.write(descriptor, data) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the objects in the order they were written; empty when there is no file.

    A torn last line, and whatever else is no JSON object, is left out.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError:
        return []
    found = []
    for line in lines[:-1]:  # behind the last line break is nothing, or a torn line
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            found.append(record)
    return found


def _cut_torn_line(descriptor: int) -> None:
    end = os.fstat(descriptor).st_size
    if end and os.pread(descriptor, 1, end - 1) != b"\n":
        whole = os.pread(descriptor, end, 0)
        os.ftruncate(descriptor, whole.rfind(b"\n") + 1)
