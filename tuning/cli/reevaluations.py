"""The command that measures the best trials anew: plan a re-evaluation, start it, wait, say what it found."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from storage.paths import RunFolder, UnknownRun, find_run, runs_root
from tuning import launch
from tuning.analysis.words import UNKNOWN, count, three_digits
from tuning.cli import output, own_jobs
from tuning.cli.exits import Exit, Refused
from tuning.cli.mappings import map_study
from tuning.cli.options import AsJson, RunsDir, StudyId, Wait
from tuning.opening import open_study

if TYPE_CHECKING:  # with SciPy, which other commands do without
    from tuning.analysis.reevaluation_result import CandidateResult, ReevaluationInfo
    from tuning.analysis.run_statistics import Interval
    from tuning.launch import Run
    from tuning.reevaluation_jobs import ReevaluationJob

DEFAULT_TOP = 5
_WHAT = "re-evaluation"
_MODES = ("retrain", "weights")


def reevaluate(
    study: StudyId,
    top: Annotated[
        int | None, typer.Option(help="How many of the best distinct trials [default: 5, none with --trial].")
    ] = None,
    trial: Annotated[
        list[int] | None, typer.Option("--trial", metavar="N", help="A trial to measure; several times.")
    ] = None,
    seeds: Annotated[int, typer.Option(help="Training runs of each candidate, with shared new seeds.")] = 10,
    episodes: Annotated[int, typer.Option(help="That each run is judged by.")] = 50,
    mode: Annotated[
        str,
        typer.Option(
            metavar="retrain|weights", help="Train again, or play more episodes with kept policies."
        ),
    ] = "retrain",
    defaults: Annotated[bool, typer.Option("--defaults/--no-defaults", help="Measure SB3's too.")] = True,
    tuned: Annotated[
        bool, typer.Option("--tuned/--no-tuned", help="Measure known tuned values too, if there are some.")
    ] = True,
    budget: Annotated[
        float | None, typer.Option(metavar="TIMES", help="Steps a run, as a multiple of the study's.")
    ] = None,
    timesteps: Annotated[
        int | None, typer.Option(help="Steps a run [default: the study's]; with --env, those of a trial.")
    ] = None,
    racing: Annotated[
        bool, typer.Option("--racing/--no-racing", help="Train those that cannot win no further.")
    ] = True,
    more_seeds: Annotated[
        int | None, typer.Option(metavar="N", help="Give the newest re-evaluation N more seeds instead.")
    ] = None,
    wait: Wait = False,
    stop: Annotated[bool, typer.Option("--stop", help="Stop the newest one instead.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the newest one instead.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Show the newest one instead.")] = False,
    map_file: Annotated[
        Path | None,
        typer.Option(
            "--map",
            metavar="SPEC.yaml",
            help="How a study that is not ours is trained; without search_space that is guessed.",
        ),
    ] = None,
    env: Annotated[
        str | None, typer.Option(metavar="ENV", help="The same, with everything else guessed.")
    ] = None,
    algorithm: Annotated[str, typer.Option(help="With --env: what the study tuned.")] = "PPO",
    train_envs: Annotated[int, typer.Option(help="With --env: that a trial trained in.")] = 1,
    name: Annotated[
        str | None, typer.Option("--study", metavar="NAME", help="Which study, of a file with several.")
    ] = None,
    as_json: AsJson = False,
    runs_dir: RunsDir = None,
) -> None:
    """Measure the best trials anew, beside the defaults: is the winner real, or was it lucky?

    Prints what is recommended with a table of the candidates, or, without --wait, what will be done.
    """
    from tuning.reevaluation_jobs import (
        extend_reevaluation,
        read_reevaluation,
        resume_reevaluation,
        start_reevaluation,
    )
    from tuning.reevaluation_plan import plan_reevaluation

    if stop + resume + status + (more_seeds is not None) > 1:
        raise Refused(
            Exit.BAD_INPUT,
            "--stop, --resume, --status and --more-seeds exclude each other: give one of them.",
        )
    if mode not in _MODES:
        raise Refused(Exit.BAD_INPUT, f"--mode must be retrain or weights: received {mode[:40]!r}.")
    folder = _find(runs_root(runs_dir), study, name)
    if stop or resume or status or more_seeds is not None:
        job = _newest(folder)
        if stop:
            own_jobs.stop(job.folder, _WHAT)
        elif more_seeds is not None:
            extend_reevaluation(folder, job.folder, job.question.n_seeds + more_seeds)
        elif resume and job.progress.done >= job.progress.total and not job.has_died:
            output.note(f"There is nothing left to do: {job.folder.id} is finished. --more-seeds goes on.")
        elif resume and not job.status.state.alive:
            resume_reevaluation(folder, job.folder)
    else:
        run = launch.read_run(folder)
        if map_file is not None or env is not None:
            map_study(run, map_file, env, algorithm=algorithm, n_timesteps=timesteps, n_train_envs=train_envs)
            timesteps = None if env is not None else timesteps
        planned = plan_reevaluation(
            run,
            mode="weights" if mode == "weights" else "retrain",
            top=DEFAULT_TOP if top is None else top,
            trials=_trials(run, top, trial),
            defaults=defaults,
            tuned=tuned,
            n_seeds=seeds,
            n_episodes=episodes,
            n_timesteps=_steps(run, budget, timesteps),
            racing=racing,
        )
        job = read_reevaluation(start_reevaluation(folder, planned))
        output.note(planned.words)
    code = own_jobs.wait(job.folder, read_reevaluation, _WHAT) if wait else Exit.DONE
    _show(read_reevaluation(job.folder), as_json=as_json)
    if code:
        raise typer.Exit(code)


def _find(root: Path, study: str, name: str | None) -> RunFolder:
    """Return the folder of a study; a file that is not ours is opened, as on the first page."""
    try:
        return find_run(root, study)
    except UnknownRun:
        path = Path(study).expanduser()
        if "://" in study or not path.exists():
            raise
    return open_study(path, name, root)


def _trials(run: "Run", top: int | None, picked: Sequence[int] | None) -> list[int] | None:
    """Return the trials to measure; None for the best ones, which near-equal trials are merged into."""
    from tuning.reevaluation_plan import top_trials

    if not picked:
        return None
    return [*picked, *(top_trials(run, top) if top else [])]


def _steps(run: "Run", budget: float | None, timesteps: int | None) -> int | None:
    from tuning.candidates import trainable_spec

    if budget is None:
        return timesteps
    if timesteps is not None:
        raise Refused(Exit.BAD_INPUT, "--budget and --timesteps both set the steps of a run: give one.")
    if not 0 < budget <= 1000:
        raise Refused(Exit.BAD_INPUT, f"--budget must be above 0 and at most 1000: received {budget:g}.")
    return max(1, round(trainable_spec(run).budget.n_timesteps * budget))


def _newest(folder: RunFolder) -> "ReevaluationJob":
    from tuning.reevaluation_jobs import ReevaluationJob, find_reevaluations

    found = [job for job in find_reevaluations(folder) if isinstance(job, ReevaluationJob)]
    if not found:
        raise Refused(
            Exit.NOTHING_YET,
            f"There is no re-evaluation of {folder.id}. `python -m tuning reevaluate {folder.id}` starts "
            "one.",
        )
    return found[0]


def _show(job: "ReevaluationJob", *, as_json: bool) -> None:
    from tuning.analysis.reevaluation import reevaluation_info
    from tuning.retraining_plan import runs_trained_by

    info = reevaluation_info(job.question, job.results)
    if as_json:
        output.show_json(_plain(job, info))
        return
    done = job.status.reason or f"{job.progress.done} of {count(job.progress.total, 'run')}."
    output.show(f"{job.folder.id}: {job.status.state.value}. {done}")
    if job.results:
        output.show(f"\n{info.recommendation}\n\n{_table(info)}")
        if trained := runs_trained_by(job.results):
            output.show(f"\nTrained by {trained}.")
        for warning in info.warnings:
            output.note(warning)
    sys.stdout.flush()


def _table(info: "ReevaluationInfo") -> str:
    unit = "runs" if info.question.mode == "retrain" else "episodes"
    headers = ("rank", "candidate", unit, "mean", "95 % interval", "IQM", "worst", "P(best)", "verdict")
    rows = [
        (
            UNKNOWN if c.rank is None else str(c.rank),
            c.candidate.name,
            f"{c.n_runs}" + (f" + {c.n_broken} broken" if c.n_broken else ""),
            _number(c.mean),
            _interval(c.mean_interval),
            _number(c.iqm),
            _number(c.worst),
            UNKNOWN if c.p_best is None else f"{c.p_best:.2f}",
            _verdict(info, c),
        )
        for c in info.candidates
    ]
    return output.table(headers, rows, right=("rank", unit, "mean", "IQM", "worst", "P(best)"))


def _verdict(info: "ReevaluationInfo", result: "CandidateResult") -> str:
    from tuning.analysis.reevaluation_table import verdict_word

    word = verdict_word(info, result)
    return f"{word} after {count(result.dropped_after or 0, 'seed')}" if word == "given up" else word


def _plain(job: "ReevaluationJob", info: "ReevaluationInfo") -> dict[str, Any]:
    from tuning.retraining_plan import runs_trained_by

    q = info.question
    return {
        "id": job.folder.id,
        "state": job.status.state.value,
        "reason": job.status.reason,
        "done": job.progress.done,
        "total": job.progress.total,
        "trained_by": runs_trained_by(job.results),
        "mode": q.mode,
        "seeds": q.n_seeds,
        "episodes": q.n_episodes,
        "timesteps": q.n_timesteps,
        "study_timesteps": q.study_timesteps,
        "runs_saved": info.n_saved,
        "recommendation": info.recommendation,
        "winner": info.winner.candidate.key if info.winner else None,
        "expected": info.expected,
        "optimism": info.optimism,
        "slope": info.slope,
        "rank_correlation": info.rank_correlation,
        "warnings": list(info.warnings),
        "candidates": [
            {
                "key": c.candidate.key,
                "name": c.candidate.name,
                "trial": c.candidate.trial,
                "merged": list(c.candidate.merged),
                "rank": c.rank,
                "search_rank": c.search_rank,
                "search_value": c.candidate.search_value,
                "returns": list(c.returns),
                "broken": c.n_broken,
                "dropped_after": c.dropped_after,
                "mean": c.mean,
                "mean_interval": _ends(c.mean_interval),
                "iqm": c.iqm,
                "iqm_interval": _ends(c.iqm_interval),
                "worst": c.worst,
                "collapsed": c.collapsed,
                "solved": c.solved,
                "p_best": c.p_best,
                "p_improvement": c.p_improvement,
                "p_value": c.p_value,
                "tied": c.is_tied,
                "seconds": c.seconds,
            }
            for c in info.candidates
        ],
    }


def _number(x: float | None) -> str:
    return UNKNOWN if x is None else three_digits(x)


def _interval(interval: "Interval | None") -> str:
    return UNKNOWN if interval is None else f"{three_digits(interval.low)} to {three_digits(interval.high)}"


def _ends(interval: "Interval | None") -> list[float] | None:
    return None if interval is None else [interval.low, interval.high]
