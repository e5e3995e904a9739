"""The command that checks whether longer training alone is enough: start it, wait, say what it found."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from storage.paths import runs_root
from tuning.analysis.words import count
from tuning.cli import output, own_jobs
from tuning.cli.exits import Exit, Refused
from tuning.cli.options import AsJson, RunsDir
from tuning.jobs import JobState
from tuning.spec import load_spec

if TYPE_CHECKING:
    from tuning.budget_check_jobs import CheckJob


def check(
    spec: Annotated[Path, typer.Argument(metavar="SPEC", help="The request, as `launch` takes it.")],
    wait: Annotated[
        bool, typer.Option("--wait", help="Stay until the check ends, with a progress line on stderr.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Do a finished check again, with new seeds.")
    ] = False,
    status: Annotated[bool, typer.Option("--status", help="Show the newest check of it instead.")] = False,
    stop: Annotated[
        bool, typer.Option("--stop", help="Stop it instead. The same command resumes it.")
    ] = False,
    forget: Annotated[bool, typer.Option("--forget", help="Delete the newest check of it instead.")] = False,
    as_json: AsJson = False,
    runs_dir: RunsDir = None,
) -> None:
    """Ask whether tuning is needed at all: train SB3's defaults for 1, 2 and 4 times a trial's steps.

    Three new seeds each. The same request finds the same check again: it goes on where it ended, and a
    finished one is shown. Prints the answer, or, without --wait, what will be trained.
    """
    from tuning.budget_check import NoBudgetCheck, plan_check
    from tuning.budget_check_jobs import forget_check, newest_check, read_check, start_check

    if again + status + stop + forget > 1:
        said = "--again, --status, --stop and --forget exclude each other: give one of them."
        raise Refused(Exit.BAD_INPUT, said)
    root = runs_root(runs_dir)
    try:
        asked = load_spec(spec)
        planned = plan_check(asked)
    except NoBudgetCheck as error:
        raise Refused(Exit.BAD_INPUT, str(error)) from None
    newest = newest_check(root, planned.question)
    if (status or stop or forget) and newest is None:
        raise Refused(
            Exit.NOTHING_YET, "There is no check of this request. Leave the option out to start one."
        )
    if forget and newest is not None:
        forget_check(root, newest.folder)
        output.note(f"Forgot {newest.folder.id}.")
        return
    if newest is None or not (status or stop):
        is_new = newest is None or (again and newest.status.state == JobState.FINISHED)
        folder = start_check(asked, root, after=newest.folder.id if newest is not None and is_new else None)
        if is_new:
            output.note(planned.words)
    else:
        folder = newest.folder
    if stop:
        own_jobs.stop(folder, "check")
    code = own_jobs.wait(folder, read_check, "check") if wait else Exit.DONE
    _show(read_check(folder), as_json=as_json)
    if code:
        raise typer.Exit(code)


def _show(job: "CheckJob", *, as_json: bool) -> None:
    from tuning.analysis.budget_check import budget_check_info

    info = budget_check_info(job.question, job.results)
    if not as_json:
        done = f"{job.progress.done} of {count(job.progress.total, 'run')}"
        reason = f" {job.status.reason}" if job.status.state == JobState.FAILED else ""
        output.show(f"{job.folder.id}: {job.status.state.value}, {done}.{reason}")
        if job.results:
            output.show(" ".join([info.sentence, *info.details]))
        return
    output.show_json(
        {
            "id": job.folder.id,
            "environment": info.env_id,
            "algorithm": info.algorithm,
            "state": job.status.state.value,
            "reason": job.status.reason,
            "done": job.progress.done,
            "total": job.progress.total,
            "answer": info.answer.value,
            "sentence": info.sentence,
            "details": list(info.details),
            "longer": info.longer,
            "threshold": info.threshold,
            "budgets": [
                {
                    "times": level.factor,
                    "timesteps": level.factor * info.n_timesteps,
                    "median": level.middle,
                    "returns": [value for _, _, value in level.runs],
                    "diverged": level.n_diverged,
                    "failed": level.n_failed,
                }
                for level in info.levels
            ],
        }
    )
