"""Fields of the launch form: their keys in the session, their widgets, and what people type into them."""

import json
from collections.abc import Callable
from typing import Any

import streamlit as st
import yaml

PREFIX = "launch-"


def draw_whole(key: str, label: str, *, help: str, step: int = 1) -> None:
    """Draw a whole number. The spec has its limits: a field with limits keeps its last value beyond them."""
    st.number_input(
        label,
        step=step,
        key=PREFIX + key,
        help=help,
        format="%d",
        persist_state="session",
    )


def draw_number(
    key: str, label: str, *, help: str, step: float | None = None, may_be_empty: bool = False
) -> None:
    """Draw a number; an empty one is None."""
    st.number_input(
        label,
        value=None if may_be_empty else "min",
        step=step,
        key=PREFIX + key,
        help=help,
        placeholder="none" if may_be_empty else None,
        persist_state="session",
    )


def draw_choice(
    key: str,
    label: str,
    options: dict[str, str],
    *,
    help: str,
    on_change: Callable[[], None] | None = None,
) -> None:
    """Draw a choice among named options."""
    st.selectbox(
        label,
        list(options),
        format_func=lambda name: options.get(name, name),
        key=PREFIX + key,
        help=help,
        on_change=on_change,
        persist_state="session",
    )


def draw_toggle(key: str, label: str, *, help: str) -> None:
    """Draw a switch."""
    st.toggle(label, key=PREFIX + key, help=help, persist_state="session")


def read_mapping(text: str | None, what: str, example: str, faults: list[str]) -> dict[str, Any]:
    """Return the `name: value` lines (or the JSON object) of a text field; what is neither adds a fault."""
    if text is None or not text.strip():
        return {}
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
            raise ValueError
        value = yaml.safe_load(text)
        json.dumps(value, allow_nan=False)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        value = None
    if not isinstance(value, dict):
        faults.append(f"{what}: write one `name: value` a line, such as `{example}`, or a JSON object.")
        return {}
    return {str(name): _number(item) for name, item in value.items()}


def _number(value: Any) -> Any:
    """Read `3e-4` as a number, as people mean it; YAML 1.1 takes it for text."""
    if isinstance(value, str):
        try:
            return float(value) if "e" in value.lower() and value[:1] in "+-.0123456789" else value
        except ValueError:
            return value
    return value
