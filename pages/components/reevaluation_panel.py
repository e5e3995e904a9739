"""A re-evaluation while it runs, when it ended early, and what can be done with it."""

import contextlib
import time
from collections.abc import Callable

import streamlit as st

from pages.components import cached, frame, plot, reevaluation_form, reevaluation_mapping, reevaluation_words
from tuning import jobs
from tuning.access import ReadOnly, is_read_only
from tuning.analysis.look import count, duration, whole
from tuning.analysis.reevaluation_figure import reevaluation_figure
from tuning.jobs import JobState
from tuning.launch import Busy, Run
from tuning.reevaluation import MOST_SEEDS
from tuning.reevaluation_jobs import (
    ReevaluationJob,
    delete_reevaluation,
    extend_reevaluation,
    read_reevaluation,
    resume_reevaluation,
)
from tuning.reevaluation_plan import ReevaluationError, plan_reevaluation
from tuning.retraining_plan import PlanError

TICK = "2s"
START_S = 60.0  # that a runner may take to begin; only then it is said that it has not
MORE_SEEDS = 5
_FAULTS = (
    jobs.AlreadyRunning,
    jobs.StartFailed,
    Busy,
    ReevaluationError,
    PlanError,
    ReadOnly,
    OSError,
)


def draw_running(run: Run, job: ReevaluationJob) -> None:
    """Draw progress and the dots as they come; the whole page is drawn again when it has ended."""
    reevaluation_form.draw_problem(run, once=True)  # of a second press, or of a tab from before
    st.fragment(_draw_running, run_every=TICK)(run, job)


def _draw_running(run: Run, job: ReevaluationJob) -> None:
    try:
        job = read_reevaluation(job.folder)
    except (PlanError, OSError):
        st.rerun()  # deleted or changed: the page says so
    if not job.status.state.alive:
        st.rerun()
    progress = job.progress
    stopping = job.status.state == JobState.STOPPING
    left = f", about {duration(progress.eta_s)} left" if progress.eta_s is not None else ""
    verb = "Stopping" if stopping else "Measuring again"
    st.markdown(
        f"**{verb}.** {whole(progress.done)} of {count(progress.total, 'run')} done{left}. "
        "You can leave this page; it goes on."
    )
    st.progress(progress.fraction)
    if run.status.state.alive:
        st.caption("The study runs at the same time: each slows the other.")
    if not is_read_only():
        st.button(
            "Stop",
            icon=":material/stop_circle:",
            key=f"reevaluation-stop-{job.folder.id}",
            disabled=stopping,
            on_click=_stop,
            args=(job,),
            help="Runs that are done stay. The others can be trained later.",
        )
    _draw_problem(job)
    info = cached.reevaluation(job)
    if info.n_done:
        st.markdown(frame.escape(info.recommendation))
    plot.draw(
        reevaluation_figure(info, theme=frame.theme()),
        f"reevaluation-dots-{job.folder.id}",
        caption=reevaluation_words.dots_caption(info),
        alt="Return of each run by candidate, so far",
    )


def is_starting(run: Run, job: ReevaluationJob) -> bool:
    """Say whether it was asked for a moment ago and its runner is still to begin.

    Not where this very tab was told why it did not start.
    """
    is_new = time.time() - job.status.created_at < START_S
    told = st.session_state.get(_problem_key(job)) or reevaluation_form.has_problem(run)
    return job.status.state == JobState.CREATED and is_new and not told


def draw_starting(run: Run, job: ReevaluationJob) -> None:
    """Say so until it runs, or has not begun within its time: then the whole page is drawn again."""
    st.fragment(_draw_starting, run_every=TICK)(run, job)


def _draw_starting(run: Run, job: ReevaluationJob) -> None:
    try:
        job = read_reevaluation(job.folder)
    except (PlanError, OSError):
        st.rerun()  # deleted or changed: the page says so
    if not is_starting(run, job):
        st.rerun()
    st.markdown(f"**Starting.** {count(job.progress.total, 'run')} to train.")
    st.progress(0.0)


def draw_ended_early(run: Run, job: ReevaluationJob) -> None:
    """Say what happened to one that has not done everything, and offer to go on."""
    done = f"{whole(job.progress.done)} of {count(job.progress.total, 'run')} done"
    reason = frame.escape(job.status.reason)
    match job.status.state:
        case JobState.CREATED:
            st.warning("It has not started.", icon=":material/hourglass_empty:")
        case JobState.FAILED:
            st.error(f"It failed with {done}. {reason}", icon=":material/error:")
        case JobState.INTERRUPTED:
            st.warning(
                f"It was interrupted with {done}: its runner ended without a word, as after a reboot.",
                icon=":material/power_off:",
            )
        case _:
            st.info(f"It was stopped with {done}. Resume trains the others.", icon=":material/stop_circle:")
    if not is_read_only():
        st.button(
            "Start" if job.status.state == JobState.CREATED else "Resume",
            type="primary",
            icon=":material/play_arrow:",
            key=f"reevaluation-resume-{job.folder.id}",
            on_click=_attempt,
            args=(job, lambda: resume_reevaluation(run.folder, job.folder)),
        )
    _draw_problem(job)


