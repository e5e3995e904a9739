"""The launch form as a whole: its sections' fields from a spec, and back to one.

Each section is a module with `fields` (from a spec), `data` (to the request), `draw`, and `LABELS`: what the
form calls the fields of a spec. The table of the search space is kept apart.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from pages.components import (
    environment_choice,
    launch_budget,
    launch_first,
    launch_fixed,
    launch_method,
    launch_objective,
    launch_running,
)
from pages.components.launch_fields import PREFIX, draw_choice
from tuning.algorithms import algorithm_names
from tuning.spec import StudySpec

SECTIONS = (
    environment_choice,
    launch_first,
    launch_fixed,
    launch_budget,
    launch_objective,
    launch_method,
    launch_running,
)
LABELS = {"name": "Name"} | {place: label for section in SECTIONS for place, label in section.LABELS.items()}


def fields_from_spec(spec: StudySpec) -> dict[str, Any]:
    """Return the value of each field, by its key in the session."""
    found = {"name": spec.name, "algorithm": spec.algorithm}
    for section in SECTIONS:
        found |= section.fields(spec)
    return {PREFIX + key: value for key, value in found.items()}


def data_from_fields(fields: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the request without its search space, for `build_spec`, and a sentence for each faulty field."""
    faults: list[str] = []
    get = {str(key).removeprefix(PREFIX): value for key, value in fields.items()}
    data: dict[str, Any] = {"name": get["name"], "algorithm": get["algorithm"]}
    for section in SECTIONS:
        data |= section.data(get, faults)
    return data, faults


def in_form_words(fault: str) -> str:
    """Return a fault of a spec with the field called as the form calls it."""
    for place, label in LABELS.items():
        if fault.startswith(f"`{place}`"):
            return label + fault.removeprefix(f"`{place}`")
    return fault


def advice_in_form_words(text: str) -> str:
    """Return a piece of advice with fields called as the form calls them."""
    for place, label in LABELS.items():
        field = place.rpartition(".")[2]
        if "_" in field:  # else it is a word that sentences use
            text = re.sub(rf"\b{field}\b", f'"{label}"', text)
    return text


def draw_algorithm(on_change: Callable[[], None]) -> None:
    """Draw the choice of the algorithm; `on_change` is called when another one was chosen."""
    names = {name: name for name in algorithm_names()}
    draw_choice("algorithm", "Algorithm", names, help="From Stable-Baselines3.", on_change=on_change)
