"""The rollouts of a study on disk: jobs in a folder of the study's own, with their videos in them."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from storage import locks
from storage.live import Heartbeat, read_heartbeats
from storage.paths import NAME_PATTERN, RunFolder, UnknownRun, create_run, list_runs
from storage.records import write_text
from tuning import jobs, launch
from tuning.access import require_writable
from tuning.analysis.words import duration, whole
from tuning.jobs import JobState
from tuning.retraining_plan import PlanError, read_model
from tuning.rollout import Rollout, RolloutResult

KIND = "rollout"
START_WAIT_S = 5.0  # for another press that is just starting one
PROBE_S = 0.3  # somebody who merely asks whether the lock is held holds it for a moment


@dataclass(frozen=True)
class RolloutJob:
    """One rollout as its files show it at one moment."""

    folder: RunFolder
    request: Rollout
    status: jobs.JobStatus
    result: RolloutResult | None  # None until it is finished
    beat: Heartbeat | None  # how far it is while it plays; its phase is play or encode
    size_bytes: int  # on disk

    @property
    def is_ready(self) -> bool:
        """Whether there is something to show."""
        return self.result is not None

    def video(self, index: int) -> Path | None:
        """Return the video of an actor, by its place in the request, or None when there is none."""
        return self._file(self.result.actors[index].video) if self.result else None

    @property
    def side_by_side(self) -> Path | None:
        """The video with all actors; None with one actor, or without pictures."""
        return self._file(self.result.side_by_side) if self.result else None

    @property
    def poster(self) -> Path | None:
        """A still picture, or None."""
        return self._file(self.result.poster) if self.result else None

    @property
    def best_video(self) -> Path | None:
        """The one video to share: all actors side by side, or the only one's."""
        return self.side_by_side or (self.video(0) if self.result else None)

    def _file(self, name: str | None) -> Path | None:
        if name is None or not NAME_PATTERN.fullmatch(name):  # nothing outside the folder
            return None
        path = self.folder.path / name
        return path if path.is_file() and not path.is_symlink() else None


@dataclass(frozen=True)
class UnreadableRollout:
    """A rollout whose files are not what they were."""

    folder: RunFolder
    reason: str
    size_bytes: int


@dataclass(frozen=True)
class RolloutProgress:
    """How far a rollout is, at one moment."""

    fraction: float
    words: str  # "Playing: step 120 of 200, about 3 s left"


def start_rollout(study: RunFolder, request: Rollout) -> RunFolder:
    """Start a rollout of a study and return its folder; the same request finds the one there is.

    One that plays or is finished is left alone, one that ended early is started again. Several rollouts of a
    study play one after the other.

    Raises:
        ReadOnly: this server only shows studies.
        AlreadyRunning: somebody else is just starting one.
        StartFailed: see `jobs.start_job`.
    """
    require_writable("render a video")
    with _alone(study):
        for job in find_rollouts(study):
            if isinstance(job, RolloutJob) and job.request == request:
                if not job.status.state.alive and not job.is_ready:
                    launch.start(job.folder)
                return job.folder
        folder = create_run(study.rollouts, KIND)
        write_text(folder.rollout, request.model_dump_json(indent=1))
        jobs.create_job(folder, KIND)
        launch.start(folder)
    return folder


def resume_rollout(study: RunFolder, folder: RunFolder) -> None:
    """Play a rollout that ended early again, from its start.

    Raises:
        ReadOnly, AlreadyRunning, StartFailed: see `start_rollout`.
    """
    require_writable("render a video")
    with _alone(study):
        launch.start(folder)


def stop_rollout(folder: RunFolder) -> bool:
    """Ask a rollout to stop at once, without a video; say whether it was running.

    Raises:
        ReadOnly: this server only shows studies.
    """
    require_writable("stop a video")
    return jobs.request_stop(folder, "now")


def find_rollouts(study: RunFolder) -> list[RolloutJob | UnreadableRollout]:
    """Return the rollouts of a study, newest first."""
    found: list[RolloutJob | UnreadableRollout] = []
    for folder in list_runs(study.rollouts):
        try:
            found.append(read_rollout(folder))
        except PlanError as error:
            found.append(UnreadableRollout(folder, str(error), folder_size(folder.path)))
    return found


