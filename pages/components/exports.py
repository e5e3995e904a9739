"""Exports that take a moment to build: the report, the model as a zip, the model card as a folder."""

import time
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from optuna.trial import FrozenTrial

from pages.components import frame
from storage.exports import kept_exports
from tuning.access import is_read_only
from tuning.export import ExportError, card_name
from tuning.export_child import ExportChild, Layout
from tuning.export_choice import choose_policy
from tuning.launch import Run
from tuning.mapping import known_spec

_TICK = "500ms"
_MOST_KEPT = 10  # model cards that are listed


@dataclass(frozen=True)
class _Export:
    """One thing that can be built."""

    layout: Layout
    label: str
    about: str
    ending: str = ""  # of the file that is downloaded; empty for a folder
    mime: str = ""

    @property
    def has_weights(self) -> bool:
        """Whether a trained policy is part of it."""
        return self.layout != "report"


_EXPORTS = (
    _Export(
        "report",
        "Report",
        "One HTML file for a colleague: what was searched, figures, verdicts, the re-evaluation, videos and "
        "this configuration. It opens without a server or a network, and prints.",
        "report.html",
        "text/html",
    ),
    _Export(
        "zip",
        "Model",
        "The trained agent as a zip that Stable-Baselines3 loads. The optimiser's state is not in it.",
        "zip",
        "application/zip",
    ),
    _Export(
        "card",
        "Model card",
        "A folder in the style of Hugging Face, on the server's disk: model, weights, README with the "
        "score and how it was measured, and a video of one episode. Nothing is uploaded.",
    ),
)


def draw(run: Run, trial: FrozenTrial, *, key: str) -> None:
    """Draw the choice of exports of one trial, and the one that is being built or is ready.

    Args:
        run: the study.
        trial: whose configuration and policy go along.
        key: unique on the page.
    """
    spec = known_spec(run)
    offered = {e.label: e for e in _EXPORTS if e.layout == "report" or spec is not None}
    if is_read_only():
        offered.pop("Model card", None)  # it is written among the studies
    with st.container(key=f"exports-{key}"):
        if len(offered) > 1:
            label = st.segmented_control(
                "To share", list(offered), default="Report", required=True, key=f"{key}-export"
            )
        else:
            label = "Report"
        chosen = offered.get(str(label), _EXPORTS[0])
        st.caption(chosen.about)
        weights = ""
        if chosen.has_weights:
            try:
                weights = choose_policy(run, trial).about
            except ExportError as error:
                st.info(frame.escape(str(error)), icon=":material/block:")
                return
        slot = f"{key}-export-{run.folder.id}-{trial.number}-{chosen.layout}"
        child: ExportChild | None = st.session_state.get(slot)
        is_running = child is not None and child.is_running
        st.fragment(_draw_one, run_every=_TICK if is_running else None)(
            run, trial, chosen, slot, weights, was_running=is_running
        )


def _draw_one(
    run: Run, trial: FrozenTrial, chosen: _Export, slot: str, weights: str, *, was_running: bool
) -> None:
    """Draw the button, or the progress, or the result; redraw the page when it is done."""
    child: ExportChild | None = st.session_state.get(slot)
    if child is not None and child.is_running:
        st.status(
            f"Building the {chosen.label.lower()}: {frame.escape(child.words.lower())}", state="running"
        )
        if not was_running:
            st.rerun()  # so that this ticks
        return
    if was_running:
        st.rerun()
    target = _target(run, trial, chosen)
    is_there = child is not None or (target is not None and target.exists())
    with st.container(horizontal=True, vertical_alignment="center"):
        if child is not None and not child.fault:
            _draw_result(run, trial, chosen, child, slot)
        st.button(
            "Build it again" if is_there else f"Build the {chosen.label.lower()}",
            type="tertiary" if is_there else "secondary",
            icon=":material/build:",
            key=f"{slot}-build",
            on_click=_start,
            args=(run, trial, chosen, slot),
            help=f"Replaces {frame.escape(target.name)}." if target is not None and is_there else None,
        )
    if problem := st.session_state.get(f"{slot}-problem") or (child.fault if child else ""):
        st.error(frame.escape(problem), icon=":material/error:")
    if weights:
        st.caption(frame.escape(weights))
    for note in child.notes if child and not chosen.has_weights else ():
        st.caption(frame.escape(note))
    if chosen.layout == "card":
        _draw_kept(run, child)


def _draw_kept(run: Run, child: ExportChild | None) -> None:
    """List the cards that were written before, by whomever: their folders stay with the study."""
    just_built = child.path if child is not None and not child.fault else None
    kept = [export for export in kept_exports(run.folder) if export.path != just_built]
    if not kept:
        return
    st.caption(f"Written before, in {frame.escape(str(run.folder.exports))}:")
    lines = []
    for export in kept[:_MOST_KEPT]:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(export.written_at))
        lines.append(f"- {frame.escape(export.path.name)}, {export.size_bytes / 1e6:.1f} MB, {when}")
    if len(kept) > _MOST_KEPT:
        lines.append(f"- and {len(kept) - _MOST_KEPT} more")
    st.markdown("\n".join(lines))


def _draw_result(run: Run, trial: FrozenTrial, chosen: _Export, child: ExportChild, slot: str) -> None:
    if not chosen.ending:
        st.markdown(f":material/folder: Written to {frame.escape(str(child.path))}", width="content")
        return
    try:
        size_bytes = child.path.stat().st_size
    except FileNotFoundError:
        return  # its time has just run out; the next run says so
    stem = run.folder.id if chosen.layout == "report" else f"{run.folder.id}-trial-{trial.number}"
    joint = "-" if chosen.layout == "report" else "."
    st.download_button(
        f"Download the {chosen.label.lower()} ({size_bytes / 1e6:.1f} MB)",
        child.path.read_bytes,
        file_name=f"{stem}{joint}{chosen.ending}",
        mime=chosen.mime,
        icon=":material/download:",
        on_click="ignore",
        key=f"{slot}-download",
    )


def _start(run: Run, trial: FrozenTrial, chosen: _Export, slot: str) -> None:
    st.session_state.pop(f"{slot}-problem", None)
    st.session_state.pop(slot, None)
    try:
        st.session_state[slot] = ExportChild(
            run.folder, chosen.layout, trial.number, out=_target(run, trial, chosen)
        )
    except (ExportError, OSError) as error:
        st.session_state[f"{slot}-problem"] = str(error)


def _target(run: Run, trial: FrozenTrial, chosen: _Export) -> Path | None:
    """Return where a card goes: with its study; the others become downloads."""
    if chosen.layout != "card":
        return None
    spec = known_spec(run)
    assert spec is not None
    return run.folder.exports / card_name(spec, trial.number)