def draw_actions(run: Run, job: ReevaluationJob) -> None:
    """Draw what can be done with one that has ended, and what went wrong with it."""
    if not is_read_only():
        _draw_actions(run, job)
    if job.status.state == JobState.FINISHED:
        _draw_problem(job)  # else it stands above
    reevaluation_form.draw_problem(run)


def _draw_actions(run: Run, job: ReevaluationJob) -> None:
    """Draw the buttons: more seeds, another budget, delete."""
    q = job.question
    with st.container(horizontal=True, vertical_alignment="center", key="reevaluation-actions"):
        finished = job.status.state == JobState.FINISHED
        if finished and q.mode == "retrain" and q.n_seeds + MORE_SEEDS <= MOST_SEEDS:
            st.button(
                f"Add {MORE_SEEDS} more seeds",
                icon=":material/add:",
                key=f"reevaluation-extend-{job.folder.id}",
                on_click=_attempt,
                args=(job, lambda: extend_reevaluation(run.folder, job.folder, q.n_seeds + MORE_SEEDS)),
                help=f"{q.n_seeds + MORE_SEEDS} for each candidate in all. The runs that there are stay. "
                "More runs narrow the intervals and part what is tied.",
            )
        if finished and reevaluation_mapping.known_spec(run) is not None:
            again = st.popover(
                "The same at 2x the budget" if q.mode == "retrain" else "Retrain the same",
                icon=":material/replay:",
                key=f"reevaluation-again-{job.folder.id}",
                on_change="rerun",
            )
            if again.open:  # a plan goes through all trials
                with again:
                    _draw_again(run, job)
        if st.button("Delete", type="tertiary", icon=":material/delete:", key="reevaluation-delete"):
            _confirm_deletion(run, job)


def _draw_again(run: Run, job: ReevaluationJob) -> None:
    """Offer the same candidates at twice the budget; from kept weights, retrained."""
    q = job.question
    kinds = {candidate.kind for candidate in q.candidates}
    try:
        planned = plan_reevaluation(
            run,
            trials=[c.trial for c in q.candidates if c.kind == "trial" and c.trial is not None],
            defaults="defaults" in kinds,
            tuned="tuned" in kinds,
            n_seeds=q.n_seeds if q.mode == "retrain" else 10,
            n_episodes=q.n_episodes,
            n_timesteps=2 * q.n_timesteps if q.mode == "retrain" else None,
            racing=q.racing or q.mode == "weights",
        )
    except ReevaluationError as error:
        st.error(frame.escape(str(error)), icon=":material/block:")
        return
    if q.mode == "retrain":
        st.caption(
            "A ranking found on a small budget does not always transfer to a larger one. This trains the "
            "same candidates for longer; the page then shows both rankings."
        )
    reevaluation_form.draw_promise(run, planned)
    st.button(
        "Start it",
        icon=":material/play_arrow:",
        key=f"reevaluation-again-start-{job.folder.id}",
        on_click=reevaluation_form.start,
        args=(run, planned),
    )


@st.dialog("Delete this re-evaluation?", icon=":material/delete:")
def _confirm_deletion(run: Run, job: ReevaluationJob) -> None:
    done = count(len(job.results), "run")
    st.markdown(f"It goes for good, with the results of {done}, their learning curves and their weights.")
    with st.container(horizontal=True):
        if st.button(
            "Delete",
            type="primary",
            key="reevaluation-delete-confirmed",
            on_click=_attempt,
            args=(job, lambda: _delete(run, job)),
        ):
            st.rerun()  # which closes the dialog; the page says what went wrong
        if st.button("Keep it", key="reevaluation-delete-cancelled"):
            st.rerun()


def _delete(run: Run, job: ReevaluationJob) -> None:
    with contextlib.suppress(FileNotFoundError):  # somebody else has just deleted it
        delete_reevaluation(run.folder, job.folder)
    st.query_params.pop(reevaluation_form.ADDRESS, None)
    st.toast("Deleted the re-evaluation", icon=":material/delete:")


def _stop(job: ReevaluationJob) -> None:
    _attempt(job, lambda: jobs.request_stop(job.folder, "now"))


def _attempt(job: ReevaluationJob, action: Callable[[], object]) -> None:
    key = _problem_key(job)
    st.session_state.pop(key, None)
    try:
        action()
    except _FAULTS as error:
        st.session_state[key] = str(error)


def _draw_problem(job: ReevaluationJob) -> None:
    if problem := st.session_state.get(_problem_key(job)):
        st.error(frame.escape(problem), icon=":material/error:")


def _problem_key(job: ReevaluationJob) -> str:
    return f"reevaluation-problem-{job.folder.id}"
