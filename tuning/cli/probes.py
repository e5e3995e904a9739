"""The command that looks beyond a bound: plan a probe, start it, wait for it, say what it found."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from storage.paths import RunFolder, runs_root
from tuning import launch
from tuning.analysis.words import count
from tuning.cli import output, own_jobs
from tuning.cli.exits import Exit, Refused
from tuning.cli.options import AsJson, RunsDir, StudyId, Wait
from tuning.cli.own import find_own
from tuning.jobs import JobState

if TYPE_CHECKING:  # with SciPy, which other commands do without
    from tuning.launch import Run
    from tuning.probe_jobs import ProbeJob

_SIDES = ("low", "high")


def probe(
    study: StudyId,
    parameter: Annotated[str, typer.Argument(metavar="PARAMETER", help="Its stored name.")],
    side: Annotated[
        str | None, typer.Option(metavar="low|high", help="Which bound [default: by the verdict].")
    ] = None,
    value: Annotated[
        list[float] | None,
        typer.Option("--value", help="A value to try; several times [default: halfway and suggested]."),
    ] = None,
    configurations: Annotated[int, typer.Option(help="How many of the best configurations.")] = 3,
    seeds: Annotated[
        int | None, typer.Option(help="New seeds [default: so many that 20 to 30 runs come out].")
    ] = None,
    timesteps: Annotated[
        int | None,
        typer.Option(help="Steps a run [default: the study's; with fewer, the answer is for fewer]."),
    ] = None,
    wait: Wait = False,
    stop: Annotated[bool, typer.Option("--stop", help="Stop the newest probe of it instead.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the newest one instead.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Show the newest one instead.")] = False,
    as_json: AsJson = False,
    runs_dir: RunsDir = None,
) -> None:
    """Train the best configurations again with one parameter beyond its bound, in pairs that share seeds.

    Prints the sentence that says what was found, or, without --wait, what will be trained.
    """
    from tuning.probe_jobs import read_probe, resume_probe, start_probe

    if stop + resume + status > 1:
        raise Refused(Exit.BAD_INPUT, "--stop, --resume and --status exclude each other: give one of them.")
    folder = find_own(runs_root(runs_dir), study)
    if stop or resume or status:
        job = _newest(folder, parameter)
        if stop:
            own_jobs.stop(job.folder, "probe")
        elif resume and job.status.state == JobState.FINISHED:
            output.note(f"There is nothing left to do: the probe {job.folder.id} is finished.")
        elif resume and not job.status.state.alive:
            resume_probe(folder, job.folder)
    else:
        planned = _plan(launch.read_run(folder), parameter, side, value, configurations, seeds, timesteps)
        job = read_probe(start_probe(folder, planned))
        output.note(planned.words)
    code = own_jobs.wait(job.folder, read_probe, "probe") if wait else Exit.DONE
    _show(read_probe(job.folder), as_json=as_json)
    if code:
        raise typer.Exit(code)


def _plan(
    run: "Run",
    parameter: str,
    side: str | None,
    values: list[float] | None,
    configurations: int,
    seeds: int | None,
    timesteps: int | None,
) -> Any:
    from tuning.analysis.verdicts import Verdict
    from tuning.probe import plan_probe
    from tuning.probe_values import probed_parameter

    if side is not None and side not in _SIDES:
        raise Refused(Exit.BAD_INPUT, f"--side must be low or high: received {side[:40]!r}.")
    probed_parameter(run.spec, parameter)  # no verdict or bound of something else is asked about
    judged, verdict = _verdict(run, parameter)
    if side is None and judged is None:
        said = f" The verdict on it is: {verdict}." if verdict else ""
        raise Refused(
            Exit.BAD_INPUT,
            f"Nothing says which bound of {parameter[:64]} to look beyond.{said} "
            "Give --side low or --side high.",
        )
    inside = side in (None, judged) and verdict in (Verdict.WATCH, Verdict.HERDED)
    side = side or judged
    return plan_probe(
        run,
        parameter,
        "low" if side == "low" else "high",
        values=values or None,
        inside=inside,
        n_configurations=configurations,
        n_seeds=seeds,
        n_timesteps=timesteps,
    )


def _verdict(run: "Run", parameter: str) -> tuple[str | None, str | None]:
    """Return the side that the verdict on a parameter is about and the verdict, each if there is one."""
    from tuning.analysis.saturation import saturation_info
    from tuning.space.limits import spec_limits

    limits = spec_limits(run.spec) if run.spec else {}
    info = saturation_info(run.study.trials, maximize=run.study.maximize, limits=limits)
    found = next((p for p in info.parameters if p.name == parameter), None)
    return (found.side, found.verdict) if found else (None, None)


def _newest(folder: RunFolder, parameter: str) -> "ProbeJob":
    from tuning.probe_jobs import ProbeJob, find_probes
    from tuning.probe_values import probed_parameter

    found = [job for job in find_probes(folder, parameter) if isinstance(job, ProbeJob)]
    if not found:
        probed_parameter(launch.read_run(folder).spec, parameter)
        raise Refused(
            Exit.NOTHING_YET,
            f"There is no probe of {parameter[:64]}. `python -m tuning probe {folder.id} {parameter[:64]}` "
            "starts one.",
        )
    return found[0]


def _show(job: "ProbeJob", *, as_json: bool) -> None:
    from tuning.analysis.probe import probe_info
    from tuning.retraining_plan import runs_trained_by

    info = probe_info(job.question, job.results, n_runs=len(job.plan.runs))
    if not as_json:
        done = f"{job.progress.done} of {count(job.progress.total, 'run')}"
        reason = f" {job.status.reason}" if job.status.state == JobState.FAILED else ""
        output.show(f"{job.folder.id}: {job.status.state.value}, {done}.{reason}")
        if job.results:
            output.show(info.sentence)
        if trained := runs_trained_by(job.results):
            output.show(f"Trained by {trained}.")
        sys.stdout.flush()
        return
    output.show_json(
        {
            "id": job.folder.id,
            "parameter": info.parameter,
            "side": info.side,
            "state": job.status.state.value,
            "reason": job.status.reason,
            "done": job.progress.done,
            "total": job.progress.total,
            "trained_by": runs_trained_by(job.results),
            "verdict": info.verdict.value,
            "sentence": info.sentence,
            "trials": list(info.trials),
            "values": [
                {
                    "value": value.value,
                    "past": value.past,
                    "broken": value.n_broken,
                    "pairs": len(value.pairs),
                    "wins": value.difference.wins if value.difference else 0,
                    "mean": value.difference.mean if value.difference else None,
                    "low": value.difference.low if value.difference else None,
                    "high": value.difference.high if value.difference else None,
                }
                for value in info.values
            ],
        }
    )
