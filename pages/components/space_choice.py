"""The choice of the search space on Launch: presets, the table to edit, and what it means."""

import streamlit as st

from pages.components import search_space_editor
from pages.components.launch_fields import PREFIX
from tuning.algorithms import algorithm
from tuning.space.parameters import Parameter
from tuning.spec import StudySpec

SPACE = "launch-space"  # session: (generation, base table); the editor's key holds the generation
OFFERED_ENVS = "launch-offered-envs"  # session: training envs of the preset that was marked last, or None
DRAFT = "launch-draft"  # session: the table as last edited, for coming back to the page


def set_space(parameters: tuple[Parameter, ...]) -> None:
    """Replace the table of the search space."""
    generation = st.session_state.get(SPACE, (0, None))[0] + 1
    st.session_state[SPACE] = (generation, search_space_editor.rows_from_parameters(parameters))
    st.session_state.pop(DRAFT, None)


def draw_space() -> tuple[list[Parameter], list[str]]:
    """Draw it all; return the parameters of the valid rows, and a sentence for each fault of the others."""
    place = st.container()
    generation, base = st.session_state[SPACE]
    if f"space-{generation}" not in st.session_state and DRAFT in st.session_state:
        generation, base = (
            generation + 1,
            st.session_state[DRAFT],
        )  # back on the page: the editor is a new one
        st.session_state[SPACE] = (generation, base)
    edited = search_space_editor.draw_editor(base, key=f"space-{generation}")
    st.session_state[DRAFT] = edited
    parameters, faults = search_space_editor.parameters_from_rows(edited)
    with place:
        _draw_presets(None if faults else tuple(parameters))
    if parameters:
        st.caption("What the algorithm receives: the range of each argument, and five random configurations.")
        preview = search_space_editor.preview_table(parameters, seed=0)
        st.dataframe(preview, hide_index=True, height="content", key="preview")
    return parameters, faults


def _draw_presets(space: tuple[Parameter, ...] | None) -> None:
    """Draw the presets; the one whose space is in the table is marked."""
    presets = {preset.name: preset for preset in algorithm(st.session_state[PREFIX + "algorithm"]).presets}
    marked = next((p for p in presets.values() if p.space == space), None)
    st.session_state[PREFIX + "preset"] = marked.name if marked else None
    st.session_state[OFFERED_ENVS] = marked.n_train_envs if marked else None
    st.segmented_control(
        "Preset",
        list(presets),
        format_func=lambda name: presets[name].title if name in presets else str(name),
        key=PREFIX + "preset",
        on_change=_use_preset,
        persist_state="session",
        help="\n".join(f"- {preset.title}: {preset.about}" for preset in presets.values()),
    )


def follow_algorithm() -> None:
    """Take over the newly chosen algorithm's preset of the same name.

    A table that was edited is kept, and so is a number of training envs that is not the old preset's.
    """
    known = algorithm(st.session_state[PREFIX + "algorithm"])
    if st.session_state.get(PREFIX + "preset") not in {preset.name for preset in known.presets}:
        return
    untouched = (st.session_state.get(OFFERED_ENVS), StudySpec.model_fields["n_train_envs"].default)
    typed = st.session_state[PREFIX + "train-envs"]
    _use_preset()
    if typed not in untouched:
        st.session_state[PREFIX + "train-envs"] = typed


def _use_preset() -> None:
    """Take over the chosen preset."""
    name = st.session_state[PREFIX + "preset"]
    if name is None:
        return
    preset = algorithm(st.session_state[PREFIX + "algorithm"]).preset(name)
    set_space(preset.space)
    if preset.n_train_envs:
        st.session_state[PREFIX + "train-envs"] = preset.n_train_envs
