"""One way to put a figure on a page: its own colours, full width, a caption that says how to read it."""

from functools import partial

import plotly.graph_objects as go
import streamlit as st

from pages.components import trial_choice

_CONFIG = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
}


def draw(figure: go.Figure, key: str, *, caption: str, alt: str, choose_trial: bool = False) -> None:
    """Draw a figure of `tuning.analysis`.

    Args:
        figure: it carries the colours of its theme, so Streamlit's own theme stays out.
        key: unique on the page.
        caption: one sentence on how to read it.
        alt: what it shows, for people who cannot see it.
        choose_trial: a click on a point looks at that point's trial.
    """
    if choose_trial:
        st.plotly_chart(
            figure,
            width="stretch",
            theme=None,
            key=key,
            on_select=partial(trial_choice.choose_from_plot, key),
            selection_mode="points",
            config=_CONFIG,
            alt=alt,
        )
    else:
        st.plotly_chart(figure, width="stretch", theme=None, key=key, config=_CONFIG, alt=alt)
    st.caption(caption)
