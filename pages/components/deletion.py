"""Ask before a study is deleted, and name what is lost."""

import os
from collections import Counter
from contextlib import suppress
from pathlib import Path

import streamlit as st

from pages.components import cached, frame, lineage_line
from storage.artifacts import kept_trials
from storage.exports import kept_exports
from storage.paths import RunFolder, list_runs
from storage.remarks import study_name
from storage.source import SourceUnreadable, is_opened, read_source
from tuning import launch
from tuning.analysis.look import count
from tuning.jobs import job_status

_JOBS = {
    "probe": "probe",
    "reevaluation": "re-evaluation",
    "rollout": "rollout",
    "card": "model card",
}  # kind -> word


def losses(folder: RunFolder) -> str:
    """Return what goes with a study, as a part of a sentence."""
    try:
        trials = count(cached.summary(folder).n_trials, "trial")
    except cached.UNREADABLE:
        trials = "trials that cannot be read"
    n_policies = len(kept_trials(folder))
    policies = f", {n_policies} trained {'policy' if n_policies == 1 else 'policies'}" if n_policies else ""
    kinds = Counter(job_status(job).kind for job in list_runs(folder.jobs))
    kinds["rollout"] = len(list_runs(folder.rollouts))
    kinds["card"] = len(kept_exports(folder))
    jobs = "".join(f", {count(n, word)}" for kind, word in _JOBS.items() if (n := kinds[kind]))
    size = f"{_size(folder.path) / 1e6:.1f} MB"
    return f"{trials}{policies}{jobs}, learning curves and the log ({size})"


def _size(folder: Path) -> int:
    """Return the bytes of the files in a folder; what a running study replaces meanwhile is left out."""
    total = 0
    for place, _, names in os.walk(folder):  # unlike rglob, it passes by a folder that is gone
        for name in names:
            with suppress(OSError):
                total += (Path(place) / name).lstat().st_size
    return total


def confirm_deletion(folder: RunFolder) -> None:
    """Ask, and delete the study once the person has confirmed; of one that is not ours the file stays."""
    if is_opened(folder):
        _confirm_removal(folder)
    else:
        _confirm_loss(folder)


@st.dialog("Delete this study?", icon=":material/delete:")
def _confirm_loss(folder: RunFolder) -> None:
    st.markdown(f"**{frame.escape(study_name(folder))}** goes for good: {losses(folder)}.")
    if words := lineage_line.borrowed_words(folder):
        st.warning(words, icon=":material/account_tree:")
    _draw_buttons(folder, "Delete", "Deleted")


@st.dialog("Remove this study from the list?", icon=":material/playlist_remove:")
def _confirm_removal(folder: RunFolder) -> None:
    try:
        source = read_source(folder)
    except SourceUnreadable:
        source = None
    file = frame.escape(str(source.path)) if source else "The file that it came from"
    st.markdown(
        f"**{frame.escape(study_name(folder))}** leaves this list, with what was computed here about it. "
        f"{file} stays as it is, and can be opened again."
    )
    _draw_buttons(folder, "Remove from the list", "Removed")


def _draw_buttons(folder: RunFolder, action: str, done: str) -> None:
    with st.container(horizontal=True):
        if st.button(action, type="primary", key="delete-confirmed"):
            name = study_name(folder)
            try:
                launch.delete(folder)
            except (launch.Busy, OSError) as error:
                st.error(frame.escape(str(error)))
            else:
                st.toast(f"{done} {frame.escape(name)}", icon=":material/delete:")
                st.rerun()
        if st.button("Keep it", key="delete-cancelled"):
            st.rerun()
