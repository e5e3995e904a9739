"""The worst verdict of a study as one small badge that leads to Saturation."""

import streamlit as st

from pages.components import frame, verdict_words, weighing
from storage.paths import RunFolder

_EVERY = "1s"


def draw(folder: RunFolder) -> None:
    """Draw the badge; nothing until a verdict is known. Costs the page no time: a thread works it out."""
    known = weighing.known_saturation(folder)
    label = verdict_words.study_label(known.info) if known.info else None
    if known.info is not None and known.info.worst is not None and label is not None:
        with st.container(key="verdict-badge"):
            st.page_link(
                "pages/saturation.py",
                label=f":{verdict_words.colour(known.info.worst)}-badge[{frame.escape(label)}]",
                icon=":material/arrow_range:",
                query_params={"study": folder.id},
                help="The worst verdict on the ranges of the search space. Saturation has the evidence.",
            )
    if known.pending:
        st.fragment(_wait, run_every=_EVERY)(folder)


def _wait(folder: RunFolder) -> None:
    """Draw the page again once the verdict is there; the plots on it do not change."""
    if not weighing.known_saturation(folder).pending:
        st.rerun()
