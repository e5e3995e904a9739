"""Launch filled from another study's request, to be edited and started from scratch."""

import streamlit as st

from pages.components import cached, continuing, frame
from pages.components.launch_fields import PREFIX
from storage.paths import RunFolder, UnknownRun, find_run, runs_root
from storage.remarks import study_name
from tuning.spec import StudySpec

LIKE = "like"  # in the URL: id of the study whose request fills the form
_FILLED = PREFIX + "like"  # session: the study whose request fills it


def open_launch(folder: RunFolder) -> None:
    """Switch to Launch, filled anew from a study's request."""
    st.session_state.pop(_FILLED, None)
    continuing.forget()
    st.switch_page("pages/launch.py", query_params={LIKE: folder.id})


def first_request() -> StudySpec | None:
    """Return what to fill the form with, once; None when nothing is duplicated or the form is filled.

    A study without a request that can be read is said, and the form left as it is.
    """
    wanted = st.query_params.get(LIKE)
    if not wanted:
        st.session_state.pop(_FILLED, None)
        return None
    try:
        folder = find_run(runs_root(), str(wanted))
        spec = cached.spec(folder)
        problem = "" if spec else "It was not launched from here, so what it asked for is not known."
    except UnknownRun:
        problem = "It may have been deleted."
    except cached.UNREADABLE as error:
        problem = str(error)
    if problem:
        st.query_params.pop(LIKE, None)
        st.warning(
            f"The study {frame.escape(str(wanted)[:80])} cannot be duplicated. {frame.escape(problem)}",
            icon=":material/search_off:",
        )
        return None
    st.caption(
        f":material/content_copy: Filled from {frame.escape(study_name(folder))}. It starts from scratch, "
        "with the same seed: left as it is, it would search the same again. To import that study's trials, "
        "widen it on Saturation."
    )
    if st.session_state.get(_FILLED) == folder.id:
        return None
    st.session_state[_FILLED] = folder.id
    return spec
