"""Open a study that is not ours: pick or name its file, pick the study in it, and look at it."""

from pathlib import Path

import streamlit as st

from pages.components import cached, frame
from storage.foreign import NoSuchStudy, StudyListing
from storage.paths import runs_root
from storage.roots import NotAllowed, check_allowed, find_under_roots, study_roots
from storage.source import SourceUnreadable
from tuning.analysis.look import count, whole
from tuning.opening import open_study

_FILE, _STUDY = "open-file", "open-study-name"


def draw() -> None:
    """Draw the form; a person who opens a study is taken to its history."""
    with st.container(border=True, key="open-a-study"):
        st.subheader("Open a study", anchor=False)
        st.caption(
            "Any Optuna study with one objective: a journal file or a SQLite file, from RL Zoo or from a "
            "script of yours. It is only read."
        )
        file = st.selectbox(
            "File",
            [str(path) for path in cached.candidates(study_roots(), runs_root())],
            index=None,
            key=_FILE,
            format_func=_short,
            accept_new_options=True,
            placeholder="Pick a file, or type its path",
            help=f"Pages open files under {_roots()}. Whoever starts the server names other folders in "
            "EDGEWISE_STUDY_ROOTS.",
        )
        if file:
            _draw_studies(file)


def _draw_studies(text: str) -> None:
    if "://" in text:
        st.error(
            "Pages open files only: the URL of a database would choose a module to import and a host to "
            "contact. In a terminal, `python -m tuning diagnose URL` takes one.",
            icon=":material/block:",
        )
        return
    try:
        path = find_under_roots(text)
        studies = cached.studies_in(path)
    except (SourceUnreadable, NotAllowed) as error:
        st.error(frame.escape(str(error)), icon=":material/block:")
        return
    usable = {study.name: study for study in studies if study.supported}
    if not studies:
        st.info("This file holds no study yet: whoever uses it has created none.", icon=":material/inbox:")
        return
    if len(usable) < len(studies):
        st.info(_left_out([s for s in studies if not s.supported]), icon=":material/call_split:")
    if not usable:
        return
    name = st.selectbox(
        "Study",
        list(usable),
        key=f"{_STUDY}-{hash((str(path), tuple(usable)))}",
        format_func=lambda name: _words(usable[name]),
        disabled=len(usable) == 1,
        help="The file holds these. Each one that you open becomes a line in the list of studies.",
    )
    if st.button("Open", key="open-now", icon=":material/folder_open:"):
        try:
            with st.spinner("Reading the study"):
                folder = open_study(check_allowed(path), name, runs_root())
        except (SourceUnreadable, NoSuchStudy, OSError) as error:
            st.error(frame.escape(str(error)), icon=":material/error:")
        else:
            frame.go("pages/history.py", folder)


def _words(study: StudyListing) -> str:
    return f"{study.name[:80]} · {study.directions[0]} · {count(study.n_trials, 'trial')}"


def _left_out(studies: list[StudyListing]) -> str:
    shown = ", ".join(frame.escape(s.name[:60]) for s in studies[:5])
    more = f" and {whole(len(studies) - 5)} more" if len(studies) > 5 else ""
    return f"Left out, because they have several objectives and every view here compares one: {shown}{more}."


def _short(file: str) -> str:
    """Return a file relative to its root, which is how a person knows it."""
    for root in study_roots():
        if Path(file).is_relative_to(root):
            return str(Path(file).relative_to(root))
    return file


def _roots() -> str:
    return ", ".join(frame.escape(str(root)) for root in study_roots())
