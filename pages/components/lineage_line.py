"""Where a study comes from and what goes on from it, in links."""

import streamlit as st
from optuna.trial import FrozenTrial

from pages.components import frame
from storage.paths import RunFolder
from storage.remarks import study_name
from storage.trials import imported, rerun_of
from tuning.analysis.look import count
from tuning.launch import Run
from tuning.lineage import Parent, ancestors, borrowers, children, parent_of, trial_home

_MOST = 4  # links in a row


def draw(folder: RunFolder) -> None:
    """Draw which studies this one continues and which continue it; nothing where there are none."""
    line, heirs = ancestors(folder), children(folder)
    if not line and not heirs:
        return
    # A link that leads to the page it stands on changes the study but, in Streamlit 1.67, not the address.
    st.query_params["study"] = folder.id
    with st.container(horizontal=True, gap="small", key="lineage", vertical_alignment="center"):
        for place, parent in enumerate(line[:_MOST]):
            _draw_parent(parent, "Continues" if place == 0 else "which continues")
        for heir in heirs[:_MOST]:
            record = parent_of(heir)
            _draw_link(heir, f"Continued by {study_name(heir)}", record.changed if record else "")
        if more := len(line[_MOST:]) + len(heirs[_MOST:]):
            st.caption(f"and {count(more, 'more study').replace('studys', 'studies')}")


def draw_imported(run: Run) -> None:
    """Say so where a page takes imported trials for evidence like a study's own."""
    n = sum(t.state.is_finished() for t in imported(run.study.trials))
    if n:
        st.caption(
            f"{count(n, 'trial')} imported from the study that this one continues "
            f"{'is' if n == 1 else 'are'} part of the evidence here."
        )


def borrowed_words(folder: RunFolder) -> str:
    """Return what other studies lose with this one, as Markdown; empty where they lose nothing."""
    found = borrowers(folder)
    if not found:
        return ""
    names = ", ".join(frame.escape(study_name(other)) for other in found[:_MOST])
    more = f" and {len(found) - _MOST} more" if len(found) > _MOST else ""
    return (
        f"Trials of this study were imported by {names}{more}. They stay there with their values, but their "
        "weights and learning curves go."
    )


def home_words(folder: RunFolder, trial: FrozenTrial) -> str:
    """Return where an imported or repeated trial first ran, in plain words; empty for any other trial."""
    home = trial_home(folder, trial)
    if home.folder != folder:
        there = study_name(home.folder) if home.folder else f"{home.study}, which was deleted"
        return f"Imported: it ran as trial {home.number} of {there}."
    again = rerun_of(trial)
    if again is None:
        return ""
    return f"Runs the configuration of trial {again[1]} of {again[0]} again, with new seeds."


def _draw_parent(parent: Parent, word: str) -> None:
    if parent.folder is not None:
        _draw_link(parent.folder, f"{word} {study_name(parent.folder)}", parent.changed)
        return
    changed = f" ({frame.escape(parent.changed)})" if parent.changed else ""
    st.caption(f"{word} {frame.escape(parent.id)}, which was deleted{changed}", width="content")


def _draw_link(folder: RunFolder, words: str, changed: str) -> None:
    st.page_link(
        "pages/history.py",
        label=frame.escape(f"{words} ({changed})" if changed else words),
        icon=":material/account_tree:",
        query_params={"study": folder.id},
    )
