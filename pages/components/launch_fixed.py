"""The section of Launch for hyperparameters that are set and not searched."""

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.components.launch_fields import PREFIX, read_mapping
from tuning.algorithms import algorithm
from tuning.spec import StudySpec

LABELS: dict[str, str] = {}


def fields(spec: StudySpec) -> dict[str, Any]:
    """Return the value of each field, by its key."""
    lines = [f"{name}: {json.dumps(value)}" for name, value in spec.hyperparameters.items()]
    return {"hyperparameters": "\n".join(lines)}


def data(get: Mapping[str, Any], faults: list[str]) -> dict[str, Any]:
    """Return this part of the request; a faulty field adds a sentence to `faults`."""
    text = get["hyperparameters"]
    return {"hyperparameters": read_mapping(text, "Fixed hyperparameters", "vf_coef: 0.5", faults)}


def draw() -> None:
    """Draw the hyperparameters that are set and not searched."""
    known = algorithm(st.session_state[PREFIX + "algorithm"])
    st.text_area(
        "Fixed hyperparameters",
        key=PREFIX + "hyperparameters",
        placeholder="vf_coef: 0.5\nuse_sde: true",
        persist_state="session",
        help="One `name: value` a line. What is neither here nor in the search space keeps SB3's default.",
    )
    st.caption("There are: " + ", ".join(f"`{name}`" for name in known.arguments) + ".")
