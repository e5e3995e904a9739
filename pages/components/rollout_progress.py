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


def draw(study: RunFolder, job: RolloutJob) -> None:
    """Draw how far it is while it plays, and its end where that came early."""
    if job.status.state.alive:
        st.fragment(_draw_running, run_every=TICK)(study, job.folder, can_stop=not is_read_only())
    else:
        _draw_ended_early(study, job)


def draw_alone(study: RunFolder, job: RolloutJob | None) -> None:
    """Say why a presentation shows no video, and wait for one that is being rendered."""
    if job is None:
        st.info("There is no such video. It may have been deleted.", icon=":material/movie:")
    elif job.status.state.alive:
        st.fragment(_draw_running, run_every=TICK)(study, job.folder, can_stop=False)
    else:
        st.info("This video was not finished. The whole page says why.", icon=":material/movie:")


def _draw_running(study: RunFolder, folder: RunFolder, *, can_stop: bool) -> None:
    """Draw one moment; redraw the whole page once it has ended."""
    try:
        job = read_rollout(folder)
    except PlanError:  # deleted, or changed by hand: the page says so
        st.rerun()
    if not job.status.state.alive:
        st.rerun()
    names = _listed([frame.escape(actor.label) for actor in job.request.actors])
    leaving = " You can leave this page; the video will be here when you come back." if can_stop else ""
    st.markdown(f"**Rendering** {names}.{leaving}")
    progress = progress_of(job)
    st.progress(progress.fraction, text=progress.words)
    if can_stop:
        st.button(
            "Stop rendering",
            icon=":material/stop_circle:",
            key=f"rollout-stop-{folder.id}",
            disabled=job.status.state == JobState.STOPPING,
            on_click=attempt,
            args=(study, lambda: stop_rollout(folder)),
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
            args=(study, lambda: resume_rollout(study, job.folder)),
        )


def draw_problem(study: RunFolder) -> None:
    """Say what went wrong with the last press, until the next one."""
    if problem := st.session_state.get(_problem_key(study)):
        st.error(frame.escape(problem), icon=":material/error:")


def attempt(study: RunFolder, action: Callable[[], object]) -> None:
    """Run what a button asks for of a study; what goes wrong is shown until the next press."""
    st.session_state.pop(_problem_key(study), None)
    try:
        action()
    except jobs.AlreadyRunning:
        return  # it plays: what was asked for
    except (jobs.StartFailed, OSError) as error:
        st.session_state[_problem_key(study)] = str(error)


def _problem_key(study: RunFolder) -> str:
    return f"rollout-problem-{study.id}"
