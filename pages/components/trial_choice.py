"""Which trial is looked at. It stands in the address as `?trial=`, so that a trial can be linked."""

from collections.abc import Sequence

import streamlit as st
from optuna.trial import FrozenTrial

from pages.components import frame
from storage.paths import RunFolder
from storage.trials import IMPORTED_FROM
from tuning.analysis.look import selected_trial, three_digits
from tuning.analysis.outcomes import reached, state_word

_TRIAL = "trial"
_OF = "trial-of"  # the study that the trial belongs to
_PICKER = "trial-picker"
_CHANGES = "trial-changes"


def start(folder: RunFolder) -> None:
    """Forget the trial of another study; call once on a page before anything else reads the choice."""
    if st.session_state.setdefault(_OF, folder.id) != folder.id:
        st.session_state[_OF] = folder.id
        choose(None)


def choose(number: int | None, *, in_table: bool = False) -> None:
    """Look at this trial from now on, or at none."""
    if not in_table:
        st.session_state[_CHANGES] = changes() + 1
    if number is None:
        st.query_params.pop(_TRIAL, None)
    else:
        st.query_params[_TRIAL] = str(number)


def changes() -> int:
    """Return how often the choice was made outside the table, which then has another row to mark."""
    return int(st.session_state.get(_CHANGES, 0))


def choose_from_plot(key: str) -> None:
    """Look at the trial of the point that was clicked in the plot with this key; a click beside keeps it."""
    number = selected_trial(st.session_state[key].selection.points)
    if number is not None:
        choose(number)


def chosen(trials: Sequence[FrozenTrial]) -> FrozenTrial | None:
    """Return the trial that is looked at, or None when none is or the study has no such trial."""
    wanted = _wanted()
    if wanted is None or not (wanted.isascii() and wanted.isdecimal() and len(wanted) < 10):
        return None
    return next((t for t in trials if t.number == int(wanted)), None)


def draw_picker(trials: Sequence[FrozenTrial], *, is_running: bool) -> FrozenTrial | None:
    """Draw a list of all trials beside the plot and the table; return the trial that is looked at."""
    trial = chosen(trials)
    labels = {t.number: words(t, is_running=is_running) for t in trials}
    st.session_state[_PICKER] = trial.number if trial else None
    st.selectbox(
        "Trial",
        list(labels),
        key=_PICKER,
        format_func=lambda number: labels.get(number, str(number)),
        placeholder="Click a trial above, or pick one here",
        on_change=_pick,
        help="Its parameters, curve and errors. The address of the page names it: copy that to link it.",
    )
    wanted = _wanted()
    if wanted is not None and trial is None:
        last = max(labels, default=None)
        has = "It has no trials yet." if last is None else f"Its trials are numbered 0 to {last}."
        st.warning(
            f"This study has no trial {frame.escape(wanted[:20])}. {has}", icon=":material/search_off:"
        )
    return trial


def words(trial: FrozenTrial, *, is_running: bool) -> str:
    """Return the trial, its state and its value in a few words."""
    value = reached(trial)
    parts = [f"Trial {trial.number}", state_word(trial, is_running=is_running)]
    if IMPORTED_FROM in trial.user_attrs:
        parts.insert(1, "imported")
    return " · ".join(parts if value is None else [*parts, three_digits(value)])


def _wanted() -> str | None:
    return st.query_params.get(_TRIAL) or None


def _pick() -> None:
    choose(st.session_state[_PICKER])
