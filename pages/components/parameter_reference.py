"""A reference of an algorithm's parameters, drawn from its data file."""

import streamlit as st

from pages.components import frame
from tuning.algorithms import algorithm, algorithm_names
from tuning.guide.reference import reference_rows


def draw() -> None:
    """Draw the choice of the algorithm and its parameters."""
    names = algorithm_names()
    chosen = st.selectbox(
        "Algorithm",
        names,
        index=names.index("PPO"),
        key="reference",
        bind="query-params",
        help="Whose parameters the table lists. Launch searches or fixes each of them by its name.",
    )
    known = algorithm(chosen)
    st.table(
        [
            {
                "Parameter": f"`{row.name}`",
                "What it does": frame.escape(f"{row.about} {row.why}".strip()),
                "Default": frame.escape(row.default),
                "Searched by a preset": frame.escape(row.searched),
                "Must be": frame.escape(row.limits),
            }
            for row in reference_rows(known)
        ],
        border="horizontal",
    )
    package = "Stable-Baselines3" if known.package == "stable_baselines3" else "sb3-contrib"
    st.caption(
        f"{len(known.arguments)} arguments of {chosen} that a study may set. *Default* is {package}'s own. "
        "*Must be* is the natural limit, past which a value is never right. Ranges are of what the algorithm "
        "receives."
    )
