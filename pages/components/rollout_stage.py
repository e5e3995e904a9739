"""One rollout on stage: its videos side by side, the return of each beneath, and what differs."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from pages.components import frame, rollout_address, table_csv, video_sync
from tuning.analysis.look import count, three_digits
from tuning.rollout import ActorResult, RolloutResult
from tuning.rollout_actors import Cast
from tuning.rollout_jobs import RolloutJob
from tuning.rollout_words import N_ENVS, differences, headline, return_words, steps_words
from tuning.space.resolve import POLICY_PREFIX

_MIN_COLUMN_PX = 300


def draw(job: RolloutJob, result: RolloutResult, cast: Cast) -> None:
    """Draw the videos and the returns, each beside what its policy gives on average where that is known."""
    st.markdown(f"**{frame.escape(headline(result, job.request.env.id))}**")
    _draw_actors(job, result, cast, with_steps=True)
    video_sync.keep_together()
    st.caption(_how_to_read(job, result))
    for note in result.notes:
        st.warning(frame.escape(note), icon=":material/info:")


def draw_alone(job: RolloutJob, result: RolloutResult, cast: Cast | None) -> None:
    """Draw nothing but the sentence, the videos and the returns; without a cast no averages."""
    st.subheader(frame.escape(headline(result, job.request.env.id)), anchor=False)
    _draw_actors(job, result, cast, with_steps=False)
    video_sync.keep_together_alone(rollout_address.leave)


def draw_details(job: RolloutJob, result: RolloutResult) -> None:
    """Draw which hyperparameters differ, and every episode where there are several."""
    found = differences(result) if len(result.actors) > 1 else []
    if found:
        with st.expander(f"What differs: {count(len(found), 'hyperparameter')}", icon=":material/tune:"):
            labels = [actor.label for actor in result.actors]
            rows = [
                {
                    "Hyperparameter": _short_name(d.name),
                    **dict(zip(labels, map(_value, d.values), strict=True)),
                }
                for d in found
            ]
            st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")
            full = pd.DataFrame([[d.name, *map(_plain, d.values)] for d in found])
            full.columns = pd.Index(["hyperparameter", *_headers(labels)])
            table_csv.draw(full, f"{job.folder.id}-differences.csv", key=f"differences-csv-{job.folder.id}")
    if job.request.n_episodes > 1:
        with st.expander(f"Each of the {job.request.n_episodes} episodes", icon=":material/list_alt:"):
            st.dataframe(_episode_table(job, result), hide_index=True, width="stretch")
            table_csv.draw(
                lambda: episodes_frame(job, result),
                f"{job.folder.id}-episodes.csv",
                key=f"episodes-csv-{job.folder.id}",
            )


def _short_name(name: str) -> str:
    return "training envs" if name == N_ENVS else name.removeprefix(POLICY_PREFIX)


def _draw_actors(job: RolloutJob, result: RolloutResult, cast: Cast | None, *, with_steps: bool) -> None:
    if result.no_video:
        st.info(
            f"No pictures of {frame.escape(job.request.env.id)}. {frame.escape(result.no_video)} "
            "The episodes were played all the same.",
            icon=":material/videocam_off:",
        )
    with st.container(key=video_sync.STAGE):
        places = [st.container()] if len(result.actors) == 1 else st.columns(len(result.actors), gap="small")
        for index, (place, actor) in enumerate(zip(places, result.actors, strict=True)):
            with place:
                _draw_actor(actor, job.video(index), has_video=not result.no_video)
                if average := cast.average_of(job.request.actors[index].policy) if cast else "":
                    st.caption(f"{average}.")
                if with_steps:
                    st.caption(f"{_capitalised(steps_words(actor.episodes))}.")


def _draw_actor(actor: ActorResult, video: Path | None, *, has_video: bool) -> None:
    if video is not None:
        try:
            film = video.read_bytes()  # given the path, Streamlit raises an error of its own
        except OSError:
            st.warning("The video has just been deleted.", icon=":material/videocam_off:")
        else:
            st.video(film, loop=True, autoplay=True, muted=True, alt=f"{actor.label} plays, step by step")
    elif has_video:
        st.warning("The file of this video is missing. Render it again.", icon=":material/videocam_off:")
    st.caption(frame.escape(actor.label))  # which wraps; a metric's own label is cut in narrow columns
    label = "Return" if len(actor.episodes) == 1 else "Mean return"
    st.metric(label, return_words(actor.episodes), width="stretch")


def _capitalised(words: str) -> str:
    return words[:1].upper() + words[1:]


def _how_to_read(job: RolloutJob, result: RolloutResult) -> str:
    n = job.request.n_episodes
    last = job.request.seed + n - 1
    starts = f"start {job.request.seed}" if n == 1 else f"starts {job.request.seed} to {last}"
    actions = "the most likely action" if job.request.deterministic else "sampled actions"
    little = "One episode says little" if n == 1 else "A few episodes say little"
    if len(result.actors) == 1:
        return f"Played from {starts} with {actions}. {little}: a policy is judged by many."
    return (
        f"All play from the same initial state ({starts}) with {actions}. {little}: "
        "Re-evaluation judges by many episodes and many training runs."
    )


def _episode_table(job: RolloutJob, result: RolloutResult) -> pd.DataFrame:
    rows = []
    for number in range(job.request.n_episodes):
        row: dict[str, Any] = {"Start": job.request.seed + number}
        for actor in result.actors:
            episode = actor.episodes[number]
            shown = "no finite number" if episode.total is None else three_digits(episode.total)
            row[actor.label] = f"{shown} ({count(episode.steps, 'step')})"
        rows.append(row)
    return pd.DataFrame(rows)


def episodes_frame(job: RolloutJob, result: RolloutResult) -> pd.DataFrame:
    """Return one row for each episode of each actor: start (seed), actor, return (undiscounted), steps."""
    return pd.DataFrame(
        [
            {
                "start": job.request.seed + number,
                "actor": actor.label,
                "return": actor.episodes[number].total,
                "steps": actor.episodes[number].steps,
            }
            for number in range(job.request.n_episodes)
            for actor in result.actors
        ]
    )


def _headers(labels: list[str]) -> list[str]:
    return [label if labels.count(label) == 1 else f"{label} ({n})" for n, label in enumerate(labels, 1)]


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | float) else json.dumps(value)


def _value(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, int | float):
        return three_digits(float(value)) if isinstance(value, float) else str(value)
    return value if isinstance(value, str) else json.dumps(value)
