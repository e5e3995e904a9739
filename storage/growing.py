"""Append-only files that many ask for again and again: only what is new is read and checked."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Generic, TypeVar

from storage.json_lines import Place, read_on

Item = TypeVar("Item")


@dataclass(frozen=True)
class _Read(Generic[Item]):
    place: Place
    items: tuple[Item, ...]  # in the order of their lines
    weight: int


class GrowingFiles(Generic[Item]):
    """Reads files of JSON objects into items, and remembers those of the files that were asked for last.

    Items are shared between callers, so they should not be changeable.
    """

    def __init__(
        self, parse: Callable[[dict[str, Any]], Item | None], weigh: Callable[[Item], int], *, most: int
    ) -> None:
        """Remember files up to a weight in all, but always one.

        Args:
            parse: makes an item of an object, or None of one that counts for nothing.
            weigh: how much memory an item takes, in any unit.
            most: to remember, in the same unit.
        """
        self._parse, self._weigh, self._most = parse, weigh, most
        self._read: OrderedDict[Path, _Read[Item]] = OrderedDict()  # the one asked for last comes last
        self._lock = Lock()  # many sessions of one server read

    def read(self, path: Path) -> tuple[Item, ...]:
        """Return the items of a file; none when there is no file."""
        with self._lock:
            before = self._read.pop(path, None)
        lines, place, goes_on = read_on(path, before.place if before else None)
        if place is None:
            return ()
        new = tuple(item for line in lines if (item := self._parse(line)) is not None)
        old, weight = (before.items, before.weight) if before and goes_on else ((), 0)
        now = _Read(place, (*old, *new), weight + sum(map(self._weigh, new)))
        with self._lock:
            self._read[path] = now
            while len(self._read) > 1 and sum(read.weight for read in self._read.values()) > self._most:
                self._read.popitem(last=False)
        return now.items
