"""The search space on Launch: presets, buttons and table to edit it, its ranges drawn, and samples."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.components import (
    frame,
    search_space_editor,
    space_ranges,
    space_state,
    space_tools,
    viewport,
)
from pages.components.launch_fields import PREFIX
from pages.components.space_state import DRAFT, SPACE, set_space
from tuning.algorithms import Algorithm, Preset, algorithm
from tuning.space.parameters import Parameter
from tuning.spec import StudySpec

OFFERED = "launch-offered"  # session: (training envs, fixed hyperparameters) of the preset marked last

__all__ = ["SPACE", "SpaceDrawn", "draw_space", "follow_algorithm", "set_space"]


@dataclass(frozen=True)
class SpaceDrawn:
    """The search space as it is on the page."""

    parameters: list[Parameter]  # of the valid rows
    faults: list[str]  # of the others
    table: pd.DataFrame
    faults_place: DeltaGenerator  # beside the table

    def split(self, faults: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return a request's faults that are about rows of the table, named as such, and the others."""
        placed = [(fault, search_space_editor.fault_in_table(fault, self.table)) for fault in faults]
        return [words for _, words in placed if words], [fault for fault, words in placed if not words]

    def draw_faults(self, faults: Sequence[str]) -> None:
        """Say beside the table what is wrong in it."""
        if faults:
            lines = "\n".join(f"- {frame.escape(fault.replace('`', ''))}" for fault in faults)
            self.faults_place.error(lines, icon=":material/error:")


def draw_space() -> SpaceDrawn:
    """Draw the search space and return what it is."""
    place, tools = st.container(), st.container()
    generation, base = st.session_state[SPACE]
    if f"space-{generation}" not in st.session_state and DRAFT in st.session_state:
        # back on the page: the editor is a new one
        generation, base = generation + 1, st.session_state[DRAFT]
        st.session_state[SPACE] = (generation, base)
    edited = search_space_editor.draw_editor(base, key=f"space-{generation}", narrow=viewport.is_narrow())
    st.session_state[DRAFT] = edited
    parameters, faults = search_space_editor.parameters_from_rows(edited)
    history = space_state.record(edited)
    faults_place = st.container()
    with place:
        _draw_presets(None if faults else tuple(parameters))
    with tools:
        space_tools.draw(parameters, history)
    if parameters:
        known = algorithm(st.session_state[PREFIX + "algorithm"])
        with st.expander("Ranges, defaults and reasons", icon=":material/straighten:", expanded=True):
            space_ranges.draw(parameters, known)
            st.caption(
                "Each strip is the axis on which values are drawn, as the algorithm receives them: the band "
                "is searched, small lines are round values, the square is the default, a grey bar a natural "
                "limit."
            )
        with st.expander("Five random configurations", icon=":material/casino:"):
            preview = search_space_editor.preview_table(parameters, seed=0)
            st.dataframe(preview, hide_index=True, height="content", key="preview")
            st.caption("What the algorithm receives: the range of each argument, and five random draws.")
    return SpaceDrawn(parameters, faults, edited, faults_place)


def _draw_presets(space: tuple[Parameter, ...] | None) -> None:
    """Draw the presets; the one whose space is in the table is marked."""
    presets = {preset.name: preset for preset in algorithm(st.session_state[PREFIX + "algorithm"]).presets}
    fixed = space_state.fixed()
    marked = next(
        (p for p in presets.values() if p.space == space and p.fixed.items() <= fixed.items()), None
    )
    st.session_state[PREFIX + "preset"] = marked.name if marked else None
    st.session_state[OFFERED] = (marked.n_train_envs, marked.fixed) if marked else (None, {})
    st.segmented_control(
        "Preset",
        list(presets),
        format_func=lambda name: presets[name].title if name in presets else str(name),
        key=PREFIX + "preset",
        on_change=_use_preset,
        persist_state="session",
        help="\n".join(f"- {_about(preset)}" for preset in presets.values()),
    )


def _about(preset: Preset) -> str:
    source = f" Source: {preset.source}." if preset.source else ""
    return f"{preset.title}: {preset.about}{source}"


def follow_algorithm() -> None:
    """Take over the newly chosen algorithm's preset of the same name, or else its first one.

    A table that was edited is kept where the algorithm has all that it sets, and undoing brings it back where
    not. So is a number of training envs that is not the old preset's.
    """
    known = algorithm(st.session_state[PREFIX + "algorithm"])
    marked = st.session_state.get(PREFIX + "preset")
    if marked is None and _fits(known):
        return
    if marked not in {preset.name for preset in known.presets}:
        st.session_state[PREFIX + "preset"] = known.presets[0].name
    offered = st.session_state.get(OFFERED, (None, {}))[0]
    untouched = (offered, StudySpec.model_fields["n_train_envs"].default)
    typed = st.session_state[PREFIX + "train-envs"]
    _use_preset()
    if typed not in untouched:
        st.session_state[PREFIX + "train-envs"] = typed


def _fits(known: Algorithm) -> bool:
    """Say whether an algorithm has every argument that the table sets, with values as they are there."""
    parameters, _ = search_space_editor.parameters_from_rows(st.session_state[DRAFT])
    arguments = [known.arguments.get(p.target) for p in parameters]
    ends = [p.choices or (p.low, p.high) for p in parameters]
    return all(
        argument is not None and not any(argument.fault(p.resolve(_whole(p, end))) for end in both)
        for p, argument, both in zip(parameters, arguments, ends, strict=True)
    )


def _whole(p: Parameter, end: Any) -> Any:
    return int(end) if p.kind == "int" else end


def _use_preset() -> None:
    """Take over the chosen preset, with what it fixes; what the one before it fixed goes."""
    name = st.session_state[PREFIX + "preset"]
    if name is None:
        return
    preset = algorithm(st.session_state[PREFIX + "algorithm"]).preset(name)
    set_space(preset.space)
    before = st.session_state.get(OFFERED, (None, {}))[1]
    searched = {p.target for p in preset.space}
    own = {
        key: value
        for key, value in space_state.fixed().items()
        if key not in searched and (key not in before or before[key] != value)
    }
    if {**own, **preset.fixed} != space_state.fixed():
        space_state.set_fixed({**own, **preset.fixed})
    if preset.n_train_envs:
        st.session_state[PREFIX + "train-envs"] = preset.n_train_envs
