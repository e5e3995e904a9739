"""All videos of a study: what they show, their returns, dates and sizes; open, download, delete."""

import time
from contextlib import suppress
from pathlib import Path

import streamlit as st
from PIL.Image import DecompressionBombError

from pages.components import frame, rollout_address
from storage.paths import RunFolder
from tuning import launch
from tuning.access import is_read_only
from tuning.analysis.look import age, count
from tuning.jobs import JobState
from tuning.rollout_jobs import RolloutJob, UnreadableRollout, delete_rollout
from tuning.rollout_words import file_name, return_words

N_COLUMNS = 3
N_FIRST = 12  # cards; each loads a picture
_ALL = "rollout-gallery-all"


def draw(study: RunFolder, found: list[RolloutJob | UnreadableRollout], *, shown: str | None) -> None:
    """Draw a card for each rollout, newest first.

    Args:
        study: whose rollouts these are.
        found: all of them.
        shown: id of the one on stage.
    """
    if not found:
        return
    size = size_words(sum(job.size_bytes for job in found))
    st.subheader(f"All videos of this study ({len(found)}, {size})", anchor=False)
    cards = found if st.session_state.get(_ALL) else found[:N_FIRST]
    for first in range(0, len(cards), N_COLUMNS):
        columns = st.columns(N_COLUMNS)
        for column, job in zip(columns, cards[first : first + N_COLUMNS], strict=False):
            with column.container(border=True, key=f"rollout-card-{job.folder.id}"):
                if isinstance(job, UnreadableRollout):
                    _draw_unreadable(study, job)
                else:
                    _draw_card(study, job, is_shown=job.folder.id == shown)
    if len(cards) < len(found):
        st.button(f"Show the other {len(found) - len(cards)}", key="rollout-gallery-more", on_click=_show_all)


def download(job: RolloutJob, *, key: str, label: str, quiet: bool = False) -> None:
    """Draw the button that hands over the video of all actors; nothing where there is none."""
    video = job.best_video
    size = file_size(video) if video is not None else None
    if video is not None and size is not None:
        st.download_button(
            label,
            type="tertiary" if quiet else "secondary",
            data=video.read_bytes,
            file_name=file_name(job.folder.path.parent.parent.name, job.request),
            mime="video/mp4",
            icon=":material/download:",
            key=key,
            on_click="ignore",
            help=f"MP4, {size_words(size)}: all side by side with their returns.",
        )


def file_size(path: Path) -> int | None:
    """Return the bytes of a file, or None when it has just been deleted."""
    try:
        return path.stat().st_size
    except OSError:
        return None


def size_words(size_bytes: int) -> str:
    """Return a size on disk for people."""
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes >= 1e5 else f"{max(1, round(size_bytes / 1e3))} kB"


def _draw_card(study: RunFolder, job: RolloutJob, *, is_shown: bool) -> None:
    poster = job.poster
    if poster is not None:
        with suppress(OSError, ValueError, DecompressionBombError):  # just deleted, or no picture
            st.image(poster.read_bytes(), width="stretch", alt="A picture from the middle of the video")
    results = job.result.actors if job.result else ()
    for index, actor in enumerate(job.request.actors):
        number = f" **{return_words(results[index].episodes)}**" if results else ""
        st.markdown(f"{frame.escape(actor.label)}{number}")
    if job.result is None:
        st.badge(_state_words(job), color=frame.STATE_COLOURS[job.status.state])  # type: ignore[arg-type]
    elif job.result.no_video:
        st.badge("No pictures", color="gray")
    when = job.status.ended_at or job.status.created_at
    n = job.request.n_episodes
    episodes = f", {count(n, 'episode')}" if n > 1 else ""
    st.caption(
        f"Start {job.request.seed}{episodes} · {age(time.time() - when)} · {size_words(job.size_bytes)}",
        help=time.strftime("%Y-%m-%d %H:%M", time.localtime(when)),
    )
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.button(
            "Shown" if is_shown else "Open",
            icon=":material/play_circle:",
            key=f"rollout-open-{job.folder.id}",
            disabled=is_shown,
            on_click=rollout_address.choose,
            args=(job.folder,),
        )
        download(job, key=f"rollout-download-{job.folder.id}", label="MP4", quiet=True)
        if not is_read_only():
            _draw_delete(study, job.folder, disabled=job.status.state.alive)


def _draw_unreadable(study: RunFolder, job: UnreadableRollout) -> None:
    st.markdown(f"**{frame.escape(job.folder.id)}** cannot be read.")
    st.caption(f"{frame.escape(job.reason)} {size_words(job.size_bytes)}.")
    if not is_read_only():
        _draw_delete(study, job.folder, disabled=False)


def _draw_delete(study: RunFolder, folder: RunFolder, *, disabled: bool) -> None:
    if st.button(
        "Delete",
        type="tertiary",
        icon=":material/delete:",
        key=f"rollout-delete-{folder.id}",
        disabled=disabled,
        help="It is being rendered: stop it first." if disabled else None,
    ):
        confirm_deletion(study, folder)


@st.dialog("Delete this video?", icon=":material/delete:")
def confirm_deletion(study: RunFolder, folder: RunFolder) -> None:
    """Ask, and delete the rollout once the person has confirmed."""
    st.markdown("Its videos and returns go for good. They can be rendered again while the policies are kept.")
    with st.container(horizontal=True):
        if st.button("Delete", type="primary", key="rollout-delete-confirmed"):
            try:
                delete_rollout(study, folder)
            except FileNotFoundError:
                pass  # somebody else was faster
            except (launch.Busy, OSError) as error:
                st.error(frame.escape(str(error)))
                return
            if rollout_address.chosen_id() == folder.id:
                rollout_address.forget()
            st.toast("Deleted", icon=":material/delete:")
            st.rerun()
        if st.button("Keep it", key="rollout-delete-cancelled"):
            st.rerun()


def _state_words(job: RolloutJob) -> str:
    return "Rendering" if job.status.state == JobState.RUNNING else job.status.state.value.capitalize()


def _show_all() -> None:
    st.session_state[_ALL] = True
