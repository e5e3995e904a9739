"""Stop, resume and extend a study."""

from collections.abc import Callable

import streamlit as st

from pages.components import frame
from storage.paths import RunFolder
from tuning import jobs, launch
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
        elif progress.done < progress.total:
            label = "Start" if state == JobState.CREATED else "Resume"
            st.button(
                label, type="primary", icon=":material/play_arrow:", on_click=_resume, args=(run.folder, None)
            )
        if state != JobState.CREATED:
            # another key once the budget has grown: a popover that is new is closed
            with st.popover("Extend", icon=":material/add:", key=f"extend-popover-{progress.total}"):
                _draw_extension(run, progress)


def _draw_extension(run: Run, progress: Progress) -> None:
    key = f"extend-{run.folder.id}-{progress.total}"
    st.number_input(  # without limits: beyond them it would keep its last value, and the button use that
        "Trials in all",
        value=progress.total + 20,
        step=10,
        key=key,
        help="The new total of complete and pruned trials, those already done included.",
    )
    alive = run.status.state.alive
    action = "Set the new total" if alive else "Extend and run"
    st.button(action, key="extend-now", on_click=_extend, args=(run.folder, key, alive))


def _stop(folder: RunFolder, mode: jobs.StopMode) -> None:
    attempt(lambda: launch.stop(folder, mode))


def _resume(folder: RunFolder, n_trials: int | None) -> None:
    attempt(lambda: launch.resume(folder, n_trials=n_trials))


def _extend(folder: RunFolder, key: str, alive: bool) -> None:
    n_trials = int(st.session_state[key])  # as it is now: a press may come with the edit
    if alive:
        attempt(lambda: launch.extend(folder, n_trials))
    else:
        _resume(folder, n_trials)


def attempt(action: Callable[[], object]) -> None:
    """Run what a button asks for; what goes wrong is shown until the next press."""
    st.session_state.pop(PROBLEM, None)
    try:
        action()
    except jobs.AlreadyRunning:
        return  # it runs: what was asked for, from here or elsewhere
    except (jobs.StartFailed, SpecError, ValueError, OSError) as error:
        st.session_state[PROBLEM] = str(error)
