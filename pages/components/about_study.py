"""What people say about a study: its name, tags and note, and what can be done with it as a whole."""

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from pages.components import cached, duplicating, frame, note_field
from storage.paths import RunFolder
from storage.remarks import MAX_NAME, MAX_TAG, MAX_TAGS, Remarks, read_remarks
from tuning.access import is_read_only
from tuning.remarks import rename, set_archived, set_tags

_OPEN = "about-open"  # session: the study whose dialog is open
_PROBLEM = "remarks-problem"  # session: why the last change was not saved


def draw_line(folder: RunFolder) -> None:
    """Draw tags and note in short, and the place where they can be changed; on the page of a study."""
    remarks = read_remarks(folder)
    if is_read_only():
        _draw_tags(remarks)
        note_field.draw(folder, "Note", place="page")
        return
    _draw_tags(remarks)
    label = "Note, name and tags"
    if first := remarks.note.partition("\n")[0]:
        label = f"Note: {frame.escape(first[:80])}{' …' if len(remarks.note) > len(first[:80]) else ''}"
    with st.expander(label, icon=":material/edit_note:", key=f"about-{folder.id}"):
        _draw_fields(folder, remarks, place="page")


def draw_dialog(asked: RunFolder | None) -> None:
    """Draw the same in front of the list of studies, for the study asked for now or shown already.

    It stays through reruns of the page, such as when a study ends, until it is closed.
    """
    if asked is not None:
        st.session_state[_OPEN] = asked
    folder: RunFolder | None = st.session_state.get(_OPEN)
    if folder is not None and folder.job.exists():  # else it was deleted in another tab
        _dialog(folder)


def _close() -> None:
    st.session_state[_OPEN] = None


@st.dialog("About this study", icon=":material/edit_note:", width="medium", on_dismiss=_close)
def _dialog(folder: RunFolder) -> None:
    st.caption(frame.escape(folder.id))
    _draw_fields(folder, read_remarks(folder), place="dialog")


def _draw_tags(remarks: Remarks) -> None:
    # Also where it is empty: what is open below would be closed when the first tag moves it to another place.
    with st.container(horizontal=True, gap="xsmall", key="tags"):
        for tag in remarks.tags:
            st.badge(frame.escape(tag), icon=":material/sell:", color="gray")
        if remarks.archived:
            st.badge("Archived", icon=":material/inventory_2:", color="gray")


def _draw_fields(folder: RunFolder, remarks: Remarks, *, place: str) -> None:
    if problem := st.session_state.pop(_PROBLEM, None):
        st.error(f"The change is not saved. {frame.escape(problem)}", icon=":material/error:")
    stem = f"about-{place}-{folder.id}"
    name, tags = st.columns(2)
    _show_stored(f"{stem}-name", remarks.name)
    name.text_input(
        "Name",
        key=f"{stem}-name",
        max_chars=MAX_NAME,
        placeholder=folder.id,
        on_change=partial(_change, f"{stem}-name", lambda value: rename(folder, value or "")),
        help=f"Shown in place of {frame.escape(folder.id)}, which stays in addresses and in a terminal.",
    )
    _show_stored(f"{stem}-tags", list(remarks.tags))
    known = {tag for other in frame.studies() for tag in read_remarks(other).tags} | set(remarks.tags)
    tags.multiselect(
        "Tags",
        sorted(known, key=str.casefold),
        key=f"{stem}-tags",
        accept_new_options=True,
        select_all=False,
        max_selections=MAX_TAGS,
        placeholder="Pick or write some",
        on_change=partial(_change, f"{stem}-tags", lambda value: set_tags(folder, value)),
        help=f"To find studies again on the first page. At most {MAX_TAG} characters each.",
    )
    note_field.draw(folder, "Note", place=place)
    with st.container(horizontal=True):
        if _has_request(folder) and st.button(
            "Duplicate and edit",
            icon=":material/content_copy:",
            key=f"{stem}-duplicate",
            help="Open Launch with this study's request filled in. No trial is imported.",
        ):
            duplicating.open_launch(folder)
        word = "Take out of the archive" if remarks.archived else "Archive"
        st.button(
            word,
            icon=":material/unarchive:" if remarks.archived else ":material/inventory_2:",
            key=f"{stem}-archive",
            on_click=_attempt,
            args=(partial(set_archived, folder, archived=not remarks.archived),),
            help="Archived studies are left out of the list. Nothing is deleted, and links still work.",
        )


def _show_stored(key: str, value: object) -> None:
    """Fill a field from disk when it appears, and when somebody else has changed what it shows."""
    if key not in st.session_state or st.session_state.get(f"{key}-stored") != value:
        st.session_state[key] = st.session_state[f"{key}-stored"] = value


def _has_request(folder: RunFolder) -> bool:
    try:
        return cached.spec(folder) is not None
    except cached.UNREADABLE:
        return False


def _change(key: str, save: Callable[[Any], None]) -> None:
    _attempt(partial(save, st.session_state[key]))


def _attempt(action: Callable[[], None]) -> None:
    try:
        action()
    except note_field.CANNOT_SAVE as error:
        st.session_state[_PROBLEM] = str(error)
