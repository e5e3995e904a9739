"""What is said of a study that is not ours: where it lies, and that it is only read here."""

import streamlit as st

from pages.components import frame
from storage.paths import RunFolder
from storage.source import Source
from tuning.launch import Run


def source_words(source: Source) -> str:
    """Return the study and its file as Markdown."""
    return f"**{frame.escape(source.study[:80])}** in {frame.escape(str(source.path))}"


def draw_live(run: Run) -> None:
    """Say why there is nothing to watch or to steer, and where to read the study."""
    assert run.source is not None
    st.markdown(
        f"This study runs elsewhere, if it runs: {source_words(run.source)}. Edgewise only reads its file; "
        "the other pages follow it as it grows."
    )
    draw_links(run.folder)


def draw_no_trials(run: Run) -> None:
    """Say that the file holds no trial of the study yet."""
    assert run.source is not None
    st.info(
        f"There are no trials yet: {source_words(run.source)}. They appear here once whoever runs the study "
        "stores the first one.",
        icon=":material/hourglass_empty:",
    )


def draw_links(folder: RunFolder) -> None:
    """Link the pages that work on any study."""
    with st.container(horizontal=True):
        for file, label, icon in frame.linked(frame.PAGES[-1]):
            st.page_link(file, label=label, icon=icon, query_params={"study": folder.id})
