"""The section of Launch that says which configurations are tried before the sampler proposes any."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pages.components import configuration_form, frame, space_state
from pages.components.launch_fields import PREFIX, draw_toggle
from tuning.algorithms import algorithm
from tuning.first_trials import BY_HAND, LeftOut, first_trials, known_tuned, unset_words
from tuning.space.parameters import Parameter
from tuning.space.widened import widened_to
from tuning.spec import StudySpec

LABELS: dict[str, str] = {"first_configurations": "Tried first"}
BY_HAND_KEY = PREFIX + "first-configurations"  # session: stored values of each configuration
_FORM = "first-form"
_SAID = "launch-first-said"  # session: what came of the last press: (why it was not taken, else what was)


def fields(spec: StudySpec) -> dict[str, Any]:
    """Return the value of each field, by its key."""
    return {
        "defaults-first": spec.defaults_first,
        "tuned-first": spec.tuned_first,
        "first-configurations": [dict(stored) for stored in spec.first_configurations],
    }


def data(get: Mapping[str, Any], faults: list[str]) -> dict[str, Any]:
    """Return this part of the request; a faulty field adds a sentence to `faults`."""
    return {
        "defaults_first": get["defaults-first"],
        "tuned_first": get["tuned-first"],
        "first_configurations": get["first-configurations"],
    }


def draw(parameters: Sequence[Parameter]) -> None:
    """Draw what is tried first; what comes of it is drawn by `draw_outcome`, once the request is known."""
    with st.container(horizontal=True, key="first-toggles"):
        draw_toggle(
            "defaults-first",
            "Try the algorithm's defaults first",
            help="Trial 0, where the space holds them: everything later is compared with it.",
        )
        draw_toggle(
            "tuned-first",
            "Then what others tuned",
            help="Values that are known to work in this environment, such as RL Zoo's, where the space holds "
            "them. The sampler learns from them as from any trial.",
        )
        with st.popover("Queue one of your own", icon=":material/edit_note:", key="first-popover"):
            _draw_form(parameters)


def draw_outcome(spec: StudySpec) -> None:
    """Say what is tried first, and what the space cannot hold, with a way to widen it."""
    queued, left_out = first_trials(spec)
    others = [first.who for first in queued if first.who != BY_HAND]
    if others:
        st.caption(f"Tried first: {frame.escape(', then '.join(others))}.{_what_differs(spec, others)}")
    for number, left in enumerate(left_out):
        _draw_left_out(spec, left, number)


def draw_queue(parameters: Sequence[Parameter]) -> None:
    """Draw what was queued by hand, each with a button that takes it out."""
    waiting = st.session_state.get(BY_HAND_KEY) or []
    for number, stored in enumerate(waiting):
        with st.container(horizontal=True, vertical_alignment="center", key=f"first-{number}"):
            words = configuration_form.words(parameters, stored)
            st.markdown(f":blue-badge[{BY_HAND}] {frame.escape(words)}", width="content")
            st.button(
                "Remove",
                key=f"first-remove-{number}",
                icon=":material/close:",
                type="tertiary",
                on_click=_remove,
                args=(number,),
            )


def _draw_form(parameters: Sequence[Parameter]) -> None:
    st.markdown("Can you beat the tuner? What you leave empty, the sampler chooses.")
    if not parameters:
        st.caption("The search space is empty.")
        return
    known = algorithm(st.session_state[PREFIX + "algorithm"])
    configuration_form.draw(parameters, known, key=_FORM, start={})
    st.button("Queue it", key="first-queue", type="primary", on_click=_queue, args=(tuple(parameters),))
    _draw_said()


def _draw_said() -> None:
    """Say what came of the last press, once, beside the button: the open form covers what is below it."""
    faults, taken = st.session_state.pop(_SAID, ([], ""))
    if faults:
        lines = "\n".join(f"- {frame.escape(fault)}" for fault in faults)
        st.error(f"The configuration was not queued.\n\n{lines}", icon=":material/error:")
    elif taken:
        st.success(f"Queued: {frame.escape(taken)}.", icon=":material/check:")


def _queue(parameters: tuple[Parameter, ...]) -> None:
    stored, faults = configuration_form.read(parameters, key=_FORM)
    if faults:
        st.session_state[_SAID] = (faults, "")
        return
    waiting = st.session_state.get(BY_HAND_KEY) or []
    if stored in waiting:
        st.session_state[_SAID] = (["The same configuration is queued already."], "")
        return
    st.session_state[BY_HAND_KEY] = [*waiting, stored]
    st.session_state[_SAID] = ([], configuration_form.words(parameters, stored))


def _remove(number: int) -> None:
    waiting = list(st.session_state.get(BY_HAND_KEY) or [])
    del waiting[number : number + 1]
    st.session_state[BY_HAND_KEY] = waiting


def _what_differs(spec: StudySpec, others: Sequence[str]) -> str:
    """Return which of the values that others tuned the study does not have, as Markdown."""
    tuned = known_tuned(spec)
    if tuned is None or not any(who.startswith(tuned.name) for who in others):
        return ""
    missing = unset_words(spec, tuned)
    if not missing:
        return ""
    name = frame.escape(tuned.name)
    return f" {name} also sets {frame.escape(missing)}, which this study leaves at the default."


def _draw_left_out(spec: StudySpec, left: LeftOut, number: int) -> None:
    """Say what keeps a configuration out, and offer the ranges that would hold it."""
    wider = {outside.parameter.name: widened_to(outside.parameter, outside.value) for outside in left.outside}
    with st.container(horizontal=True, vertical_alignment="center", key=f"first-left-out-{number}"):
        ask = ": widen?" if all(wider.values()) else "."
        st.caption(
            f":orange[:material/warning:] Not tried first: {frame.escape(left.words.removesuffix('.'))}{ask}",
            width="content",
        )
        if all(wider.values()):
            st.button(
                "Widen",
                key=f"first-widen-{number}",
                icon=":material/open_in_full:",
                on_click=_widen,
                args=([p for p in (wider.get(q.name) or q for q in spec.search_space)],),
                help="Moves the bounds so that the search space holds these values.",
            )


def _widen(parameters: list[Parameter]) -> None:
    space_state.set_space(parameters)
