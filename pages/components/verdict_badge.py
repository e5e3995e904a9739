"""The worst verdict of a study as one small badge that leads to Saturation."""

from typing import TYPE_CHECKING

import streamlit as st

from pages.components import frame, weighing
from storage.paths import RunFolder
from tuning.analysis import verdict_words

if TYPE_CHECKING:
    from tuning.analysis.saturation import SaturationInfo

_EVERY = "1s"


def draw(folder: RunFolder) -> None:
    """Draw the badge; nothing until a verdict is known. Costs the page no time: a thread works it out."""
    known = weighing.known_saturation(folder)
    with st.container(key="verdict-badge"):  # always, so that the badge moves nothing below to another place
        if known.info is not None:
            _draw_link(folder, known.info)
        if known.pending:
            st.fragment(_wait, run_every=_EVERY)(folder)


def _draw_link(folder: RunFolder, info: "SaturationInfo") -> None:
    label = verdict_words.study_label(info)
    if info.worst is None or label is None:
        return
    st.page_link(
        "pages/saturation.py",
        label=f":{verdict_words.colour(info.worst)}-badge[{frame.escape(label)}]",
        icon=":material/arrow_range:",
        query_params={"study": folder.id},
        help="The worst verdict on the ranges of the search space. Saturation has the evidence.",
    )


def _wait(folder: RunFolder) -> None:
    """Draw the page again once the verdict is there; the plots on it do not change."""
    if not weighing.known_saturation(folder).pending:
        st.rerun()
