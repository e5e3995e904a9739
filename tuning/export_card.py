"""A trained agent as a folder in the style of Hugging Face: model card, zip, weights, config, video.

Nothing is uploaded. The folder is written beside its final place and then renamed, so that it appears whole.
"""

import json
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from optuna.trial import FrozenTrial

from storage.artifacts import NORMALIZATION
from storage.paths import UnknownRun
from storage.records import read_record
from tuning import export
from tuning.access import is_read_only
from tuning.card_text import Card, card_text, score_of
from tuning.export_choice import PolicyPlace, Which, choose_policy
from tuning.jobs import AlreadyRunning, StartFailed
from tuning.launch import Run
from tuning.machine import machine_record
from tuning.mapping import mapped_spec
from tuning.reevaluation_choice import reevaluations_of
from tuning.retraining_plan import PlanError
from tuning.rollout import Actor, JobRun, KeptTrial, Rollout
from tuning.rollout_jobs import RolloutJob, find_rollouts, read_rollout, start_rollout
from tuning.spec import StudySpec
from tuning.trainers import read_trainer

RENDER_WAIT_S = 600.0
_POLL_S = 0.2

Say = Callable[[str], None]


def write_card(
    run: Run,
    trial: FrozenTrial,
    out: Path,
    *,
    which: Which = Which.TYPICAL,
    replace: bool = False,
    say: Say = lambda _: None,
) -> tuple[str, ...]:
    """Write the folder; return what is missing from it, as sentences. Needs torch.

    Raises:
        ExportError: nobody knows how the study trains, or no weights of the trial are kept.
        FileExistsError: `out` is there, and is not to be replaced.
    """
    spec = mapped_spec(run)
    if spec is None:
        raise export.ExportError(
            f"{run.folder.id} was not launched here, so its algorithm and environment are not known. Map it "
            "on Re-evaluation first."
        )
    if out.exists() and not replace:
        raise FileExistsError(f"{out} exists.")
    place = choose_policy(run, trial, which)
    kept = place.load()
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".card-") as scratch:
        folder = Path(scratch) / "card"
        folder.mkdir(mode=0o755)
        say("Building the model")
        from tuning.export_zip import write_model_zip  # torch

        write_model_zip(kept, folder / f"{export.model_name(spec)}.zip")
        for name in ("policy.npz", *[NORMALIZATION] * (kept.normalization is not None)):
            shutil.copyfile(place.folder.weights / str(place.number) / name, folder / name)
        say("Looking for a video")
        missing = _add_replay(run, spec, trial, place, folder / "replay.mp4", say)
        job = place.job or next(iter(reevaluations_of(run.folder, trial.number)), None)
        card = Card(
            spec=spec,
            study=run.folder.id,
            trial=trial,
            place=place,
            stem=export.model_name(spec),
            n_trials=len([t for t in run.study.trials if t.state.is_finished()]),
            score=score_of(trial, job),
            versions=_versions(run),
            has_video=not missing,
            yaml=export.to_yaml(spec, trial),
            trainer=read_trainer(kept.request.get("trainer")),
            is_mapped=run.spec is None,
        )
        say("Writing the card")
        (folder / "README.md").write_text(card_text(card), encoding="utf-8")
        config = json.loads(export.to_json(spec, trial)) | {
            "score": card.score.record(),
            "weights": place.about,
            "request": kept.request,
            "versions": card.versions,
        }
        (folder / "config.json").write_text(
            json.dumps(config, indent=2, allow_nan=False) + "\n", encoding="utf-8"
        )
        _put(folder, out)
    return (missing,) if missing else ()


def _put(folder: Path, out: Path) -> None:
    """Give the finished folder its name; what was there goes only once it can be replaced."""
    if out.is_dir() and not out.is_symlink():
        old = folder.with_name("old")
        out.rename(old)
        try:
            folder.rename(out)
        except OSError:
            old.rename(out)
            raise
    else:
        out.unlink(missing_ok=True)
        folder.rename(out)


def _versions(run: Run) -> dict[str, str]:
    """Return the packages that the study ran with, else those that are installed."""
    recorded = ((read_record(run.folder.runner) or {}).get("machine") or {}).get("packages")
    if isinstance(recorded, dict):
        return {str(name)[:40]: str(version)[:40] for name, version in recorded.items()}
    return dict(machine_record()["packages"])


def _add_replay(
    run: Run, spec: StudySpec, trial: FrozenTrial, place: PolicyPlace, path: Path, say: Say
) -> str:
    """Copy the video of this very policy, filming it where there is none yet; return why there is none."""
    policy = _reference(place)
    video = _video_of(run, spec, policy)
    if video is None and not is_read_only():
        say("Filming one episode")
        label = f"Tuned (trial {trial.number})"
        request = Rollout(env=spec.env, actors=(Actor(label=label, role="tuned", policy=policy),))
        try:
            folder = start_rollout(run.folder, request)
            deadline = time.monotonic() + RENDER_WAIT_S
            while (job := read_rollout(folder)).status.state.alive and time.monotonic() < deadline:
                time.sleep(_POLL_S)
        except (AlreadyRunning, StartFailed, PlanError, UnknownRun, OSError) as error:
            return f"There is no video: {error}"
        if job.result is not None and job.result.no_video:
            return f"There is no video: {job.result.no_video}"
        video = _video_of(run, spec, policy)
        if video is None:
            return f"There is no video: the rollout is {job.status.state.value}. {job.status.reason}".strip()
    if video is None:
        return "There is no video of this agent yet."
    with suppress(FileNotFoundError):  # deleted meanwhile
        shutil.copyfile(video, path)
        return ""
    return "There is no video of this agent any more."


def _reference(place: PolicyPlace) -> KeptTrial | JobRun:
    if place.is_run:
        return JobRun(job=place.folder.id, run=place.number)
    return KeptTrial(study=place.folder.id, number=place.number)


def _video_of(run: Run, spec: StudySpec, policy: KeptTrial | JobRun) -> Path | None:
    """Return the newest video of this policy alone in one episode, as it is evaluated."""
    for job in find_rollouts(run.folder):
        if not isinstance(job, RolloutJob):
            continue
        request = job.request
        if request.n_episodes > 1 or not request.deterministic or request.env != spec.env:
            continue
        for index, actor in enumerate(request.actors):
            if actor.policy == policy and (video := job.video(index)) is not None:
                return video
    return None
