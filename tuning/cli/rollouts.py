"""The command that films policies as they play: render, wait, say what came of it, hand over the file."""

import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from storage.paths import RunFolder, runs_root
from tuning import launch
from tuning.analysis.words import count
from tuning.cli import output
from tuning.cli.exits import Exit, Refused
from tuning.cli.options import AsJson, RunsDir, StudyId
from tuning.cli.own import find_own
from tuning.cli.watch import POLL_S, ProgressLine
from tuning.export_choice import Which
from tuning.jobs import JobState
from tuning.rollout import MOST_EPISODES, MOST_SEED

if TYPE_CHECKING:
    from tuning.rollout_actors import Cast, Part
    from tuning.rollout_jobs import RolloutJob

DEFAULTS = "defaults"


def rollout(
    study: StudyId,
    trial: Annotated[
        int | None,
        typer.Option(metavar="N", help="Whose policy [default: the chosen winner, else the best]."),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(metavar="defaults|TRIAL", help="Who plays beside it, from the same starts."),
    ] = None,
    policy: Annotated[
        Which,
        typer.Option(
            help="typical: the median run of a re-evaluation, where there is one; search: the agent that "
            "the search trained."
        ),
    ] = Which.TYPICAL,
    episodes: Annotated[
        int, typer.Option(min=1, max=MOST_EPISODES, help="How many, one after the other.")
    ] = 1,
    seed: Annotated[
        int, typer.Option(min=0, max=MOST_SEED - MOST_EPISODES, help="Decides the first start.")
    ] = 0,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE.mp4", help="Where to put the video [default: only the study]."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE.mp4 if it exists.")] = False,
    as_json: AsJson = False,
    runs_dir: RunsDir = None,
) -> None:
    """Let a policy of a study play, film it, and print its returns.

    The video is kept with the study too, where the Rollouts page shows it. Asked again, it is only found.
    """
    from tuning.rollout import Rollout
    from tuning.rollout_actors import find_cast
    from tuning.rollout_jobs import read_rollout, start_rollout

    if out is not None:
        _check_target(out, force=force)
    folder = find_own(runs_root(runs_dir), study)
    cast = find_cast(launch.read_run(folder))
    parts = _parts(cast, folder, trial, against, policy)
    assert cast.env is not None
    request = Rollout(
        env=cast.env, actors=tuple(part.actor for part in parts), seed=seed, n_episodes=episodes
    )
    job = read_rollout(start_rollout(folder, request))
    if not _wait(job.folder):
        raise typer.Exit(Exit.INTERRUPTED)
    job = read_rollout(job.folder)
    if job.status.state != JobState.FINISHED:
        raise Refused(
            Exit.FAILED, f"The rollout {job.folder.id} is {job.status.state.value}. {job.status.reason}"
        )
    video = job.best_video
    if out is not None and video is not None:
        _copy(video, out)
    _show(job, out if video is not None else None, as_json=as_json)
    if out is not None and video is None:
        raise Refused(Exit.FAILED, f"There is no video to write to {out}. {_no_video(job)}")


def _check_target(out: Path, *, force: bool) -> None:
    """Refuse a file that cannot be meant, before anything is rendered."""
    if out.suffix.lower() != ".mp4":
        raise Refused(Exit.BAD_INPUT, f"--out names an MP4 file: received {out}. Let it end in .mp4.")
    if not out.absolute().parent.is_dir():
        raise Refused(Exit.BAD_INPUT, f"There is no folder {out.absolute().parent}. Make it first.")
    if out.is_dir():
        raise Refused(Exit.BAD_INPUT, f"{out} is a folder. Name a file in it.")
    if out.exists() and not force:
        raise Refused(Exit.BAD_INPUT, f"{out} exists. Give --force to replace it, or another name.")


def _parts(
    cast: "Cast", folder: RunFolder, trial: int | None, against: str | None, which: Which
) -> list["Part"]:
    """Return who plays: the one beside comes first, as before and after."""
    if not cast.parts:
        raise Refused(Exit.NOTHING_YET, cast.missing)
    tuned = next((cast.part(k) for k in cast.pair if cast.part(k).actor.role == "tuned"), None)
    main = tuned or cast.parts[0]
    if trial is None and which is Which.SEARCH:
        trial = main.trial
    if trial is not None:
        main = _of_trial(cast, folder, trial, which)
    if against is None:
        return [main]
    if against == DEFAULTS:
        other = next((cast.part(k) for k in cast.pair if cast.part(k).actor.role == "baseline"), None)
        if which is Which.SEARCH:
            of_search = (part for part in cast.parts if part.job is None and part.actor.role == "baseline")
            other = next(of_search, other)
        if other is None:
            raise Refused(
                Exit.NOTHING_YET, f"{cast.missing} `python -m tuning reevaluate {folder.id}` does that."
            )
    elif against.isdecimal():
        other = _of_trial(cast, folder, int(against), which)
    else:
        raise Refused(
            Exit.BAD_INPUT, f"--against is `defaults` or the number of a trial: received {against[:40]!r}."
        )
    if other.key == main.key:
        raise Refused(Exit.BAD_INPUT, f"{main.actor.label} cannot play against itself. Name another trial.")
    return [other, main]


