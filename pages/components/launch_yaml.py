"""The request of Launch as YAML: to keep, and to fill the form from."""

import streamlit as st

from pages.components import launch_bar, launch_form, space_choice
from tuning.spec import SpecError, StudySpec, parse_spec


def fill(spec: StudySpec) -> None:
    """Fill the whole form from a spec."""
    st.session_state.update(launch_form.fields_from_spec(spec))
    space_choice.set_space(spec.search_space)


def draw(spec: StudySpec | None) -> None:
    """Draw the request, where it is valid, and a way to load one."""
    if spec is not None:
        st.code(spec.to_yaml(), language="yaml", height=320)
        st.download_button("Download", spec.to_yaml(), f"{spec.name}.yaml", icon=":material/download:")
    st.text_area("Paste a spec", key="spec-text", help="YAML or JSON, as `python -m tuning launch` takes it.")
    st.file_uploader("Or choose a file", type=["yaml", "yml", "json"], key="spec-upload")
    st.button("Fill the form", on_click=_use, key="spec-fill")
    if faults := st.session_state.pop("spec-faults", None):
        launch_bar.draw_faults(faults)


def _use() -> None:
    """Fill the form from the pasted or uploaded spec."""
    upload = st.session_state.get("spec-upload")
    text = upload.getvalue().decode("utf-8", "replace") if upload else st.session_state.get("spec-text") or ""
    try:
        fill(parse_spec(text))
    except SpecError as error:
        st.session_state["spec-faults"] = error.faults
