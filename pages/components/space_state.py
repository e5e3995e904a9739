"""The search space as Launch holds it in the session: its table, what is fixed beside it, how it came to be.

Buttons change it here; the next run of the page draws it. Every change can be undone.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import streamlit as st

from pages.components import search_space_editor
from pages.components.launch_fields import PREFIX, read_mapping
from tuning.space.parameters import Parameter

SPACE = "launch-space"  # session: (generation, base table); the editor's key holds the generation
DRAFT = "launch-draft"  # session: the table as last edited, for coming back to the page
HISTORY = "launch-space-history"  # session: EditHistory
FIXED = PREFIX + "hyperparameters"  # session: the text of the fixed hyperparameters
MAX_STEPS = 100
_RANGES = "launch-fixed-ranges"  # session: the parameter that each fixed hyperparameter was, by target
_ALGORITHM, _ENVS = PREFIX + "algorithm", PREFIX + "train-envs"


@dataclass(frozen=True)
class Snapshot:
    """The search space at one moment. Two with the same meaning are equal."""

    rows: tuple[str, ...]  # each row's cells as JSON, empty rows left out
    fixed: str
    algorithm: str
    table: pd.DataFrame = field(compare=False)
    n_train_envs: int | None = field(default=None, compare=False)  # a preset brings them along


@dataclass(frozen=True)
class EditHistory:
    """Where the search space has been, to go back to and forth from."""

    past: tuple[Snapshot, ...] = ()
    present: Snapshot | None = None
    future: tuple[Snapshot, ...] = ()

    def recorded(self, now: Snapshot) -> "EditHistory":
        """Return the history once the space is as it is now; a change forgets what was undone."""
        if self.present is None or self.present == now:
            return EditHistory(self.past, now, self.future)
        return EditHistory((*self.past, self.present)[-MAX_STEPS:], now)

    def undone(self) -> "EditHistory":
        """Return the history one step back."""
        if not self.past or self.present is None:
            return self
        return EditHistory(self.past[:-1], self.past[-1], (self.present, *self.future))

    def redone(self) -> "EditHistory":
        """Return the history one step forth."""
        if not self.future or self.present is None:
            return self
        return EditHistory((*self.past, self.present), self.future[0], self.future[1:])


def change_words(before: Snapshot, after: Snapshot) -> str:
    """Return what differs between two moments, in a few words."""
    if before.algorithm != after.algorithm:
        return f"{before.algorithm} to {after.algorithm}"
    old, new = (_by_name(snapshot.rows) for snapshot in (before, after))
    added = [name for name in new if name not in old]
    removed = [name for name in old if name not in new]
    changed = [name for name in new if name in old and new[name] != old[name]]
    parts = [(added, "added"), (removed, "removed"), (changed, "changed")]
    words = [f"{', '.join(names)} {verb}" for names, verb in parts if names]
    if before.fixed != after.fixed:
        words.append("fixed hyperparameters changed")
    text = "; ".join(words) or "the order of the rows"
    return text if len(text) <= 80 else text[:77] + "..."


def set_space(parameters: Sequence[Parameter]) -> None:
    """Replace the table of the search space."""
    set_table(search_space_editor.rows_from_parameters(parameters))


def set_table(table: pd.DataFrame) -> None:
    """Replace the table by this one; the editor starts anew."""
    generation = st.session_state.get(SPACE, (0, None))[0] + 1
    st.session_state[SPACE] = (generation, table.reset_index(drop=True))
    st.session_state.pop(DRAFT, None)


def table() -> pd.DataFrame:
    """Return the table as it was last edited."""
    current: pd.DataFrame = st.session_state.get(DRAFT, st.session_state[SPACE][1])
    return current


def append(parameter: Parameter) -> None:
    """Add a parameter below the others; what is edited in the table stays."""
    rows = [table(), search_space_editor.rows_from_parameters([parameter])]
    filled = [part for part in rows if not part.empty]
    set_table(pd.concat(filled, ignore_index=True))


def fixed() -> dict[str, Any]:
    """Return the fixed hyperparameters; what cannot be read is left out, the form says so elsewhere."""
    return read_mapping(st.session_state.get(FIXED), "", "", [])


def set_fixed(values: dict[str, Any]) -> None:
    """Replace the fixed hyperparameters."""
    st.session_state[FIXED] = fixed_text(values)


def fixed_text(values: dict[str, Any]) -> str:
    """Return hyperparameters as the form's text field has them, one a line."""
    return "\n".join(f"{name}: {json.dumps(value)}" for name, value in values.items())


def fix(parameter: Parameter, value: Any) -> None:
    """Take a parameter out of the search and fix what it sets; its range is remembered for the way back."""
    names = table()["name"].map(lambda name: str(name).strip())
    set_table(table()[names != parameter.name])
    set_fixed({**fixed(), parameter.target: value})
    st.session_state[_RANGES] = {**st.session_state.get(_RANGES, {}), parameter.target: parameter}


def search_again(target: str, proposed: Parameter) -> None:
    """Search a fixed hyperparameter, in the range it had before, else in the proposed one."""
    set_fixed({name: value for name, value in fixed().items() if name != target})
    append(st.session_state.get(_RANGES, {}).get(target, proposed))


def record(edited: pd.DataFrame) -> EditHistory:
    """Note how the space is now, and return where it has been."""
    now = Snapshot(
        rows=search_space_editor.meaning(edited),
        fixed=str(st.session_state.get(FIXED) or "").strip(),
        algorithm=st.session_state[_ALGORITHM],
        table=edited,
        n_train_envs=st.session_state.get(_ENVS),
    )
    history: EditHistory = st.session_state.get(HISTORY, EditHistory()).recorded(now)
    st.session_state[HISTORY] = history
    return history


def undo() -> None:
    """Go one step back."""
    _go(st.session_state.get(HISTORY, EditHistory()).undone())


def redo() -> None:
    """Go one step forth."""
    _go(st.session_state.get(HISTORY, EditHistory()).redone())


def _go(history: EditHistory) -> None:
    there, here = history.present, st.session_state[HISTORY].present
    if there is None or here is None or there is here:
        return
    st.session_state[HISTORY] = history
    set_table(there.table)
    st.session_state[FIXED] = there.fixed
    st.session_state[_ALGORITHM] = there.algorithm
    st.session_state[_ENVS] = there.n_train_envs if there.n_train_envs else st.session_state[_ENVS]


def _by_name(rows: Sequence[str]) -> dict[str, str]:
    return {str(json.loads(row).get("name", f"row {n}")): row for n, row in enumerate(rows, start=1)}
