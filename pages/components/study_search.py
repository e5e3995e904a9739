"""Find studies in the list: by words, by tag, by state, in another order."""

from collections.abc import Callable, Sequence

import streamlit as st

from pages.components.study_table import StudyRow

_ORDERS: dict[str, str] = {
    "newest": "Newest first",
    "oldest": "Oldest first",
    "name": "Name",
    "task": "Task, then the best value",
    "trials": "Most trials",
}


def draw(rows: Sequence[StudyRow]) -> list[StudyRow]:
    """Draw the search and return the studies that it finds; nothing is drawn for a single study."""
    archived = [row for row in rows if row.archived]
    if len(rows) < 2 and not archived:
        return list(rows)
    words, order, more = st.columns([3, 2, 2], vertical_alignment="bottom")
    text = words.text_input(
        "Find",
        key="find",
        bind="query-params",
        type="search",
        max_chars=100,
        placeholder="name, tag, environment, algorithm, state",
        help="Each word must stand somewhere in a study's name, id, tags, environment, algorithm, state, "
        "note, or in the name of its file.",
    )
    chosen = order.selectbox(
        "Order", list(_ORDERS), key="order", bind="query-params", format_func=lambda name: _ORDERS[name]
    )
    with more:
        shows_archived = bool(archived) and st.toggle(
            f"Archived ({len(archived)})", key="archived", bind="query-params"
        )
    tags = sorted({tag for row in rows for tag in row.tags}, key=str.casefold)
    picked = (
        st.pills(
            "Tags", tags, selection_mode="multi", key="tags-picked", wrap=True, label_visibility="collapsed"
        )
        if tags
        else []
    )
    found = [
        row
        for row in rows
        if (shows_archived or not row.archived)
        and set(picked or ()) <= set(row.tags)
        and matches(row, text or "")
    ]
    if not found:
        hidden = sum(row.archived for row in rows if matches(row, text or "")) if not shows_archived else 0
        st.info(
            "No study matches. Clear the words or the tags."
            if (text or picked) and not hidden
            else "Only archived studies match. *Archived* shows them.",
            icon=":material/filter_alt_off:",
        )
    return ordered(found, chosen or "newest")


def matches(row: StudyRow, text: str) -> bool:
    """Say whether each word of the text stands somewhere in what is known of the study."""
    there = "\n".join(
        str(part)
        for part in (
            row.id, row.label, *row.tags, row.environment or "", row.algorithm or "", row.state,
            row.note, row.file or "", row.continues or "", "archived" if row.archived else "",
        )
    ).casefold()  # fmt: skip
    return all(word in there for word in text.casefold().split())


def ordered(rows: Sequence[StudyRow], order: str) -> list[StudyRow]:
    """Return the studies, which come newest first, in an order; those that cannot be placed come last."""
    keys: dict[str, Callable[[StudyRow], tuple]] = {
        "oldest": lambda row: (row.created_at is None, row.created_at or 0.0),
        "name": lambda row: (row.label.casefold(), row.id),
        "trials": lambda row: (-(row.done or 0),),
        "task": lambda row: (
            row.environment is None,
            row.environment or "",
            row.best is None,
            (row.best or 0.0) * (-1 if row.maximize else 1),
        ),
    }
    return sorted(rows, key=keys[order]) if order in keys else list(rows)
