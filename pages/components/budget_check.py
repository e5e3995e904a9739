"""Do I need tuning at all? Launch's section that checks it: ask, watch, read the answer."""

from collections.abc import Callable

import streamlit as st

from pages.components import budget_check_result, frame
from pages.components.launch_fields import PREFIX
from storage.paths import runs_root
from tuning import jobs
from tuning.analysis.budget_check import budget_check_info
from tuning.analysis.look import count, duration, whole
from tuning.budget_check import NoBudgetCheck, PlannedCheck, plan_check
from tuning.budget_check_jobs import (
    CheckJob,
    find_checks,
    forget_check,
    newest_check,
    read_check,
    resume_check,
    running_check,
    start_check,
)
from tuning.calibration_words import rough_range
from tuning.jobs import JobState
from tuning.launch import Busy
from tuning.retraining_plan import PlanError
from tuning.spec import StudySpec

TICK = "2s"
MOST_OTHERS = 3  # checks that are named beside the one that is drawn
_PROBLEM = "budget-check-problem"  # session: what went wrong with the last press, until the next one
_WATCHED = "budget-check-watched"  # session: the check that it has seen before the answer was there
_FAULTS = (jobs.AlreadyRunning, jobs.StartFailed, Busy, PlanError, OSError)


def draw(spec: StudySpec | None) -> None:
    """Draw the check of this request; None for one that cannot be launched yet."""
    planned, why_not = _planned(spec)
    job = newest_check(runs_root(), planned.question) if planned else None
    running = running_check(runs_root())
    label, is_open = budget_check_result.TITLE, job is not None
    if job is not None and job.status.state != JobState.FINISHED:
        st.session_state[_WATCHED] = job.folder.id
    elif job is not None and not _is_watched(job):  # the answer is enough, the rest folds out
        label, is_open = budget_check_result.label(budget_check_info(job.question, job.results)), False
    with st.expander(label, icon=":material/help:", expanded=is_open):
        if problem := st.session_state.get(_PROBLEM):
            st.error(frame.escape(problem), icon=":material/error:")
        if job is not None and spec is not None and planned is not None:
            _draw_job(job, spec, planned, is_free=running is None)
        elif planned is not None and spec is not None:
            _draw_offer(spec, planned, is_free=running is None)
        else:
            st.caption(frame.escape(why_not))
        if running is not None and (job is None or running.folder != job.folder):
            _draw_other(running)
        if planned is not None:
            _draw_others(planned, job)


def _is_watched(job: CheckJob) -> bool:
    return st.session_state.get(_WATCHED) == job.folder.id


def _planned(spec: StudySpec | None) -> tuple[PlannedCheck | None, str]:
    """Return what would be trained, or why nothing can be."""
    if spec is None:
        return None, "Correct the request above, then check here whether longer training is enough."
    try:
        return plan_check(spec), ""
    except NoBudgetCheck as error:
        return None, str(error)


def _draw_offer(spec: StudySpec, planned: PlannedCheck, *, is_free: bool) -> None:
    st.markdown(
        "Sometimes longer training is all it takes. A budget check finds out before you search anything. "
        + frame.escape(planned.words)
    )
    with st.container(horizontal=True, vertical_alignment="center", key="budget-check-offer"):
        st.button(
            "Check the defaults",
            icon=":material/science:",
            key="budget-check-start",
            disabled=not is_free,
            on_click=_attempt,
            args=(lambda: start_check(spec, runs_root()),),
            help="It runs by itself: you can leave this page, and launch the study meanwhile.",
        )
        workers = count(planned.plan.n_workers, "worker")
        st.caption(f"Roughly {rough_range(*planned.seconds)} on {workers}", width="content")


def _draw_job(job: CheckJob, spec: StudySpec, planned: PlannedCheck, *, is_free: bool) -> None:
    if job.status.state.alive:
        st.fragment(_draw_running, run_every=TICK)(job)
        return
    if job.status.state == JobState.FINISHED:
        info = budget_check_info(job.question, job.results)
        if _is_watched(job):  # another label would close what the reader has open
            st.markdown(f"**{frame.escape(info.sentence)}**")
        budget_check_result.draw(job, info)
        if info.longer is not None:
            steps = info.longer * job.question.once
            st.button(
                f"Set the steps of a trial to {whole(steps)}",
                icon=":material/north_east:",
                key="budget-check-longer",
                on_click=_set_steps,
                args=(steps,),
                help="Changes the form. The study takes as many times longer, and so does each trial.",
            )
    else:
        _draw_ended_early(job, is_free=is_free)
    with st.container(horizontal=True, key="budget-check-actions"):
        if job.status.state == JobState.FINISHED:
            st.button(
                "Check again",
                icon=":material/replay:",
                key="budget-check-again",
                disabled=not is_free,
                on_click=_attempt,
                args=(lambda: start_check(spec, runs_root(), after=job.folder.id),),
                help=f"With other seeds, {count(len(planned.plan.runs), 'run')}. "
                "This result stays beside the new one.",
            )
        _draw_forget(job)


