"""Stop, resume and extend a study, and change its place in the queue."""

from collections.abc import Callable

import streamlit as st

from pages.components import frame, room
from storage.paths import RunFolder
from tuning import jobs, launch, queue
from tuning.access import is_read_only
from tuning.jobs import JobState
from tuning.launch import Run
from tuning.progress import Progress
from tuning.spec import SpecError

PROBLEM = "job-problem"  # session: what went wrong with the last press, until the next one


def draw_controls(run: Run, progress: Progress) -> None:
    """Draw the buttons that make sense in the study's state; none on a server that only shows studies."""
    if not is_read_only():
        _draw_buttons(run, progress)
    if problem := st.session_state.get(PROBLEM):
        st.error(frame.escape(problem), icon=":material/error:")


def _draw_buttons(run: Run, progress: Progress) -> None:
    state = run.status.state
    with st.container(horizontal=True, key="controls"):
        if state.alive:
            stopping = jobs.requested_stop(run.folder)
            st.button(
                "Stop after current trials",
                icon=":material/hourglass_bottom:",
                on_click=_stop,
                args=(run.folder, "after"),
                disabled=stopping is not None,
                help="Starts no new trial and lets the running ones finish.",
            )
            with st.popover(
                "Stop now", icon=":material/stop_circle:", disabled=stopping == "now", key="stop-popover"
            ):
                st.markdown(
                    "The running trials end within 2 s without a result. Their configurations run again when "
                    "you resume."
                )
                st.button(
                    "Stop now", key="stop-now", type="primary", on_click=_stop, args=(run.folder, "now")
                )
        elif state == JobState.QUEUED:
            _draw_queue_buttons(run.folder)
        elif progress.done < progress.total:
            label = "Start" if state == JobState.CREATED else "Resume"
            draw_start(run, label, f"{label} now", icon=":material/play_arrow:")
        ends_before = run.spec is not None and progress.total < run.spec.budget.n_trials  # a grid
        if state != JobState.CREATED and not ends_before:
            # another key once the budget has grown: a popover that is new is closed
            with st.popover("Extend", icon=":material/add:", key=f"extend-popover-{progress.total}"):
                _draw_extension(run, progress)


def draw_start(run: Run, label: str, label_now: str, *, icon: str, total_key: str | None = None) -> None:
    """Draw the button that starts a study; where too few cores are free, one that queues it comes before.

    Args:
        run: the study.
        label: of the button where there is room.
        label_now: of the one that does not wait, where there is none.
        icon: of either.
        total_key: where the session holds the new total of trials; None to keep the budget.
    """
    fits = run.spec is None or room.look().fits(run.spec.n_workers)
    if not fits:
        st.button(
            "Queue",
            type="primary",
            icon=":material/hourglass_top:",
            key=f"queue-{total_key or label}",
            on_click=_resume,
            args=(run.folder, total_key),
            kwargs={"wait_in_queue": True},
            help="It starts by itself once enough cores are free.",
        )
    st.button(
        label if fits else label_now,
        type="primary" if fits else "secondary",
        icon=icon,
        key=f"start-{total_key or label}",
        on_click=_resume,
        args=(run.folder, total_key),
        help=None if fits else "It shares the cores with what runs; each slows the other.",
    )


def _draw_queue_buttons(folder: RunFolder) -> None:
    place = queue.place(folder)
    st.button(
        "Run now",
        icon=":material/play_arrow:",
        key="run-now",
        on_click=_resume,
        args=(folder, None),
        help="It does not wait for free cores; it and what runs slow each other.",
    )
    if place and place.n_waiting > 1:
        st.button(
            "Move up",
            icon=":material/arrow_upward:",
            key="move-up",
            on_click=lambda: attempt(lambda: queue.move_up(folder)),
            disabled=place.position == 1,
            help="It changes places with the study before it.",
        )
    st.button(
        "Leave the queue",
        icon=":material/close:",
        key="leave-queue",
        on_click=_stop,
        args=(folder, "now"),
        help="Nothing is lost: it can be started or queued again.",
    )


def _draw_extension(run: Run, progress: Progress) -> None:
    key = f"extend-{run.folder.id}-{progress.total}"
    st.number_input(  # without limits: beyond them it would keep its last value, and the button use that
        "Trials in all",
        value=progress.total + 20,
        step=10,
        key=key,
        help="The new total of complete and pruned trials, those already done included.",
    )
    if run.status.state.moves:
        st.button("Set the new total", key="extend-now", on_click=_extend, args=(run.folder, key))
    else:
        draw_start(run, "Extend and run", "Extend and run now", icon=":material/add:", total_key=key)


def _stop(folder: RunFolder, mode: jobs.StopMode) -> None:
    attempt(lambda: launch.stop(folder, mode))


def _resume(folder: RunFolder, total_key: str | None, *, wait_in_queue: bool = False) -> None:
    n_trials = (
        None if total_key is None else int(st.session_state[total_key])
    )  # a press may come with an edit
    attempt(lambda: launch.resume(folder, n_trials=n_trials, wait_in_queue=wait_in_queue))


def _extend(folder: RunFolder, key: str) -> None:
    n_trials = int(st.session_state[key])
    attempt(lambda: launch.extend(folder, n_trials))


def attempt(action: Callable[[], object]) -> None:
    """Run what a button asks for; what goes wrong is shown until the next press."""
    st.session_state.pop(PROBLEM, None)
    try:
        action()
    except jobs.AlreadyRunning:
        return  # it runs: what was asked for, from here or elsewhere
    except (jobs.StartFailed, launch.Busy, SpecError, ValueError, OSError) as error:
        st.session_state[PROBLEM] = str(error)
