"""The section of Launch that says which configurations are tried before the sampler proposes any."""

from collections.abc import Mapping
from typing import Any

from pages.components.launch_fields import draw_toggle
from tuning.spec import StudySpec

LABELS: dict[str, str] = {}


def fields(spec: StudySpec) -> dict[str, Any]:
    """Return the value of each field, by its key."""
    return {"defaults-first": spec.defaults_first}


def data(get: Mapping[str, Any], faults: list[str]) -> dict[str, Any]:
    """Return this part of the request; a faulty field adds a sentence to `faults`."""
    return {"defaults_first": get["defaults-first"]}


def draw() -> None:
    """Draw what is tried first."""
    draw_toggle(
        "defaults-first",
        "Try the algorithm's defaults first",
        help="Trial 0, where the space holds them: everything later is compared with it.",
    )
