"""Which rollout is looked at, and whether it is presented: both are in the URL, so that a link shows them."""

import streamlit as st

from storage.paths import RunFolder
from tuning.rollout_jobs import RolloutJob, UnreadableRollout, find_rollout

_ROLLOUT = "rollout"
_PRESENT = "present"


def chosen_id() -> str | None:
    """Return the id that the URL names, or None."""
    return st.query_params.get(_ROLLOUT) or None


def choose(folder: RunFolder) -> None:
    """Look at this rollout."""
    st.query_params[_ROLLOUT] = folder.id


def forget() -> None:
    """Look at no rollout in particular."""
    st.query_params.pop(_ROLLOUT, None)
    st.query_params.pop(_PRESENT, None)


def is_presenting() -> bool:
    """Say whether the URL asks for nothing but the videos."""
    return st.query_params.get(_PRESENT) == "1"


def present(folder: RunFolder) -> None:
    """Show nothing but this rollout."""
    choose(folder)
    st.query_params[_PRESENT] = "1"


def leave() -> None:
    """Go back to the whole page."""
    st.query_params.pop(_PRESENT, None)


def find_chosen(study: RunFolder, found: list[RolloutJob | UnreadableRollout]) -> RolloutJob | None:
    """Return the rollout that the URL names; without a name the newest that can be shown, or that plays.

    One that compares policies goes first: a model card renders a clip of a single one, which shows less.

    Raises:
        UnknownRun: there is none of that name.
        PlanError: its files are not what they were.
    """
    wanted = chosen_id()
    if wanted is not None:
        return find_rollout(study, wanted)
    jobs = [job for job in found if isinstance(job, RolloutJob)]
    shown = [job for job in jobs if job.is_ready or job.status.state.alive]
    return next((job for job in shown if len(job.request.actors) > 1), shown[0] if shown else None)
