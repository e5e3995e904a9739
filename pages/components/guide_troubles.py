"""What to do when tuning goes wrong."""

import streamlit as st

from pages.components import frame
from tuning.guide.text import troubles


def draw() -> None:
    """Draw each trouble behind its title: the sign, the remedy, and where to click."""
    for trouble in troubles():
        with st.expander(trouble.title, icon=":material/healing:"):
            st.markdown(f"**The sign.** {trouble.sign}")
            st.markdown(f"**What to do.** {trouble.remedy}")
            with st.container(horizontal=True):
                for page in trouble.pages:
                    frame.link(page)
