"""Which studies are compared. They stand in the address, `?studies=a,b`: a comparison can be linked."""

import streamlit as st

from pages.components import cached, frame, study_labels
from storage.paths import RunFolder
from tuning.analysis.series import MOST
from tuning.compared_facts import ComparedStudy, compared_study
from tuning.lineage import children, parent_of

ADDRESS = "studies"
_PICKER = "compared-studies"


def draw() -> list[ComparedStudy]:
    """Draw the choice; return the chosen studies that can be read, in the order in which they were chosen."""
    folders = {folder.id: folder for folder in frame.studies()}
    names = study_labels.labels(folders.values())
    wanted = _wanted(folders)
    st.session_state[_PICKER] = [study for study in wanted if study in folders][:MOST]
    picked = st.multiselect(
        "Studies",
        list(folders),
        key=_PICKER,
        format_func=lambda study: names.get(study, study),
        max_selections=MOST,
        select_all=False,
        placeholder=f"Pick two to {MOST} studies",
        on_change=_pick,
        help="The first one decides whether higher or lower is better. The page's address names them all.",
    )
    if gone := [study for study in wanted if study not in folders]:
        st.warning(
            f"There is no study named {frame.escape(', '.join(gone)[:200])} here. It may have been deleted.",
            icon=":material/search_off:",
        )
    found = []
    for study in picked:
        try:
            found.append(compared_study(names[study], cached.run(folders[study])))
        except cached.UNREADABLE as error:
            frame.show_unreadable(folders[study], error)
    return found


def _wanted(folders: dict[str, RunFolder]) -> list[str]:
    """Return the ids in the address; without any, the study looked at and its nearest relative."""
    if ADDRESS in st.query_params:
        ids = (part.strip() for part in str(st.query_params[ADDRESS]).split(","))
        return list(dict.fromkeys(part for part in ids if part))
    chosen = frame.chosen_study()
    if chosen is None or chosen.id not in folders:
        return []
    parent = parent_of(chosen)
    relatives = [parent.id] if parent else [child.id for child in children(chosen)[:1]]
    return [*(study for study in relatives if study in folders), chosen.id]


def _pick() -> None:
    st.query_params[ADDRESS] = ",".join(st.session_state[_PICKER])