def _draw_running(job: CheckJob) -> None:
    """Draw progress, and the dots as they come; the whole page is drawn again when it has ended."""
    try:
        job = read_check(job.folder)
    except (PlanError, OSError):
        st.rerun()  # forgotten or changed: the page says so
    if not job.status.state.alive:
        st.rerun()
    _draw_progress(job, "Checking the defaults")
    info = budget_check_info(job.question, job.results)
    if info.baseline is not None:
        budget_check_result.draw_figure(job, info)


def _draw_other(job: CheckJob) -> None:
    which = f"{job.question.env.id} with {job.question.algorithm}, {whole(job.question.n_timesteps)} steps"
    st.fragment(_draw_other_running, run_every=TICK)(job, f"Another check is running: {which}")


def _draw_other_running(job: CheckJob, what: str) -> None:
    try:
        job = read_check(job.folder)
    except (PlanError, OSError):
        st.rerun()
    if not job.status.state.alive:
        st.rerun()
    _draw_progress(job, what)


def _draw_progress(job: CheckJob, what: str) -> None:
    progress = job.progress
    stopping = job.status.state == JobState.STOPPING
    left = f", about {duration(progress.eta_s)} left" if progress.eta_s is not None else ""
    st.markdown(
        f"**{frame.escape('Stopping the check' if stopping else what)}.** {whole(progress.done)} of "
        f"{count(progress.total, 'run')} done{left}. You can leave this page; it goes on."
    )
    st.progress(progress.fraction)
    st.button(
        "Stop the check",
        icon=":material/stop_circle:",
        key=f"budget-check-stop-{job.folder.id}",
        disabled=stopping,
        on_click=_attempt,
        args=(lambda: jobs.request_stop(job.folder, "now"),),
        help="Runs that are done stay. The others can be trained later.",
    )


def _draw_ended_early(job: CheckJob, *, is_free: bool) -> None:
    done = f"{whole(job.progress.done)} of {count(job.progress.total, 'run')} done"
    match job.status.state:
        case JobState.CREATED:
            st.warning("The check has not started.", icon=":material/hourglass_empty:")
        case JobState.FAILED:
            reason = frame.escape(job.status.reason)
            st.error(f"The check failed with {done}. {reason}", icon=":material/error:")
        case JobState.INTERRUPTED:
            st.warning(
                f"The check was interrupted with {done}: its runner ended without a word, as after a reboot.",
                icon=":material/power_off:",
            )
        case _:
            st.markdown(f"**The check was stopped** with {done}.")
    info = budget_check_info(job.question, job.results)
    if info.baseline is not None:
        budget_check_result.draw_figure(job, info)
    st.button(
        "Start the check" if job.status.state == JobState.CREATED else "Resume the check",
        icon=":material/play_arrow:",
        key="budget-check-resume",
        disabled=not is_free,
        on_click=_attempt,
        args=(lambda: resume_check(runs_root(), job.folder),),
    )


def _draw_forget(job: CheckJob) -> None:
    with st.popover("Forget", icon=":material/delete:", key=f"budget-check-forget-{job.folder.id}"):
        st.markdown(
            f"The {count(len(job.results), 'run')} that are done go for good, with their learning curves; "
            "so does the line in History of every study like this."
        )
        st.button(
            "Forget this check",
            type="primary",
            key="budget-check-forget",
            on_click=_attempt,
            args=(lambda: forget_check(runs_root(), job.folder),),
        )


def _draw_others(planned: PlannedCheck, drawn: CheckJob | None) -> None:
    """Name what other checks of this training found: with other steps, or before it was checked again."""
    asked = planned.question
    lines = []
    for job in find_checks(runs_root()):
        q = job.question
        alike = q.model_copy(update={"n_timesteps": asked.n_timesteps}).digest == asked.digest
        is_drawn = drawn is not None and job.folder == drawn.folder
        if alike and not is_drawn and job.status.state == JobState.FINISHED:
            said = frame.escape(budget_check_info(q, job.results).sentence)
            lines.append(f"- With {whole(q.n_timesteps)} steps a trial: {said}")
    if lines:
        st.caption("Checked before:\n" + "\n".join(lines[:MOST_OTHERS]))


def _set_steps(steps: int) -> None:
    st.session_state[PREFIX + "timesteps"] = steps


def _attempt(action: Callable[[], object]) -> None:
    """Do what a button asks for; what goes wrong is shown until the next press."""
    st.session_state.pop(_PROBLEM, None)
    try:
        action()
    except FileNotFoundError:
        return  # somebody else has just forgotten it
    except _FAULTS as error:
        st.session_state[_PROBLEM] = str(error)
