"""A reference of an algorithm's parameters, drawn from its data file."""

import streamlit as st

from pages.components import frame, viewport
from tuning.algorithms import algorithm, algorithm_names
from tuning.guide.reference import ReferenceRow, reference_rows


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
    rows = reference_rows(known)
    if viewport.is_narrow():
        _draw_blocks(rows)
    else:
        _draw_table(rows)
    package = "Stable-Baselines3" if known.package == "stable_baselines3" else "sb3-contrib"
    st.caption(
        f"{len(known.arguments)} arguments of {chosen} that a study may set. *Default* is {package}'s own. "
        "*Must be* is the natural limit, past which a value is never right. Ranges are of what the algorithm "
        "receives."
    )


def _draw_table(rows: list[ReferenceRow]) -> None:
    st.table(
        [
            {
                "Parameter": f"`{row.name}`",
                "What it does": frame.escape(row.about),
                "Default": frame.escape(row.default),
                "Searched by a preset": frame.escape(row.searched),
                "Must be": frame.escape(row.limits),
            }
            for row in rows
        ],
        border="horizontal",
    )


def _draw_blocks(rows: list[ReferenceRow]) -> None:
    """Draw a block for each parameter: a phone has no room for columns."""
    for row in rows:
        facts = [f"Default: {row.default}"]
        if row.searched:
            facts.append(f"searched: {row.searched}")
        if row.limits:
            facts.append(f"must be {row.limits}")
        st.markdown(f"`{row.name}`  \n{frame.escape(row.about)}")
        st.caption(frame.escape("; ".join(facts) + "."))
