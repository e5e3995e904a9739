"""How is it going?"""

import time
from collections.abc import Callable
from datetime import datetime

import streamlit as st

from pages.components import cached, frame, lineage_line, opened_study, try_configuration, verdict_badge
from pages.components.job_controls import draw_controls
from pages.components.job_words import state_sentence
from pages.components.running_trials import draw_running_trials
from pages.components.worker_table import draw_workers
from storage.live import Heartbeat, read_heartbeats
from storage.paths import RunFolder
from tuning import jobs, queue
from tuning.analysis.look import count, duration, three_digits, whole
from tuning.analysis.summary import StudySummary
from tuning.budget_words import budget_words
from tuning.jobs import JobState
from tuning.launch import Run
from tuning.progress import Progress, study_progress
from tuning.queue_words import queued_sentence
from tuning.trainers import study_trainers

TICK = "1s"
LOG_LINES = 40


def draw_live(folder: RunFolder, state: JobState, total: int) -> None:
    """Draw all that changes while the study runs; redraw the whole page when its state or budget does."""
    run = frame.require_run(folder)
    if run.spec is None:
        st.rerun()
    if (run.status.state, run.spec.budget.n_trials) != (state, total):
        st.rerun()
    beats = read_heartbeats(folder) if state.alive else []
    progress = study_progress(run.spec, run.study.trials, beats, now=datetime.now())
    summary = cached.summary(folder)
    draw_state(run, summary, progress)
    draw_numbers(run, summary, progress)
    verdict_badge.draw(folder)
    if state.alive:
        draw_trials(run, summary, beats)
    with st.expander("Log", icon=":material/notes:", expanded=state == JobState.FAILED):
        log = jobs.log_tail(folder, LOG_LINES) or "The log is empty."
        st.code(log, language=None, height=320 if log.count("\n") > 12 else "content")


def draw_state(run: Run, summary: StudySummary, progress: Progress) -> None:
    """Draw the answer in one sentence, and the progress bar."""
    sentence = state_sentence(run, summary, progress, now=time.time())
    place = queue.place(run.folder) if run.status.state == JobState.QUEUED else None
    if place is not None:  # else its turn has just come
        sentence = frame.escape(queued_sentence(place))
    match run.status.state:
        case JobState.FAILED:
            st.error(sentence, icon=":material/error:")
        case JobState.INTERRUPTED:
            st.warning(sentence, icon=":material/power_off:")
        case _:
            st.markdown(sentence)
    st.progress(progress.fraction)


def draw_numbers(run: Run, summary: StudySummary, progress: Progress) -> None:
    """Draw the metrics, and the trials by state."""
    alive = run.status.state.alive
    with st.container(horizontal=True, gap="medium", key="numbers"):
        st.metric("Best so far", _number(summary.best_value, three_digits), width=150)
        st.metric("Trials done", f"{whole(progress.done)} of {whole(progress.total)}", width=150)
        if alive:
            st.metric("Time left", _number(progress.eta_s, duration), width="content")
            st.metric("Steps per second", whole(progress.steps_per_s), width="content")
    with st.container(horizontal=True, gap="xsmall", key="states"):
        st.badge(f"{whole(summary.n_complete)} complete", color="blue")
        st.badge(f"{whole(summary.n_pruned)} pruned", color="yellow")
        failures = dict(summary.failures)
        n_errors = failures.pop("error", 0)
        st.badge(f"{whole(n_errors)} failed", color="red" if n_errors else "gray")
        for kind, number in failures.items():  # stopped, killed, interrupted: through no fault of their own
            st.badge(f"{whole(number)} {frame.escape(kind[:20])}", color="gray")
        if alive:
            st.badge(f"{whole(summary.n_running)} running", color="violet")
        if summary.n_waiting:
            st.badge(f"{whole(summary.n_waiting)} queued", color="gray")
        if summary.n_imported:
            st.badge(f"{whole(summary.n_imported)} imported", color="gray")
    if trainers := study_trainers(run.study.trials):
        st.caption(f"Trained by {frame.escape(trainers)}.")


def _number(value: float | None, words: Callable[[float], str]) -> str:
    return "–" if value is None else words(value)  # noqa: RUF001 - an en dash: not known yet


def draw_trials(run: Run, summary: StudySummary, beats: list[Heartbeat]) -> None:
    """Draw the running trials and the health of their workers."""
    if not beats:
        word = "Starting workers" if not run.study.trials or not summary.n_counted else "Waiting for trials"
        st.status(f"{word}: the first steps take a few seconds.", state="running")
        return
    st.subheader("Running now", anchor=False)
    draw_running_trials(run.folder, beats, best=summary.best_value)
    with st.expander("Workers", icon=":material/memory:"):
        draw_workers(beats)


frame.open_page("Live", "How is it going?", icon=":material/monitoring:")
folder = frame.require_study()
cached.tidy(folder)
queue.take_up(folder.path.parent)
run = frame.require_run(folder)
if run.spec is None:
    opened_study.draw_live(run)
    st.stop()
st.markdown(
    f"**{frame.escape(folder.id)}** · {run.spec.algorithm} on {frame.escape(run.spec.env.id)} · "
    f"{budget_words(run.spec)} a trial · {count(run.spec.n_workers, 'worker')}"
)
lineage_line.draw(folder)
state = run.status.state
draw_controls(run, study_progress(run.spec, run.study.trials, [], now=datetime.now()))
try_configuration.draw_with_best(run)
st.fragment(draw_live, run_every=TICK if state.moves else None)(folder, state, run.spec.budget.n_trials)
if not state.moves and run.study.trials:
    with st.container(horizontal=True):
        st.page_link(
            "pages/history.py",
            label="Read its history",
            icon=":material/show_chart:",
            query_params={"study": folder.id},
        )
        st.page_link(
            "pages/slices.py",
            label="See which parameters matter",
            icon=":material/scatter_plot:",
            query_params={"study": folder.id},
        )
