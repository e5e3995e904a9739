"""The buttons above the table of the search space: undo, add, fix, copy, import and export."""

import zlib
from collections.abc import Iterable
from typing import Any

import streamlit as st

from pages.components import cached, frame, space_copy, space_state
from pages.components.launch_fields import PREFIX, read_mapping
from storage.paths import RunFolder
from tuning.algorithms import Algorithm, algorithm
from tuning.analysis.look import count
from tuning.space.parameters import Parameter, shown
from tuning.space.proposal import Proposal, proposals, propose
from tuning.space.text import parse_space, space_to_yaml
from tuning.spec import SpecError

SAID = "launch-space-said"  # session: what came of the last press: (which popover, kind, sentences)
_FIX_VALUE = "tool-fix-value-"


def draw(parameters: list[Parameter], history: space_state.EditHistory) -> None:
    """Draw the buttons for the parameters that are in the table."""
    known = algorithm(st.session_state[PREFIX + "algorithm"])
    with st.container(horizontal=True, key="tool-tools", gap="small"):
        _draw_steps(history)
        _draw_add(known, parameters)
        _draw_fix(known, parameters)
        _draw_copy(known)
        _draw_text(known, parameters)
    _draw_fixed(known)


def _draw_steps(history: space_state.EditHistory) -> None:
    """Draw undo and redo; which change that is stands in their help."""
    now = history.present
    back = space_state.change_words(history.past[-1], now) if history.past and now else ""
    forth = space_state.change_words(now, history.future[0]) if history.future and now else ""
    st.button(
        "Undo",
        icon=":material/undo:",
        key="tool-undo",
        on_click=space_state.undo,
        disabled=not back,
        help=f"Takes back: {frame.escape(back)}" if back else None,
    )
    st.button(
        "Redo",
        icon=":material/redo:",
        key="tool-redo",
        on_click=space_state.redo,
        disabled=not forth,
        help=f"Does again: {frame.escape(forth)}" if forth else None,
    )


def _draw_add(known: Algorithm, parameters: list[Parameter]) -> None:
    found = {p.argument.name: p for p in proposals(known, parameters, tuple(space_state.fixed()))}
    with st.popover("Add", icon=":material/add:", disabled=not found, key="tool-add-popover"):
        name = st.selectbox(
            "Parameter",
            list(found),
            format_func=lambda key: _listed(found[key]) if key in found else str(key),
            key=_key("tool-add-name", found),
            help="Everything that this algorithm takes and that is neither searched nor fixed.",
        )
        if name not in found:
            _draw_said("add")
            return
        chosen = found[name]
        argument, parameter = chosen.argument, chosen.parameter
        limits = argument.limits() if argument.kind in ("int", "float", "auto_float") else ""
        lines = [
            frame.escape(argument.about),
            f"Default: {frame.escape(_value_words(argument.default))}"
            + (f"; it must be {frame.escape(limits)}." if limits and limits != "any number" else "."),
            f"Proposed: **{frame.escape(parameter.resolved_range())}**. {frame.escape(chosen.why)}",
        ]
        st.markdown("\n\n".join(lines))
        st.button(
            "Add to the search space",
            key="tool-add",
            on_click=_add,
            args=(parameter,),
            type="primary",
        )
        _draw_said("add")


def _draw_fix(known: Algorithm, parameters: list[Parameter]) -> None:
    by_name = {p.name: p for p in parameters if p.target in known.arguments}
    with st.popover("Fix", icon=":material/lock:", disabled=not by_name, key="tool-fix-popover"):
        name = st.selectbox(
            "Parameter",
            list(by_name),
            key=_key("tool-fix-name", by_name),
            help="It is no longer searched: every trial gets the value that you choose.",
        )
        if name not in by_name:
            _draw_said("fix")
            return
        parameter = by_name[name]
        argument = known.arguments[parameter.target]
        key = f"{_FIX_VALUE}{known.name}-{name}"
        if parameter.kind == "categorical":
            options = [parameter.resolve(choice) for choice in parameter.choices or ()]
            options = options if argument.default in options else [argument.default, *options]
            st.selectbox(
                "Value",
                range(len(options)),
                index=options.index(argument.default),
                format_func=lambda n: (
                    _value_words(options[n]) + (" · default" if options[n] == argument.default else "")
                ),
                key=key,
            )
            value: Any = options[st.session_state[key]] if st.session_state[key] < len(options) else None
        else:
            value = st.text_input(
                "Value",
                value="" if argument.default is None else _value_words(argument.default),
                key=key,
                help=f"Default: {frame.escape(_value_words(argument.default))}. "
                f"It must be {frame.escape(argument.limits())}.",
            )
        st.button("Fix it", key="tool-fix", on_click=_fix, args=(known, parameter, value), type="primary")
        _draw_said("fix")


def _draw_copy(known: Algorithm) -> None:
    folders = frame.studies()
    with st.popover("Copy", icon=":material/content_copy:", disabled=not folders, key="tool-copy-popover"):
        by_id = {folder.id: folder for folder in folders}
        study = st.selectbox(
            "From study",
            list(by_id),
            key=_key("tool-copy-from", by_id),
            help="One that was launched here, or one that was opened from a file.",
        )
        st.caption("Replaces the table and what is fixed. Undo brings them back.")
        if study in by_id:
            st.button(
                "Copy its search space",
                key="tool-copy",
                on_click=_copy,
                args=(by_id[study], known),
                type="primary",
            )
        _draw_said("copy")


