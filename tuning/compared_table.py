"""A table that puts studies side by side: one row for each thing compared, one column for each study."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from tuning.analysis.words import UNKNOWN, three_digits, whole

DIFFERS, SAME = "≠", ""
_MOST_TEXT = 200  # characters of one cell; a study that is not ours may hold anything


@dataclass(frozen=True)
class ComparedRow:
    """One thing in every study; None where a study does not say."""

    label: str
    values: tuple[Any, ...]

    @property
    def differs(self) -> bool:
        """Whether two studies that say anything say different things, or only some of them say anything."""
        return len({_key(value) for value in self.values}) > 1


def words_frame(rows: Sequence[ComparedRow], n_studies: int) -> pd.DataFrame:
    """Return the table for people: what, differs, and study_0, study_1, ... with three digits a number."""
    return pd.DataFrame(
        {
            "what": [row.label for row in rows],
            "differs": [DIFFERS if row.differs else SAME for row in rows],
            **{f"study_{k}": [cell_words(row.values[k]) for row in rows] for k in range(n_studies)},
        },
        dtype="object",
    )


def full_frame(rows: Sequence[ComparedRow], names: Sequence[str]) -> pd.DataFrame:
    """Return the table for a file: numbers in full precision, nothing where a study does not say."""
    columns: dict[str, list[Any]] = {
        "what": [row.label for row in rows],
        "differs": [DIFFERS if row.differs else SAME for row in rows],
    }
    for k, name in enumerate(names):
        header = f"{name} (study {k + 1})" if name in columns else name
        columns[header] = [_plain(row.values[k]) for row in rows]
    return pd.DataFrame(columns, dtype="object")


def cell_words(value: Any) -> str:
    """Return a value as people read it."""
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return whole(value)
    if isinstance(value, float):
        return three_digits(value)
    text = value if isinstance(value, str) else json.dumps(value, default=repr)
    text = " ".join(text.split())
    return text if len(text) <= _MOST_TEXT else text[: _MOST_TEXT - 1] + "…"


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float):
        return value
    return json.dumps(value, default=repr)


def _key(value: Any) -> str:
    """Tell 1 from True, but not 1 from 1.0: both train the same."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(float(value))
    return json.dumps(value, sort_keys=True, default=repr)
