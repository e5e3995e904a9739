"""The button from verdicts to a study with wider ranges."""

from typing import TYPE_CHECKING

import streamlit as st

from pages.components import continuing, frame
from tuning.access import is_read_only
from tuning.launch import Run
from tuning.spec import SpecError
from tuning.widen import space_changes, suggested_changes, widened_spec

if TYPE_CHECKING:
    from tuning.analysis.saturation import SaturationInfo


def draw_widen(run: Run, info: "SaturationInfo") -> None:
    """Draw the button with what it changes, or why there is nothing to widen; nothing in read-only mode."""
    if is_read_only():
        return
    words, ready = explain(run, info)
    st.button(
        "Widen and continue",
        type="primary",
        icon=":material/open_in_full:",
        key="widen",
        disabled=not ready,
        on_click=continuing.open_launch,
        args=(run.folder,),
    )
    st.caption(frame.escape(words))


def explain(run: Run, info: "SaturationInfo") -> tuple[str, bool]:
    """Return what the button does or why it does nothing, and whether it can be pressed."""
    if run.spec is None:
        return continuing.NOT_OURS, False
    changes = suggested_changes(info)
    if not changes:
        return "No range presses a bound: there is nothing to widen.", False
    try:
        ranges = space_changes(run.spec, widened_spec(run.spec, changes))
    except SpecError as error:
        return f"The suggested ranges cannot be used: {' '.join(error.faults)} Widen them on Launch.", False
    changed = "; ".join(f"{c.name} {c.range_before} → {c.range_after}" for c in ranges)
    return (
        f"Opens Launch with {changed}. Nothing starts before you press Launch there; the new study imports "
        "the trials of this one.",
        True,
    )
