"""What keeps a study from being launched, and the buttons that launch or queue it."""

import time
from collections.abc import Sequence

import streamlit as st

from pages.components import continuing, frame, launch_estimate, room
from storage.paths import runs_root
from tuning import jobs, launch
from tuning.continuation import Continuation
from tuning.spec import StudySpec

DOUBLE_PRESS_S = 10.0
LAST = "last-launch"  # session: (spec, folder, when) of the newest launch


def draw_faults(faults: Sequence[str]) -> None:
    """Say what is wrong with the request, all at once."""
    lines = "\n".join(f"- {frame.escape(fault.replace('`', ''))}" for fault in faults)
    st.error(f"This cannot be launched yet.\n\n{lines}", icon=":material/error:")


def draw_launch_button(spec: StudySpec | None, *, continues: Continuation | None = None) -> None:
    """Draw the button with the estimate beside it; None for a request that is not valid.

    Where too few cores are free for its workers there are two buttons: queue it, or run it all the same.

    Args:
        spec: the request.
        continues: what the study inherits from another one.
    """
    fits = spec is None or room.look().fits(spec.n_workers)
    with st.container(horizontal=True, vertical_alignment="center"):
        queued = not fits and st.button(
            "Queue",
            type="primary",
            icon=":material/hourglass_top:",
            key="queue",
            help="It starts by itself once enough cores are free, also after you have closed this page.",
        )
        pressed = st.button(
            "Launch" if fits else "Run now",
            type="primary" if fits else "secondary",
            icon=":material/rocket_launch:",
            key="launch",
            disabled=spec is None,
            help=None if fits else "It shares the cores with what runs; each slows the other.",
        )
        if spec is not None:
            launch_estimate.draw_line(spec)
    if spec is not None:
        launch_estimate.draw_details(spec)
        room.draw_sentence(spec.n_workers)
    if (pressed or queued) and spec is not None:
        _launch(spec, continues, wait_in_queue=queued)


def _launch(spec: StudySpec, continues: Continuation | None, *, wait_in_queue: bool) -> None:
    last = st.session_state.get(LAST)
    if last and last[0] == spec and time.monotonic() - last[2] < DOUBLE_PRESS_S:
        frame.go("pages/live.py", last[1])  # the second press of a double click
    try:
        folder = launch.create_study(spec, runs_root(), continues=continues)
    except OSError as error:
        st.error(f"The study could not be written: {frame.escape(str(error))}", icon=":material/error:")
        return
    st.session_state[LAST] = (spec, folder, time.monotonic())
    continuing.forget()  # the next study starts from scratch, unless somebody asks for another one like this
    try:
        with st.spinner("Queueing the study" if wait_in_queue else "Starting the study"):
            (launch.enqueue if wait_in_queue else launch.start)(folder)
    except (jobs.StartFailed, jobs.AlreadyRunning, OSError) as error:
        st.session_state["job-problem"] = str(error)
    frame.go("pages/live.py", folder)
