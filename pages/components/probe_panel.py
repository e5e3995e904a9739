"""A parameter's probes beneath its verdict: ask for one, watch it, read what it found."""

import time

import streamlit as st

from pages.components import frame, plot
from pages.components.probe_form import draw_request
from tuning import jobs
from tuning.access import is_read_only
from tuning.analysis.look import age, count, duration, whole
from tuning.analysis.probe import ProbeInfo, probe_info
from tuning.analysis.probe_figure import probe_figure
from tuning.analysis.saturation import ParameterSaturation
from tuning.analysis.verdicts import Verdict
from tuning.budget_words import run_words, study_words
from tuning.jobs import JobState
from tuning.launch import Run
from tuning.probe_jobs import ProbeJob, UnreadableProbe, find_probes, resume_probe
from tuning.probe_values import spec_axes
from tuning.retraining_plan import runs_trained_by

TICK = "2s"
_DOUBTS = (Verdict.EDGE, Verdict.WATCH, Verdict.HERDED)  # that a probe would settle
_CAPTION = (
    "Each small mark is a pair of runs with one configuration and one seed: the return at the probed value "
    "minus that at its own. Diamonds are means. Each interval stands alone: of twenty values that change "
    "nothing, one still looks better."
)


def draw_probe(run: Run, parameter: ParameterSaturation) -> None:
    """Draw a parameter's probes, newest first, and, where it has bounds, the request for another.

    Redraws by itself while one of them runs, and touches nothing else on the page.
    """
    alive = any(job.status.state.alive for job in _readable(run, parameter.name))
    st.fragment(_draw, run_every=TICK if alive else None)(run, parameter, alive=alive)


def _draw(run: Run, p: ParameterSaturation, *, alive: bool) -> None:
    found = find_probes(run.folder)
    own = [job for job in found if isinstance(job, ProbeJob) and job.question.parameter == p.name]
    running = [j for j in found if isinstance(j, ProbeJob) and j.status.state.alive]
    if alive != any(job.status.state.alive for job in own):
        st.rerun()
    if own:
        _draw_newest(run, own[0])
    if run.spec is None:
        if p.verdict in _DOUBTS:
            st.caption(
                "A probe would train the best configurations again. This study was not launched here, so how "
                "to train for it is not known."
            )
    elif (
        not alive
        and not is_read_only()
        and (axis := spec_axes(run.spec).get(p.name)) is not None
        and axis.has_ends
    ):
        busy_with = running[0].question.parameter if running else None
        draw_request(run, p, busy_with=busy_with, again=bool(own))
    broken = [job for job in found if isinstance(job, UnreadableProbe)]
    if broken and own:
        st.caption(f"{count(len(broken), 'probe')} of this study cannot be read: its files were changed.")
    if own[1:]:
        with st.expander(f"Earlier probes of {frame.escape(p.name)} ({len(own) - 1})"):
            for job in own[1:]:
                st.markdown(f"{_when(job)}: {frame.escape(_info(job).sentence)}")


def _draw_newest(run: Run, job: ProbeJob) -> None:
    info, state = _info(job), job.status.state
    with st.container(key=f"probe-result-{job.folder.id}"):
        if problem := st.session_state.get(_problem_key(job)):
            st.error(frame.escape(problem), icon=":material/error:")
        if state.alive:
            _draw_running(run, job, info)
            return
        if state == JobState.FINISHED:
            st.markdown(f"**Probe.** {frame.escape(info.sentence)}")
        else:
            _draw_ended_early(run, job, info)
        if any(value.pairs for value in info.values):
            plot.draw(
                probe_figure(info, theme=frame.theme()),
                f"probe-figure-{job.folder.id}",
                caption=_CAPTION,
                alt=f"Difference of the return at each probed value of {job.question.parameter}",
            )
        st.caption(_footnote(job))


def _draw_running(run: Run, job: ProbeJob, info: ProbeInfo) -> None:
    progress = job.progress
    stopping = job.status.state == JobState.STOPPING
    left = f", about {duration(progress.eta_s)} left" if progress.eta_s is not None else ""
    verb = "Stopping the probe" if stopping else "Probing"
    st.markdown(
        f"**{verb}.** {whole(progress.done)} of {count(progress.total, 'run')} done{left}. "
        "You can leave this page; the probe goes on."
    )
    st.progress(progress.fraction)
    if any(value.pairs for value in info.values):
        st.markdown(frame.escape(info.sentence))
    if run.status.state.alive:
        st.caption("The study runs at the same time: each slows the other.")
    if is_read_only():
        return
    st.button(
        "Stop the probe",
        icon=":material/stop_circle:",
        key=f"probe-stop-{job.folder.id}",
        disabled=stopping,
        on_click=_stop,
        args=(job,),
        help="Runs that are done stay. The others can be trained later.",
    )


def _draw_ended_early(run: Run, job: ProbeJob, info: ProbeInfo) -> None:
    done = f"{whole(job.progress.done)} of {count(job.progress.total, 'run')} done"
    reason = frame.escape(job.status.reason)
    match job.status.state:
        case JobState.CREATED:
            st.warning("The probe has not started.", icon=":material/hourglass_empty:")
        case JobState.FAILED:
            st.error(f"The probe failed with {done}. {reason}", icon=":material/error:")
        case JobState.INTERRUPTED:
            st.warning(
                f"The probe was interrupted with {done}: its runner ended without a word, as after a reboot.",
                icon=":material/power_off:",
            )
        case _:
            st.markdown(f"**Probe stopped** with {done}.")
    if job.progress.done:
        st.markdown(frame.escape(info.sentence))
    if is_read_only():
        return
    st.button(
        "Start the probe" if job.status.state == JobState.CREATED else "Resume the probe",
        icon=":material/play_arrow:",
        key=f"probe-resume-{job.folder.id}",
        on_click=_resume,
        args=(run, job),
    )


def _stop(job: ProbeJob) -> None:
    try:
        jobs.request_stop(job.folder, "now")
    except OSError as error:
        st.session_state[_problem_key(job)] = str(error)


def _resume(run: Run, job: ProbeJob) -> None:
    st.session_state.pop(_problem_key(job), None)
    try:
        resume_probe(run.folder, job.folder)
    except (jobs.AlreadyRunning, jobs.StartFailed, OSError) as error:
        st.session_state[_problem_key(job)] = str(error)


def _problem_key(job: ProbeJob) -> str:
    """Where the session keeps what went wrong with the last press."""
    return f"probe-problem-{job.folder.id}"


def _footnote(job: ProbeJob) -> str:
    q = job.question
    trials = ", ".join(str(c.trial) for c in q.configurations)
    steps = f"{run_words(q)} a run"
    if q.n_timesteps != q.study_timesteps:
        steps += f" where the study trains {study_words(q)}: the answer is for the shorter training"
    trained = runs_trained_by(job.results)
    by = f" Trained by {frame.escape(trained)}." if trained else ""
    return f"{_when(job)}, with the configurations of trials {trials}; {steps}.{by}"


def _when(job: ProbeJob) -> str:
    when = job.status.ended_at or job.status.created_at
    local = time.strftime("%Y-%m-%d %H:%M", time.localtime(when))
    return f"{local} ({age(time.time() - when)})"


def _info(job: ProbeJob) -> ProbeInfo:
    return probe_info(job.question, job.results, n_runs=len(job.plan.runs))


def _readable(run: Run, name: str) -> list[ProbeJob]:
    return [job for job in find_probes(run.folder, name) if isinstance(job, ProbeJob)]
