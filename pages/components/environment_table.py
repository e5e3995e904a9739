"""Every environment with what it is like, as a table to search and to choose from."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from tuning.env_survey import Surveyed
from tuning.environments import EnvInfo

_TABLE = "launch-env-table"
_SEARCH = "launch-env-search"
_PICKED = "launch-env-picked"  # session: what was chosen in the table, until the form takes it over


def picked() -> str | None:
    """Return, once, the environment that a person has just chosen in the table."""
    found: str | None = st.session_state.pop(_PICKED, None)
    return found


@st.dialog("All environments", width="large")
def browse(infos: Sequence[EnvInfo], found: Mapping[str, Surveyed], hidden: Mapping[str, str]) -> None:
    """Draw the table, above the page.

    Args:
        infos: all environments.
        found: what is known of them so far.
        hidden: those in which the algorithm cannot be trained, with why.
    """
    sought = st.text_input(
        "Search", key=_SEARCH, placeholder="pole, continuous, image", icon=":material/search:"
    )
    rows = environment_rows(infos, found, hidden, sought)
    if rows.empty:
        st.caption("No environment has all these words. Search for fewer.")
        return
    event = st.dataframe(
        rows,
        hide_index=True,
        key=_TABLE,
        on_select="rerun",
        selection_mode="single-row",
        height=min(40 + 35 * len(rows), 480),
        column_config={
            "Environment": st.column_config.TextColumn(pinned=True),
            "Steps": st.column_config.NumberColumn(help="After which an episode ends at the latest."),
            "Solved at": st.column_config.NumberColumn(help="Return from which it counts as solved."),
        },
    )
    st.caption("Tick a row to choose its environment. Columns sort by a click on their heads.")
    chosen = event.selection.rows
    if chosen and chosen[0] < len(rows):
        st.session_state[_PICKED] = str(rows["Environment"].iloc[chosen[0]])
        st.rerun()


def environment_rows(
    infos: Sequence[EnvInfo], found: Mapping[str, Surveyed], hidden: Mapping[str, str], sought: str
) -> pd.DataFrame:
    """Return one row for each environment that has all the words that are sought, in any column."""
    rows = []
    for info in infos:
        seen = found[info.id].description if info.id in found else None
        row = {
            "Environment": info.id,
            "Steps": info.max_episode_steps,
            "Solved at": info.reward_threshold,
            "Acts": "" if seen is None else seen.action_kind,
            "Observes": "" if seen is None else seen.observation_kind,
            "Action": "" if seen is None else seen.action_space,
            "Observation": "" if seen is None else seen.observation_space,
            "From": info.source,
            "Not for this algorithm": hidden.get(info.id, ""),
        }
        text = " ".join(str(value) for value in row.values()).lower()
        if all(word in text for word in sought.lower().replace(",", " ").split()):
            rows.append(row)
    table = pd.DataFrame(rows)
    return table.astype({"Steps": "Int64", "Solved at": "Float64"}) if rows else table
