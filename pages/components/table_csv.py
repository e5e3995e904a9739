"""A table to take home: one button that looks the same everywhere, and numbers in full precision."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from tuning.analysis.table import trials_csv


def draw(
    table: pd.DataFrame | Callable[[], pd.DataFrame], file_name: str, *, key: str, about: str = ""
) -> None:
    """Draw the download of a table.

    Streamlit's own button above a table writes what the table shows, rounded for people.

    Args:
        table: in full precision, with a name for each column; or what makes it once somebody presses.
        file_name: with its ending.
        key: unique on the page.
        about: what the file has, where that is not the table above.
    """
    st.download_button(
        "Download CSV",
        lambda: trials_csv(table if isinstance(table, pd.DataFrame) else table()),
        file_name=file_name,
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key=key,
        help=about or "In full precision.",
    )
