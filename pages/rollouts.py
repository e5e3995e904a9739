"""Can I show it to a colleague?"""

import streamlit as st

from pages.components import (
    cached,
    frame,
    rollout_address,
    rollout_chooser,
    rollout_gallery,
    rollout_progress,
    rollout_stage,
)
from storage.paths import RunFolder, UnknownRun
from tuning.access import is_read_only
from tuning.retraining_plan import PlanError
from tuning.rollout_actors import Cast, find_cast
from tuning.rollout_jobs import RolloutJob, find_rollouts

TITLE = "Rollouts"


def present(folder: RunFolder, job: RolloutJob | None) -> None:
    """Draw nothing but the videos, the returns and one sentence."""
    if job is not None and job.result is not None:
        rollout_stage.draw_alone(job, job.result, known_cast(folder))
    else:
        rollout_progress.draw_alone(folder, job)
    st.button(
        "Leave presentation",
        type="tertiary",
        icon=":material/close_fullscreen:",
        on_click=rollout_address.leave,
        help="Escape does the same.",
    )


def known_cast(folder: RunFolder) -> Cast | None:
    """Return who could play, or None where the study cannot be read: its videos are shown all the same."""
    try:
        return find_cast(cached.run(folder))
    except cached.UNREADABLE:
        return None


def draw_stage(folder: RunFolder, job: RolloutJob, cast: Cast) -> None:
    """Draw the rollout that is looked at, and what can be done with it."""
    if job.result is None:
        rollout_progress.draw(folder, job)
        return
    rollout_stage.draw(job, job.result, cast)
    with st.container(horizontal=True, key="rollout-actions"):
        if not job.result.no_video:
            st.button(
                "Present",
                type="primary",
                icon=":material/open_in_full:",
                on_click=rollout_address.present,
                args=(job.folder,),
                help="Only the videos and the returns, on the whole page. Escape leaves it.",
            )
        rollout_gallery.download(job, key="rollout-download", label="Download")
        if not is_read_only():
            rollout_chooser.draw_from_another_start(folder, job)
    rollout_stage.draw_details(job, job.result)


is_presenting = rollout_address.is_presenting()
if is_presenting:
    frame.open_bare_page(TITLE)
else:
    frame.open_page(TITLE, "Can I show it to a colleague?", icon=":material/movie:")
folder = frame.require_study()
found = find_rollouts(folder)
try:
    job = rollout_address.find_chosen(folder, found)
except (UnknownRun, PlanError) as error:
    job = None
    if not is_presenting:
        st.warning(frame.escape(str(error)), icon=":material/search_off:")
if is_presenting:
    present(folder, job)
    st.stop()

run = frame.require_run(folder)
cast = find_cast(run)
rollout_progress.draw_problem(folder)
if job is not None:
    draw_stage(folder, job, cast)
if not is_read_only() and cast.parts:
    rollout_chooser.draw(run, cast, primary=job is None or job.result is None)
elif not cast.parts and not found:
    st.info(cast.missing, icon=":material/movie:")
    rollout_chooser.link_to_reevaluation(folder)
elif is_read_only() and not found:
    st.info("There is no video of this study yet.", icon=":material/movie:")
rollout_gallery.draw(folder, found, shown=job.folder.id if job else None)
