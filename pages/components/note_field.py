"""A note on a study or on one of its trials, written in place and saved when the field is left."""

import streamlit as st

from pages.components import frame
from storage.locks import LockHeld
from storage.paths import RunFolder
from storage.remarks import MAX_NOTE, read_remarks
from tuning.access import is_read_only
from tuning.remarks import write_note

CANNOT_SAVE = (LockHeld, OSError)  # what the functions of `tuning.remarks` may raise


def note_of(folder: RunFolder, trial: int | None = None) -> str:
    """Return the note on the study, or on a trial; empty where there is none."""
    remarks = read_remarks(folder)
    return remarks.note if trial is None else remarks.trial_notes.get(trial, "")


def draw(folder: RunFolder, label: str, *, place: str, trial: int | None = None) -> None:
    """Draw the note: to be written here, or, on a server that only shows studies, to be read if there is one.

    Args:
        folder: the study's.
        label: of the field.
        place: where on the page; the same note may stand in two places.
        trial: number of the trial that it is on; None: the study.
    """
    stored = note_of(folder, trial)
    if is_read_only():
        if stored:
            st.caption(label)
            st.text(stored)
        return
    key = f"note-{place}-{folder.id}-{trial}"
    base = f"{key}-base"
    if key not in st.session_state:
        st.session_state[key] = st.session_state[base] = stored
    st.text_area(
        label,
        key=key,
        height=110,
        max_chars=MAX_NOTE,
        placeholder="What you tried, and what you make of it",
        on_change=_save,
        args=(folder, key, base, trial),
        help="Plain text. It is saved when you leave the field, or with Ctrl+Enter, beside the study and not "
        "in its journal. Everybody who opens the study sees it.",
    )
    if said := st.session_state.pop(f"{key}-said", None):
        st.info(said, icon=":material/merge:")
    if problem := st.session_state.pop(f"{key}-problem", None):
        st.error(f"The note is not saved. {frame.escape(problem)}", icon=":material/error:")
    elif stored != st.session_state[base]:
        # Not put into the field by itself: what is being typed there would be lost.
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption("Somebody has changed this note since. If you save, their lines stay as well.")
            st.button("Show theirs", key=f"{key}-reload", on_click=_reload, args=(folder, key, base, trial))


def draw_kept(note: str | None) -> None:
    """Show a note that optuna-dashboard keeps in the study's own file; nothing where there is none."""
    if note:
        st.caption("Noted in the study's file with optuna-dashboard")
        st.text(note)


def _save(folder: RunFolder, key: str, base: str, trial: int | None) -> None:
    try:
        saved = write_note(folder, st.session_state[key], base=st.session_state[base], trial=trial)
    except CANNOT_SAVE as error:
        st.session_state[f"{key}-problem"] = str(error)
        return
    st.session_state[key] = st.session_state[base] = saved.text
    if saved.merged:
        st.session_state[f"{key}-said"] = (
            "Somebody else wrote here meanwhile. Their lines were added below yours."
        )


def _reload(folder: RunFolder, key: str, base: str, trial: int | None) -> None:
    st.session_state[key] = st.session_state[base] = note_of(folder, trial)