def _draw_text(known: Algorithm, parameters: list[Parameter]) -> None:
    with st.popover("YAML", icon=":material/code:", key="tool-text-popover"):
        if parameters:
            text = space_to_yaml(parameters, space_state.fixed(), algorithm=known.name)
            st.download_button(
                "Download the search space",
                text,
                "search-space.yaml",
                icon=":material/download:",
                on_click="ignore",
                key="tool-download",
            )
            st.code(text, language="yaml", height=160)
        st.text_area(
            "Paste a search space",
            key="tool-text",
            placeholder="- {name: gamma, kind: float, low: 0.9, high: 0.999}",
            help="A list of parameters, or any spec that has one.",
        )
        st.file_uploader("Or choose a file", type=["yaml", "yml", "json"], key="tool-upload")
        st.caption("Replaces the table. Undo brings it back.")
        st.button("Use it", key="tool-import", on_click=_import, args=(known,), type="primary")
        _draw_said("text")


def _say(popover: str, kind: str, sentences: list[str]) -> None:
    st.session_state[SAID] = (popover, kind, sentences)


def _draw_said(popover: str) -> None:
    """Say what came of the last press, once, beside its button: an open popover covers what is below it."""
    if st.session_state.get(SAID, ("",))[0] != popover:
        return
    _, kind, sentences = st.session_state.pop(SAID)
    text = "\n".join(f"- {frame.escape(s)}" for s in sentences) if len(sentences) > 1 else ""
    text = text or "".join(map(frame.escape, sentences))
    if kind == "error":
        st.error(text, icon=":material/error:")
    elif kind == "success":
        st.success(text, icon=":material/check:")
    else:
        st.info(text, icon=":material/info:")


def _draw_fixed(known: Algorithm) -> None:
    """Draw what is fixed and not searched, each with its way back into the search."""
    values = space_state.fixed()
    if not values:
        return
    with st.container(horizontal=True, key="tool-fixed", gap="small", vertical_alignment="center"):
        st.caption("Fixed", width="content")
        for name, value in list(values.items())[:30]:
            argument = known.arguments.get(name)
            proposal = propose(known, argument) if argument else None
            default = " (default)" if argument and argument.default == value else ""
            words = f"{name.removeprefix('policy_kwargs.')} {_value_words(value)[:40]}{default}"
            if proposal is None:
                st.badge(frame.escape(words), color="gray")
                continue
            st.button(
                frame.escape(words),
                icon=":material/lock_open:",
                key=f"tool-search-{name}",
                on_click=space_state.search_again,
                args=(name, proposal.parameter),
                help="Search it again, in the range it had, else in a sensible one.",
            )


def _add(parameter: Parameter) -> None:
    space_state.append(parameter)
    name = parameter.target.removeprefix("policy_kwargs.")
    _say("add", "success", [f"{name} is searched: {parameter.resolved_range()}."])


def _fix(known: Algorithm, parameter: Parameter, value: Any) -> None:
    argument = known.arguments[parameter.target]
    key = f"{_FIX_VALUE}{known.name}-{parameter.name}"
    if parameter.kind != "categorical":  # as it is now: a press may come with the edit
        text = str(st.session_state.get(key, value)).strip()
        value = read_mapping(f"value: {text}" if text else "", "", "", []).get("value", text)
        if argument.kind == "int" and isinstance(value, float) and value.is_integer():
            value = int(value)
    fault = argument.fault(value) if value != "" else f"Write a value for {parameter.target}."
    if fault:
        _say("fix", "error", [f"Not fixed: {fault.replace('`', '')}"])
        return
    space_state.fix(parameter, value)
    name = parameter.target.removeprefix("policy_kwargs.")
    _say("fix", "success", [f"{name} is fixed at {_value_words(value)}."])


def _copy(folder: RunFolder, known: Algorithm) -> None:
    try:
        found = space_copy.copied_space(cached.run(folder), known)
    except cached.UNREADABLE as error:
        _say("copy", "error", [f"{folder.id} cannot be read. {error}"])
        return
    _take(found, known, f"from {folder.id}", "copy")


def _import(known: Algorithm) -> None:
    upload = st.session_state.get("tool-upload")
    text = upload.getvalue().decode("utf-8", "replace") if upload else st.session_state.get("tool-text") or ""
    try:
        found = parse_space(text)
    except SpecError as error:
        _say("text", "error", error.faults[:12])
        return
    fitting = space_copy.fitting(found.space, found.fixed, known, source=found.algorithm)
    _take(fitting, known, "from the YAML", "text")


def _take(found: space_copy.CopiedSpace, known: Algorithm, where: str, popover: str) -> None:
    if not found.space:
        why = f"{known.name} has none of its parameters." if not found.notes else ""
        _say(popover, "error", [f"Nothing was copied {where}. {why}".strip(), *found.notes])
        return
    space_state.set_space(found.space)
    space_state.set_fixed(found.fixed)
    _say(popover, "info", [f"{count(len(found.space), 'parameter')} {where}.", *found.notes])


def _key(start: str, options: Iterable[str]) -> str:
    """Return a key that changes with the options: else the browser shows another one than the page has."""
    return f"{start}-{zlib.crc32(' '.join(options).encode()):x}"


def _listed(proposal: Proposal) -> str:
    name = proposal.argument.name.removeprefix("policy_kwargs.")
    return f"{name}: {proposal.argument.about}"


def _value_words(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    return value if isinstance(value, str) else shown(value, max_chars=80)
