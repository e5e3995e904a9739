"""Work too long for a script: done once in a thread, the newest request first, its results kept."""

import itertools
import threading
import traceback
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any


class Background:
    """One thread at a time that works through what pages ask for; it ends when nothing is left.

    Work never touches Streamlit: a thread has no session. A request is named by a group (what is computed and
    for which study) and a version of its input, so that several tabs that ask at once share one computation.
    """

    def __init__(self, *, most: int = 256) -> None:
        """Keep the results of at most `most` requests, the latest used."""
        self._most = most
        self._lock = threading.Lock()
        self._futures: OrderedDict[tuple[Hashable, Hashable], Future[Any]] = OrderedDict()
        self._newest: OrderedDict[Hashable, tuple[int, Hashable, Any]] = OrderedDict()  # with its turn
        self._waiting: list[tuple[int, tuple[Hashable, Hashable], Future[Any], Callable[[], Any]]] = []
        self._turns = itertools.count()
        self._works = False

    def ask(self, group: Hashable, version: Hashable, work: Callable[[], Any]) -> Future[Any]:
        """Return the future of this computation; start it unless somebody has asked for it before."""
        key = (group, version)
        with self._lock:
            future = self._futures.get(key)
            if future is None:
                future = self._futures[key] = Future()
                self._waiting.append((next(self._turns), key, future, work))
                if not self._works:
                    self._works = True
                    threading.Thread(target=self._run, name="background", daemon=True).start()
            self._futures.move_to_end(key)
            surplus = max(0, len(self._futures) - self._most)
            for old in [k for k, f in self._futures.items() if f.done() and k != key][:surplus]:
                del self._futures[old]
            return future

    def is_busy(self, group: Hashable) -> bool:
        """Say whether something of this group is still to be computed."""
        with self._lock:
            return any(k[0] == group and not f.done() for k, f in self._futures.items())

    def newest(self, group: Hashable) -> tuple[Hashable, Any] | None:
        """Return the version asked for last among those that are there, with its result; None without any."""
        with self._lock:
            found = self._newest.get(group)
            return None if found is None else found[1:]

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._works = False
                    return
                turn, (group, version), future, work = self._waiting.pop()
            try:
                result = work()
            except Exception as error:  # whatever it was: the page that asked says so
                traceback.print_exc()
                future.set_exception(error)
                continue
            with self._lock:
                if group not in self._newest or self._newest[group][0] < turn:
                    self._newest[group] = (turn, version, result)
                self._newest.move_to_end(group)
                while len(self._newest) > self._most:
                    self._newest.popitem(last=False)
            future.set_result(result)
