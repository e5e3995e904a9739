"""Append-only files of JSON objects, one a line, with a single writer: whole lines, or a torn last one."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

_MARK_BYTES = 256  # enough to tell one line of results from another


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


@dataclass(frozen=True)
class Place:
    """Up to where somebody has read a file, and what shows that it is still the same one."""

    device: int
    inode: int
    offset: int  # bytes, all of whole lines
    last: bytes  # the end of what was read


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the objects in the order they were written; empty when there is no file.

    A torn last line, and whatever else is no JSON object, is left out.
    """
    return read_on(path, None)[0]


def read_on(path: Path, place: Place | None) -> tuple[list[dict[str, Any]], Place | None, bool]:
    """Return what was appended since `place`, where the reader is now, and whether it went on from `place`.

    When the file is not the one that `place` was in any more, everything is read and the last is False.
    """
    try:
        with path.open("rb") as file:
            stat = os.fstat(file.fileno())
            goes_on = place is not None and _is_in(place, file, stat)
            offset = place.offset if place is not None and goes_on else 0
            last = place.last if place is not None and goes_on else b""
            file.seek(offset)
            text = file.read()
    except OSError:
        return [], None, False
    whole = text[: text.rfind(b"\n") + 1]  # behind the last line break is nothing, or a torn line
    found = []
    for line in whole.split(b"\n")[:-1]:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            found.append(record)
    here = Place(stat.st_dev, stat.st_ino, offset + len(whole), (last + whole)[-_MARK_BYTES:])
    return found, here, goes_on


def _is_in(place: Place, file: BinaryIO, stat: os.stat_result) -> bool:
    if (stat.st_dev, stat.st_ino) != (place.device, place.inode) or stat.st_size < place.offset:
        return False
    file.seek(place.offset - len(place.last))
    return file.read(len(place.last)) == place.last


def _cut_torn_line(descriptor: int) -> None:
    end = os.fstat(descriptor).st_size
    if end and os.pread(descriptor, 1, end - 1) != b"\n":
        whole = os.pread(descriptor, end, 0)
        os.ftruncate(descriptor, whole.rfind(b"\n") + 1)
