"""Every trial as a row: filter it, sort it by a click on a column, take it home as CSV, select a trial."""

from functools import partial

import pandas as pd
import streamlit as st

from pages.components import trial_choice
from tuning.analysis.table import readable_seconds, trials_csv

_ROW_PX = 35
_MOST_ROWS = 12
_PARAMETER = "param_"
_NUMBER = st.column_config.NumberColumn
_TEXT = st.column_config.TextColumn
_SEARCHED = ("number", "state", "error", "baseline", "proposed_by", "origin", "trained_by", "note")


def draw(frame: pd.DataFrame, *, file_name: str, chosen: int | None) -> None:
    """Draw filters, table and download.

    Args:
        frame: as `tuning.analysis.table.trials_frame` returns it, and a column `note` (text).
        file_name: of the CSV.
        chosen: the trial that is looked at; its row is marked.
    """
    shown = _filtered(frame)
    shown = shown.sort_values(["rank", "number"], na_position="last", kind="stable").reset_index(drop=True)
    if shown.empty:
        st.info("No trial matches. Clear the text or pick more states.", icon=":material/filter_alt_off:")
        return
    numbers = [int(n) for n in shown["number"]]
    # A selection is kept by row, not by trial: other rows or a choice made elsewhere need another key.
    key = f"trials-{trial_choice.changes()}-{hash(tuple(numbers))}"
    rows = [numbers.index(chosen)] if chosen in numbers else []
    st.dataframe(
        shown.assign(
            last_report=shown["last_report"].where(shown["value"].isna()),
            duration_s=shown["duration_s"].map(readable_seconds),
        ),
        width="stretch",
        height=_ROW_PX * (min(len(shown), _MOST_ROWS) + 1) + 3,
        hide_index=True,
        column_order=_columns(shown),
        column_config=_config(shown),
        placeholder="",
        key=key,
        on_select=partial(_choose_from_table, key, numbers),
        selection_mode="single-row",
        selection_default={"selection": {"rows": rows}},
        alt="Table of trials with their state, value and parameters",
    )
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(
            f"{len(shown)} of {len(frame)} trials, the best first. Select a row to see that trial; "
            "click a column's name to sort."
        )
        st.download_button(
            "Download CSV",
            lambda: trials_csv(shown),
            file_name=file_name,
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
            help="The trials shown here, in full precision.",
        )


def _choose_from_table(key: str, numbers: list[int]) -> None:
    rows = st.session_state[key].selection.rows
    trial_choice.choose(numbers[rows[0]] if rows else None, in_table=True)


def _filtered(frame: pd.DataFrame) -> pd.DataFrame:
    counts = frame["state"].value_counts()
    states, words = st.columns([3, 2])
    picked = states.pills(
        "State",
        list(counts.index),
        selection_mode="multi",
        format_func=lambda state: f"{state} {counts.get(state, 0)}",
        key="trial-states",
        wrap=True,
        help="Show only trials in these states; none picked shows all.",
    )
    text = words.text_input(
        "Text",
        key="trial-text",
        type="search",
        placeholder="tanh, NaN, 41",
        max_chars=100,
        help="Show only trials with this text in a parameter, an error, a baseline's name, the trainer, a "
        "note or their number.",
    )
    if picked:
        frame = frame[frame["state"].isin(picked)]
    if text.strip():
        columns = [c for c in frame.columns if c.startswith(_PARAMETER) or c in _SEARCHED]
        matches = frame[columns].astype("string").apply(_contains, text=text.strip())
        frame = frame[matches.any(axis=1)]
    return frame


def _contains(column: "pd.Series[str]", text: str) -> "pd.Series[bool]":
    return column.str.contains(text, case=False, regex=False).fillna(False)


def _columns(frame: pd.DataFrame) -> list[str]:
    wanted = ["number", "state", "value", "second", "last_std", "last_report"]
    wanted += [c for c in frame.columns if c.startswith(_PARAMETER)]
    wanted += ["duration_s", "started", "baseline", "proposed_by", "retry_of", "origin", "trained_by"]
    wanted += ["error", "note"]
    return [c for c in wanted if c == "value" or _says_something(frame[c])]


def _says_something(column: pd.Series) -> bool:
    return bool((column.notna() & (column.astype("string") != "")).any())


def _config(frame: pd.DataFrame) -> dict:
    config: dict = {
        "number": _NUMBER("Trial", pinned=True, width=60),
        "state": _TEXT("State", width=90),
        "value": _NUMBER("Value", format="%.4g", help="Mean undiscounted return of the last evaluation."),
        "second": _NUMBER(
            "Second objective", format="%.4g", help="Smaller is better: seconds, or env steps."
        ),
        "last_std": _NUMBER("± std", format="%.3g", help="Over the episodes of the last evaluation."),
        "last_report": _NUMBER(
            "Last report", format="%.4g", help="The newest value of a trial that has no result."
        ),
        "duration_s": _NUMBER("Duration, s", format="plain"),
        "started": st.column_config.DatetimeColumn("Started", format="D MMM, HH:mm:ss"),
        "baseline": _TEXT("Baseline"),
        "proposed_by": _TEXT(
            "Proposed by", help="Who queued it, or the random share; empty where the sampler chose."
        ),
        "retry_of": _NUMBER("Retry of"),
        "origin": _TEXT("Origin", width="medium", help="Which trial of another study it is, or runs again."),
        "trained_by": _TEXT("Trained by", help="Whose code trained it, and why not the fast kernels."),
        "error": _TEXT("Error", width="large"),
        "note": _TEXT("Note", width="large"),
    }
    for column in (c for c in frame.columns if c.startswith(_PARAMETER)):
        name = column.removeprefix(_PARAMETER)
        numeric = pd.api.types.is_float_dtype(frame[column])
        config[column] = _NUMBER(name, format="%.4g") if numeric else st.column_config.Column(name)
    return config
