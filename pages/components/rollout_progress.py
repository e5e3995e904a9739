"""A rollout that is not finished: how far it is, or why it ended early and how to go on."""

from collections.abc import Callable

import streamlit as st

from pages.components import frame
from storage.paths import RunFolder
from tuning import jobs
from tuning.access import is_read_only
from tuning.jobs import JobState
from tuning.retraining_plan import PlanError
from tuning.rollout_jobs import RolloutJob, progress_of, read_rollout, resume_rollout, stop_rollout

TICK = "1s"
PROBLEM = "rollout-problem"  # session: what went wrong with the last press, until the next one


def draw(study: RunFolder, job: RolloutJob) -> None:
    """Draw how far it is while it plays, and its end where that came early."""
    if job.status.state.alive:
        st.fragment(_draw_running, run_every=TICK)(job.folder)
    else:
        _draw_ended_early(study, job)


def _draw_running(folder: RunFolder) -> None:
    """Draw one moment; redraw the whole page once it has ended."""
    try:
        job = read_rollout(folder)
    except PlanError:  # deleted, or changed by hand: the page says so
        st.rerun()
    if not job.status.state.alive:
        st.rerun()
    names = _listed([frame.escape(actor.label) for actor in job.request.actors])
    st.markdown(f"**Rendering** {names}. You can leave this page; the video will be here when you come back.")
    progress = progress_of(job)
    st.progress(progress.fraction, text=progress.words)
    if not is_read_only():
        st.button(
            "Stop rendering",
            icon=":material/stop_circle:",
            key=f"rollout-stop-{folder.id}",
            disabled=job.status.state == JobState.STOPPING,
            on_click=attempt,
            args=(lambda: stop_rollout(folder),),
            help="Nothing is kept of it. It can be rendered again.",
        )


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _draw_ended_early(study: RunFolder, job: RolloutJob) -> None:
    reason = frame.escape(job.status.reason)
    match job.status.state:
        case JobState.FAILED:
            st.error(f"There is no video. {reason}", icon=":material/error:")
        case JobState.INTERRUPTED:
            st.warning(
                "Rendering was interrupted: its process ended without a word, as after a reboot.",
                icon=":material/power_off:",
            )
        case JobState.CREATED:
            st.warning("Rendering has not started.", icon=":material/hourglass_empty:")
        case _:
            st.info("Rendering was stopped. Nothing was kept of it.", icon=":material/stop_circle:")
    if not is_read_only():
        st.button(
            "Render it again",
            icon=":material/movie:",
            key=f"rollout-again-{job.folder.id}",
            on_click=attempt,
            args=(lambda: resume_rollout(study, job.folder),),
        )


def draw_problem() -> None:
    """Say what went wrong with the last press."""
    if problem := st.session_state.get(PROBLEM):
        st.error(frame.escape(problem), icon=":material/error:")


def attempt(action: Callable[[], object]) -> None:
    """Run what a button asks for; what goes wrong is shown until the next press."""
    st.session_state.pop(PROBLEM, None)
    try:
        action()
    except jobs.AlreadyRunning:
        return  # it plays: what was asked for
    except (jobs.StartFailed, OSError) as error:
        st.session_state[PROBLEM] = str(error)
