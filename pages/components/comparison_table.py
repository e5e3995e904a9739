"""A table that puts studies side by side, and the same in full precision to take home."""

from collections.abc import Sequence

import streamlit as st

from pages.components import table_csv
from tuning.compared_table import ComparedRow, full_frame, words_frame

_NAME_PX, _MARK_PX = 190, 62


def draw(rows: Sequence[ComparedRow], names: Sequence[str], *, key: str, alt: str) -> None:
    """Draw one row for each thing compared, one column for each study.

    Args:
        rows: what is compared; those that differ are marked.
        names: of the studies, as people see them.
        key: unique on the page; also the start of the file's name.
        alt: what the table shows, for people who cannot see it.
    """
    column = st.column_config
    st.dataframe(
        words_frame(rows, len(names)),
        hide_index=True,
        width="stretch",
        height="content",
        key=f"compare-{key}",
        alt=alt,
        column_config={
            "what": column.TextColumn("", width=_NAME_PX, pinned=True),
            "differs": column.TextColumn("Differs", width=_MARK_PX, help="≠ where not all say the same."),
            **{f"study_{k}": column.TextColumn(name, width="medium") for k, name in enumerate(names)},
        },
    )
    table_csv.draw(lambda: full_frame(rows, names), f"{key}.csv", key=f"compare-csv-{key}")