def find_rollout(study: RunFolder, rollout_id: str) -> RolloutJob:
    """Return the rollout of this id.

    Raises:
        UnknownRun: the study has none of that name.
        PlanError: its files are not what they were.
    """
    if NAME_PATTERN.fullmatch(rollout_id):
        for folder in list_runs(study.rollouts):
            if folder.id == rollout_id:
                return read_rollout(folder)
    raise UnknownRun(f"{study.id} has no rollout {rollout_id[:80]!r}. It may have been deleted.")


def read_rollout(folder: RunFolder) -> RolloutJob:
    """Read a rollout.

    Raises:
        PlanError: its files are not what they were.
    """
    request = read_model(folder.rollout, Rollout)
    status = jobs.job_status(folder)  # before the result, so that a finished rollout has it
    result = None
    if status.state == JobState.FINISHED:
        result = read_model(folder.result, RolloutResult)
        played = [len(actor.episodes) for actor in result.actors]
        if played != [request.n_episodes] * len(request.actors):
            raise PlanError(f"{folder.result.name} of {folder.id} belongs to another request. Delete it.")
    beat = next(iter(read_heartbeats(folder)), None) if status.state.alive else None
    return RolloutJob(folder, request, status, result, beat, folder_size(folder.path))


def progress_of(job: RolloutJob) -> RolloutProgress:
    """Return how far a running rollout is. Steps are those of the actor that plays longest."""
    beat = job.beat
    if job.status.state == JobState.STOPPING:
        return RolloutProgress(0.0, "Stopping")
    if beat is None or not beat.total_timesteps:
        return RolloutProgress(0.0, "Starting, or waiting for another video of this study")
    if beat.phase == "start":
        return RolloutProgress(0.0, "Loading the policies")
    if beat.phase == "encode":
        return RolloutProgress(1.0, "Finishing the video")
    fraction = min(1.0, beat.timesteps / beat.total_timesteps)
    left = ""
    if beat.steps_per_s > 0 and beat.timesteps:
        left = f", about {duration((beat.total_timesteps - beat.timesteps) / beat.steps_per_s)} left"
    steps = f"step {whole(beat.timesteps)} of {whole(beat.total_timesteps)} at most"
    return RolloutProgress(fraction, f"Playing: {steps}{left}")


def delete_rollout(study: RunFolder, folder: RunFolder) -> None:
    """Delete a rollout with its videos.

    Raises:
        ReadOnly: this server only shows studies.
        Busy: it is playing.
        ValueError: it is no rollout of this study.
        FileNotFoundError: somebody else has just deleted it.
    """
    require_writable("delete a video")
    if folder.path.parent != study.rollouts:
        raise ValueError(f"{folder.id} is no rollout of {study.id}.")
    try:
        with locks.FileLock(folder.lock, wait_s=PROBE_S):
            grave = study.rollouts / f".deleted-{folder.id}-{secrets.token_hex(4)}"
            os.rename(folder.path, grave)
    except locks.LockHeld:
        raise launch.Busy("This video is being rendered: stop it first.") from None
    shutil.rmtree(grave, ignore_errors=True)


def folder_size(path: Path) -> int:
    """Return the bytes of the files in a folder; what is replaced meanwhile is left out."""
    total = 0
    for place, _, names in os.walk(path):
        for name in names:
            with suppress(OSError):
                total += (Path(place) / name).lstat().st_size
    return total


@contextmanager
def _alone(study: RunFolder) -> Iterator[None]:
    """Hold what lets nobody else start a rollout of this study: two presses of one button are one wish."""
    study.rollouts.mkdir(mode=0o700, exist_ok=True)
    try:
        with locks.FileLock(study.rollouts / jobs.START_LOCK, wait_s=START_WAIT_S):
            yield
    except locks.LockHeld:
        raise jobs.AlreadyRunning(f"A video of {study.id} is just being started.") from None
