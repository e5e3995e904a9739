"""Launch as the continuation of another study: which one, with which ranges, and how to leave it."""

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pages.components import cached, frame, weighing
from pages.components.launch_fields import PREFIX
from storage.paths import RunFolder, UnknownRun, find_run, runs_root
from storage.remarks import study_name
from tuning.analysis.look import count
from tuning.continuation import Continuation, continuation
from tuning.launch import Run
from tuning.spec import SpecError, StudySpec
from tuning.widen import suggested_changes, widened_spec

if TYPE_CHECKING:
    from tuning.analysis.saturation import SaturationInfo

FROM = "from"  # in the URL: id of the study that is continued
NOT_OURS = (
    "This study was not launched from here, so its algorithm and its environment are not known. "
    "Widen the range where it was made."
)
_FILLED = PREFIX + "continues"  # session: the study whose ranges fill the form
_EVERY = "500ms"


def open_launch(folder: RunFolder) -> None:
    """Switch to Launch, filled anew from a study and the ranges that are suggested for it."""
    st.session_state.pop(_FILLED, None)
    st.switch_page("pages/launch.py", query_params={FROM: folder.id})


def parent() -> Run | None:
    """Return the study that Launch continues, or None; one that cannot be continued is said and forgotten."""
    wanted = st.query_params.get(FROM) or st.session_state.get(_FILLED)
    if not wanted:
        return None
    try:
        run = cached.run(find_run(runs_root(), str(wanted)))
        problem = NOT_OURS if run.spec is None else ""
    except UnknownRun:
        problem = f"There is no study named {str(wanted)[:80]} here. It may have been deleted."
    except cached.UNREADABLE as error:
        problem = f"The study {wanted} cannot be read. {error}"
    if problem:
        forget()
        st.warning(
            f"{frame.escape(problem)} The form below starts a study from scratch.",
            icon=":material/search_off:",
        )
        return None
    if st.query_params.get(FROM) != run.folder.id:
        st.query_params[FROM] = run.folder.id
    return run


def forget() -> None:
    """Start from scratch: what the form holds stays."""
    st.session_state.pop(_FILLED, None)
    st.query_params.pop(FROM, None)


def first_request(run: Run) -> StudySpec | None:
    """Return what to fill the form with, or None when it is filled from this study already.

    The ranges are the suggested ones. Ends the page while a thread works those out.
    """
    assert run.spec is not None
    if st.session_state.get(_FILLED) == run.folder.id:
        return None
    try:
        info = weighing.saturation(run) if run.study.trials else None
    except weighing.Unweighable as error:
        st.warning(f"{frame.escape(str(error))} The ranges are those of the study.")
        info = None
    else:
        if info is None and run.study.trials:
            st.fragment(_wait, run_every=_EVERY)(run)
            st.stop()
    st.session_state[_FILLED] = run.folder.id
    return _request(run.spec, info)


def read(run: Run, spec: StudySpec | None) -> tuple[Continuation | None, list[str]]:
    """Return what a study of this request inherits, and why it cannot continue the other one."""
    assert run.spec is not None
    if spec is None:
        return None, []
    try:
        return continuation(run.folder.id, run.spec, run.study.trials, spec), []
    except SpecError as error:
        return None, error.faults


def draw(run: Run, found: Continuation | None) -> None:
    """Draw what is continued, which ranges differ, and the way back to a study from scratch."""
    with st.container(border=True, key="continues"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            sentence = found.sentence if found else f"Continues {run.folder.id}."
            sentence = sentence.replace(run.folder.id, study_name(run.folder), 1)
            st.markdown(f"**{frame.escape(sentence)}**")
            st.button(
                "Start from scratch instead",
                on_click=_start_from_scratch,
                key="from-scratch",
                icon=":material/close:",
                help="Keeps what the form holds, and imports nothing.",
            )
        if found is None:
            return
        if found.changes:
            rows = {
                "Parameter": [change.name for change in found.changes],
                "Before": [change.range_before for change in found.changes],
                "After": [change.range_after for change in found.changes],
            }
            st.dataframe(
                pd.DataFrame(rows),
                hide_index=True,
                height="content",
                width="content",
                key="range-changes",
                alt="Ranges before and after",
            )
        else:
            st.caption("The search space is the same. Change its ranges below.")
        st.caption(frame.escape(" ".join(_details(run, found))))


def _details(run: Run, found: Continuation) -> list[str]:
    sentences = [
        "Imported trials guide the sampler and the pruner and do not count toward the budget; those that run "
        "again do."
    ]
    if found.left_out_sentence:
        sentences.append(found.left_out_sentence)
    sentences += found.notes
    if found.n_unfinished and run.status.state.alive:
        still = count(found.n_unfinished, "trial")
        sentences.append(
            f"{study_name(run.folder)} is still running: {still} not ended yet will not be imported."
        )
    return sentences


def _request(spec: StudySpec, info: "SaturationInfo | None") -> StudySpec:
    """Return the request with the suggested ranges, or, where those are not allowed, with its own."""
    try:
        return widened_spec(spec, suggested_changes(info) if info else {})
    except SpecError as error:
        faults = " ".join(error.faults)
        st.warning(f"The suggested ranges cannot be used: {frame.escape(faults)} They are left as they were.")
        return widened_spec(spec, {})


def _start_from_scratch() -> None:
    forget()
    st.session_state[PREFIX + "defaults-first"] = True
    st.session_state[PREFIX + "tuned-first"] = True


def _wait(run: Run) -> None:
    """Say that it works, and draw the page again once the verdicts are there."""
    try:
        ready = weighing.saturation(run) is not None
    except weighing.Unweighable:
        ready = True
    if ready:
        st.rerun()
    st.status("Weighing which ranges are too narrow", state="running")
