"""Ask before a study is deleted, and name what is lost."""

import streamlit as st

from pages.components import cached, frame
from storage.artifacts import kept_trials
from storage.paths import RunFolder
from tuning import launch
from tuning.analysis.look import count


def losses(folder: RunFolder) -> str:
    """Return what goes with a study, as a part of a sentence."""
    try:
        trials = count(cached.summary(folder).n_trials, "trial")
    except cached.UNREADABLE:
        trials = "trials that cannot be read"
    n_policies = len(kept_trials(folder))
    policies = f", {n_policies} trained {'policy' if n_policies == 1 else 'policies'}" if n_policies else ""
    size = sum(path.stat().st_size for path in folder.path.rglob("*") if path.is_file())
    return f"{trials}{policies}, learning curves and the log ({size / 1e6:.1f} MB)"


@st.dialog("Delete this study?", icon=":material/delete:")
def confirm_deletion(folder: RunFolder) -> None:
    """Delete the study once the person has confirmed."""
    st.markdown(f"**{frame.escape(folder.id)}** goes for good: {losses(folder)}.")
    with st.container(horizontal=True):
        if st.button("Delete", type="primary", key="delete-confirmed"):
            try:
                launch.delete(folder)
            except (launch.Busy, OSError) as error:
                st.error(frame.escape(str(error)))
            else:
                st.toast(f"Deleted {frame.escape(folder.id)}", icon=":material/delete:")
                st.rerun()
        if st.button("Keep it", key="delete-cancelled"):
            st.rerun()
