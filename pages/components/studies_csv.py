"""The list of studies to take home: one row each, in full precision."""

import datetime
from collections.abc import Sequence

import pandas as pd

from pages.components import table_csv
from pages.components.study_table import StudyRow


def studies_frame(rows: Sequence[StudyRow]) -> pd.DataFrame:
    """Return one row a study.

    Columns: id, name, state, environment, algorithm, trials (complete and pruned), budget (of trials), best
    (value), chosen_trial, ranges (worst verdict), tags (separated by commas), note, continues (id), file (of
    a study that is not ours), archived, created (local time).
    """
    return pd.DataFrame(
        {
            "id": [row.id for row in rows],
            "name": [row.label for row in rows],
            "state": [row.state for row in rows],
            "environment": [row.environment or "" for row in rows],
            "algorithm": [row.algorithm or "" for row in rows],
            "trials": pd.Series([row.done for row in rows], dtype="Int64"),
            "budget": pd.Series([row.total for row in rows], dtype="Int64"),
            "best": pd.Series([row.best for row in rows], dtype="float64"),
            "chosen_trial": pd.Series([row.chosen for row in rows], dtype="Int64"),
            "ranges": [row.ranges for row in rows],
            "tags": [", ".join(row.tags) for row in rows],
            "note": [row.note for row in rows],
            "continues": [row.continues or "" for row in rows],
            "file": [row.file or "" for row in rows],
            "archived": [row.archived for row in rows],
            "created": pd.to_datetime(pd.Series([_local(row.created_at) for row in rows], dtype="object")),
        }
    )


def draw(rows: Sequence[StudyRow]) -> None:
    """Draw the download of the studies that are shown; nothing where there are none or just one."""
    if len(rows) > 1:
        table_csv.draw(
            lambda: studies_frame(rows),
            "studies.csv",
            key="studies-csv",
            about="The studies shown here, in full precision, with their notes.",
        )


def _local(seconds: float | None) -> datetime.datetime | None:
    return None if seconds is None else datetime.datetime.fromtimestamp(seconds).replace(microsecond=0)
