"""Which trial a person chose in the end, in one line: for the pages that show the study otherwise."""

import streamlit as st

from storage.paths import RunFolder
from storage.winner import Winner, read_winner
from tuning.analysis.winner_words import expected_words


def chosen_words(winner: Winner) -> str:
    """Return what was chosen, as Markdown."""
    return f"**Chosen: trial {winner.trial}.** {expected_words(winner)}".rstrip()


def draw_chosen(folder: RunFolder) -> None:
    """Say in one line which trial was chosen, where a page shows the study otherwise; nothing without one."""
    winner = read_winner(folder)
    if winner is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="chosen"):
        st.markdown(f":material/verified: {chosen_words(winner)}", width="content")
        if winner.reevaluation is not None:
            st.page_link(
                "pages/reevaluation.py",
                label="Re-evaluation",
                icon=":material/arrow_forward:",
                query_params={"study": folder.id, "reevaluation": winner.reevaluation},
            )
