"""Is there room for a study on this machine now? The cores in use, and the choice to queue or to run now."""

from dataclasses import dataclass

import streamlit as st

from pages.components import frame
from storage.paths import runs_root
from tuning import queue
from tuning.cores import CoreUse, cores_in_use, cores_sentence, usable_cores
from tuning.queue_words import waiting_words

_EVERY = "3s"


@dataclass(frozen=True)
class Room:
    """What runs and waits on this machine at one moment."""

    uses: tuple[CoreUse, ...]
    n_waiting: int
    n_cores: int

    def fits(self, n_workers: int) -> bool:
        """Whether a study of so many workers would start at once, without slowing what runs."""
        return queue.fits(n_workers, self.uses, n_waiting=self.n_waiting, n_cores=self.n_cores)

    @property
    def sentence(self) -> str:
        """The cores in use and who waits, as Markdown."""
        busy = frame.escape(cores_sentence(self.uses, n_cores=self.n_cores))
        waiting = waiting_words(self.n_waiting)
        return f"{busy}. {waiting}." if waiting else f"{busy}."


def look() -> Room:
    """Look at what runs and waits in the runs folder; a ticket whose runner died gets a new one."""
    root = runs_root()
    queue.take_up(root)
    return Room(tuple(cores_in_use(root)), len(queue.queued(root)), usable_cores())


def draw_sentence(n_workers: int) -> None:
    """Draw the cores in use; redraw the page once a study of so many workers fits, or does not any more."""
    room = look()
    st.fragment(_tick, run_every=_EVERY)(n_workers, fits=room.fits(n_workers))


def _tick(n_workers: int, *, fits: bool) -> None:
    room = look()
    if room.fits(n_workers) != fits:
        st.rerun()
    st.caption(f":material/memory: {room.sentence}")
