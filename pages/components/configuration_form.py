"""One configuration to write by hand: a field for each parameter, in the algorithm's own values."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pages.components import frame
from tuning.algorithms import Algorithm
from tuning.space.configurations import choice_text, read_configuration
from tuning.space.parameters import Parameter, Scalar

_COLUMNS = 3
_PLAIN_NAME = re.compile(r"[A-Za-z0-9]+(_[A-Za-z0-9]+)*", re.ASCII)  # nothing in it is Markdown
_SAMPLER = "sampler chooses"


def draw(parameters: Sequence[Parameter], known: Algorithm, *, key: str, start: Mapping[str, Any]) -> None:
    """Draw a field for each parameter.

    Args:
        parameters: of the search space.
        known: the algorithm.
        key: of the form; its fields begin with it.
        start: stored values that the fields begin with; others begin empty, for the sampler to choose.
    """
    columns = st.columns(_COLUMNS)
    for number, parameter in enumerate(parameters):
        argument = known.arguments.get(parameter.target)
        about = argument.about if argument else ""
        value = start.get(parameter.name)
        has_value = parameter.name in start and parameter.contains(value)
        label = _label(parameter)
        help_text = f"{frame.escape(about)} Searched: {frame.escape(parameter.resolved_range())}."
        with columns[number % _COLUMNS]:
            if parameter.kind == "categorical":
                choices = list(map(choice_text, parameter.choices or ()))
                st.selectbox(
                    label,
                    choices,
                    index=choices.index(choice_text(value)) if has_value else None,
                    key=f"{key}-{parameter.name}",
                    placeholder=_SAMPLER,
                    help=help_text,
                )
            else:
                st.text_input(
                    label,
                    value=number_text(parameter.resolve(value)) if has_value else "",
                    key=f"{key}-{parameter.name}",
                    placeholder=_SAMPLER,
                    help=help_text,
                )


def read(parameters: Sequence[Parameter], *, key: str) -> tuple[dict[str, Scalar], list[str]]:
    """Return the stored values that the form holds now, and a sentence for each that cannot be taken."""
    values: dict[str, Any] = {}
    for parameter in parameters:
        typed = st.session_state.get(f"{key}-{parameter.name}")
        if typed not in (None, ""):
            by_name = parameter.kind == "categorical" or parameter.transform == "identity"
            values[parameter.name if by_name else parameter.target] = typed
    return read_configuration(parameters, values)


def words(parameters: Sequence[Parameter], stored: Mapping[str, Any]) -> str:
    """Return a configuration in the algorithm's values: "n_steps 512, gamma 0.98"."""
    known = {p.name: p for p in parameters}
    parts = []
    for name, value in stored.items():
        parameter = known.get(name)
        if parameter is None or not parameter.contains(value):
            parts.append(f"{name} {value}")
        elif parameter.kind == "categorical":
            parts.append(f"{field_name(parameter)} {choice_text(value)}")
        else:
            parts.append(f"{field_name(parameter)} {number_text(parameter.resolve(value))}")
    return ", ".join(parts)


def _label(parameter: Parameter) -> str:
    """Return a field's label; a plain name as it is: a screen reader reads an escape's backslash aloud."""
    name = field_name(parameter)
    return name if _PLAIN_NAME.fullmatch(name) else frame.escape(name)


def field_name(parameter: Parameter) -> str:
    """Return how the form calls a parameter: as the algorithm does."""
    return parameter.target.removeprefix("policy_kwargs.")


def number_text(value: Any) -> str:
    """Return a resolved number so that it is read back as it was, without binary noise."""
    return f"{value:.12g}" if isinstance(value, float) else str(value)