def _of_trial(cast: "Cast", folder: RunFolder, number: int, which: Which) -> "Part":
    """Return the policy that stands for a trial: the median run of its re-evaluation, else the search's.

    The search picked its policy for its luck, so that one plays only where it is asked for.
    """
    own = [part for part in cast.parts if part.trial == number]
    kept = [part for part in own if part.job is None]
    if own and which is Which.SEARCH:
        if kept:
            return kept[0]
        raise Refused(
            Exit.BAD_INPUT,
            f"The search kept no policy of trial {number} of {folder.id}. Without `--policy search` it is "
            f"{own[0].actor.label}.",
        )
    if own:
        return next((part for part in own if part.key in cast.pair), own[0])  # median runs come first
    known = sorted({part.trial for part in cast.parts if part.trial is not None})
    raise Refused(
        Exit.BAD_INPUT,
        f"Trial {number} of {folder.id} kept no weights. {_numbers(known)} `python -m tuning reevaluate "
        f"{folder.id}` trains trials again and keeps what comes of it.",
    )


def _numbers(known: list[int]) -> str:
    return f"{'Trial' if len(known) == 1 else 'Trials'} {', '.join(map(str, known))} did." if known else ""


def _wait(folder: RunFolder) -> bool:
    """Wait until the rollout has ended; False when Ctrl-C came first, which leaves it running."""
    from tuning.rollout_jobs import progress_of, read_rollout

    line = ProgressLine()
    try:
        while (job := read_rollout(folder)).status.state.alive:
            line.show(progress_of(job).words, last=False)
            time.sleep(POLL_S)
    except KeyboardInterrupt:
        line.end()
        output.note("It goes on being rendered. The Rollouts page shows it, and so does this command again.")
        return False
    line.end()
    return True


def _copy(video: Path, out: Path) -> None:
    """Copy a video; it appears whole or not at all."""
    handle, partial = tempfile.mkstemp(dir=out.absolute().parent, prefix=f".{out.name}.")
    try:
        with os.fdopen(handle, "wb") as target, video.open("rb") as source:
            shutil.copyfileobj(source, target)
        umask = os.umask(0)
        os.umask(umask)
        Path(partial).chmod(0o666 & ~umask)  # as a file that the person makes, not as a private one
        os.replace(partial, out)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise


def _no_video(job: "RolloutJob") -> str:
    return job.result.no_video if job.result and job.result.no_video else "Its file was deleted."


def _show(job: "RolloutJob", out: Path | None, *, as_json: bool) -> None:
    from tuning.rollout_words import headline, return_words, steps_words

    assert job.result is not None
    result, video = job.result, job.best_video
    shown = out if out is not None else video
    if as_json:
        output.show_json(_record(job, shown))
        return
    output.show(headline(result, job.request.env.id))
    for actor in result.actors:
        output.show(f"{actor.label}: return {return_words(actor.episodes)}, {steps_words(actor.episodes)}")
    for note in result.notes:
        output.show(note)
    if video is None:
        output.show(f"No video. {_no_video(job)}")
    elif shown is not None:
        size = f"{video.stat().st_size / 1e6:.2g} MB"
        output.show(f"{shown} ({size}, {count(result.n_frames, 'frame')})")


def _record(job: "RolloutJob", shown: Path | None) -> dict[str, Any]:
    assert job.result is not None
    result = job.result
    return {
        "id": job.folder.id,
        "env": job.request.env.id,
        "seed": job.request.seed,
        "video": None if shown is None else str(shown),
        "no_video": result.no_video,
        "fps": result.fps,
        "frames": result.n_frames,
        "notes": list(result.notes),
        "actors": [
            {
                "label": actor.label,
                "mean": actor.mean,
                "episodes": [
                    {"return": e.total, "steps": e.steps, "ending": e.ending} for e in actor.episodes
                ],
            }
            for actor in result.actors
        ],
    }
