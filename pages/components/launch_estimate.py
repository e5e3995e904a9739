"""How long will it take? A guess at once; measured on this machine when somebody asks."""

import time

import pandas as pd
import streamlit as st

from pages.components import frame
from storage.paths import runs_root
from tuning.analysis.look import age, count, whole
from tuning.calibrating import kept
from tuning.calibration import Calibration, StudyTime, covers, key_of, study_time
from tuning.calibration_child import CalibrationBusy, CalibrationChild
from tuning.calibration_words import basis_sentence, rough_range, slowdown_sentence, trial_sentence
from tuning.combinations import planned_trials
from tuning.estimate import Estimate, study_seconds
from tuning.spec import StudySpec

_CHILD = "calibration"  # session: (key, child) of the newest one
_PROBLEM = "calibration-problem"  # session: why the last press did nothing
_TICK = "500ms"
HELP = (
    "Trains four configurations of your space for a second each in this environment, first one at a time, "
    "then as many at a time as there are workers and cores. Nothing of it is kept but the times."
)


def draw_line(spec: StudySpec) -> None:
    """Draw the time in one line, and the button that measures it."""
    found = kept(runs_root(), spec)
    if found is None:
        estimate = study_seconds(spec)
        st.caption(estimate_sentence(spec, estimate), width="content", help=estimate.basis)
    else:
        told = study_time(spec, found)
        now = time.time()
        st.caption(
            measured_sentence(spec, told, found, now=now),
            width="content",
            help=basis_sentence(found, now=now),
        )
    child = _child(spec)
    if child is None or not child.is_running:
        label = "Measure" if found is None else "Measure again"
        st.button(
            label, type="tertiary", icon=":material/timer:", key="measure", on_click=_measure, args=(spec,),
            help=HELP,
        )  # fmt: skip


def draw_details(spec: StudySpec) -> None:
    """Draw what is being measured, what went wrong, or what was measured for each number of workers."""
    child = _child(spec)
    if child is not None and child.is_running:
        st.fragment(_watch, run_every=_TICK)(child)
        return
    problem = st.session_state.pop(_PROBLEM, None) or (child.fault if child else "")
    if problem:
        st.warning(frame.escape(problem), icon=":material/timer_off:")
    found = kept(runs_root(), spec)
    if found is None:
        return
    told = study_time(spec, found)
    with st.expander("Where the time goes", icon=":material/timer:"):
        st.dataframe(
            time_frame(told), hide_index=True, width="content", alt="The study's time by number of workers"
        )
        lines = [
            trial_sentence(told),
            slowdown_sentence(told, found),
            basis_sentence(found, now=time.time()),
            "" if covers(found, spec) else "More workers are asked for than were measured side by side.",
        ]
        st.caption(" ".join(line for line in lines if line))
        for failure in found.failures:
            st.caption(f":orange[:material/warning:] {frame.escape(failure)}")


def time_frame(told: StudyTime) -> pd.DataFrame:
    """Return the table as it is drawn. Columns: Workers, Study (a range), Steps/s (of all workers)."""
    return pd.DataFrame(
        {
            "Workers": [row.n_workers for row in told.rows],
            "Study": [rough_range(row.low_s, row.high_s) for row in told.rows],
            "Steps/s": [whole(row.steps_per_s) for row in told.rows],
        }
    )


def estimate_sentence(spec: StudySpec, estimate: Estimate) -> str:
    """Return what is asked for and roughly how long it takes."""
    return f"{_asked(spec)}: roughly {rough_range(estimate.low_s, estimate.high_s)}"


def measured_sentence(spec: StudySpec, told: StudyTime, found: Calibration, *, now: float) -> str:
    """Return what is asked for and how long that takes as measured; `now` in seconds since the epoch."""
    row = told.row(spec.n_workers)
    when = age(now - found.measured_at)
    return f"{_asked(spec)}: {rough_range(row.low_s, row.high_s)}, measured on this machine {when}"


def _asked(spec: StudySpec) -> str:
    return f"{count(planned_trials(spec), 'trial')} on {count(spec.n_workers, 'worker')}"


def _child(spec: StudySpec) -> CalibrationChild | None:
    """Return the session's newest measurement of such a request; one of another request is ended."""
    key, child = st.session_state.get(_CHILD, ("", None))
    if child is None or key == key_of(spec):
        return child
    child.end()
    del st.session_state[_CHILD]
    return None


def _measure(spec: StudySpec) -> None:
    try:
        st.session_state[_CHILD] = (key_of(spec), CalibrationChild(spec, runs_root()))
    except (CalibrationBusy, OSError) as error:
        st.session_state[_PROBLEM] = str(error)


def _watch(child: CalibrationChild) -> None:
    if not child.is_running:
        st.rerun()
    st.status(f"Measuring. {frame.escape(child.words)}", state="running")
