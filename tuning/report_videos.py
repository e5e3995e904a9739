"""Videos for a report: which ones, and how they go into one file."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from storage.paths import RunFolder
from tuning.rollout_jobs import RolloutJob, find_rollouts
from tuning.rollout_words import headline, return_words, steps_words

MOST_VIDEOS = 3


@dataclass(frozen=True)
class Video:
    """One video of a report, with everything in it."""

    source: str  # data URI
    poster: str  # data URI of a still picture; empty without one
    about: str  # what is compared, in one sentence
    actors: tuple[tuple[str, str, str], ...]  # label, return, steps; from left to right
    start: str  # which episode is seen
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Videos:
    """What there is to see."""

    shown: tuple[Video, ...]
    n_too_large: int  # left out, or the report would grow beyond its limit
    n_others: int  # further ones that the study has

    @property
    def size_bytes(self) -> int:
        """How much the report grows with them."""
        return sum(len(video.source) + len(video.poster) for video in self.shown)


def report_videos(study: RunFolder, *, budget_bytes: int) -> Videos:
    """Return the newest comparison of defaults with a tuned agent, then the newest others, while they fit.

    Args:
        study: whose rollouts are meant.
        budget_bytes: what all of them may take in the report.
    """
    jobs = [j for j in find_rollouts(study) if isinstance(j, RolloutJob) and j.best_video is not None]
    ordered = sorted(jobs, key=lambda job: not _is_comparison(job))  # stable: newest first among equals
    shown: list[Video] = []
    left_out = 0
    for job in ordered:
        if len(shown) == MOST_VIDEOS:
            break
        video = _video(job, budget_bytes)
        if video is None:
            left_out += 1
            continue
        shown.append(video)
        budget_bytes -= len(video.source) + len(video.poster)
    return Videos(tuple(shown), left_out, len(ordered) - len(shown) - left_out)


def _is_comparison(job: RolloutJob) -> bool:
    return {actor.role for actor in job.request.actors} == {"tuned", "baseline"}


def _video(job: RolloutJob, budget_bytes: int) -> Video | None:
    """Return a rollout's video with its words, or None when it does not fit."""
    path, poster, result = job.best_video, job.poster, job.result
    assert path is not None
    assert result is not None
    needed = sum(_encoded_bytes(p) for p in (path, poster) if p is not None)
    if needed > budget_bytes:
        return None
    request = job.request
    episodes = "" if request.n_episodes == 1 else f", {request.n_episodes} episodes from there"
    how = "" if request.deterministic else "; actions are sampled"
    return Video(
        source=_data_uri(path, "video/mp4"),
        poster=_data_uri(poster, "image/jpeg") if poster is not None else "",
        about=headline(result, request.env.id),
        actors=tuple((a.label, return_words(a.episodes), steps_words(a.episodes)) for a in result.actors),
        start=f"All start in the same state (episode seed {request.seed}{episodes}){how}."
        if len(result.actors) > 1
        else f"Episode seed {request.seed}{episodes}{how}.",
        notes=tuple(result.notes),
    )


def _encoded_bytes(path: Path) -> int:
    return path.stat().st_size * 4 // 3 + 100


def _data_uri(path: Path, mime: str) -> str:
    return f"data:{mime};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"


def left_out_words(videos: Videos) -> Sequence[str]:
    """Return sentences about the videos that are not in the report."""
    words = []
    if videos.n_too_large:
        many = videos.n_too_large > 1
        words.append(
            f"{videos.n_too_large} {'videos are' if many else 'video is'} left out, because this file would "
            "grow beyond what can be sent around."
        )
    if videos.n_others:
        many = videos.n_others > 1
        words.append(f"The study has {videos.n_others} further {'videos' if many else 'video'} on Rollouts.")
    return words
