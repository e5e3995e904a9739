"""The commands that start, show, stop, resume and delete studies."""

import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from storage.locks import is_held
from storage.paths import RunFolder, find_run, list_runs, runs_root
from storage.source import OPENED, is_opened
from storage.trials import counted
from tuning import checks, env_description, jobs, launch, lineage
from tuning.access import require_writable
from tuning.analysis.words import count
from tuning.cli import output
from tuning.cli.exits import Exit, Refused
from tuning.cli.options import AsJson, Queue, RunsDir, StudyId, Wait
from tuning.cli.overview import UNREADABLE, record_of, row_of, sentences_of, unreadable_record
from tuning.cli.watch import wait_for_end
from tuning.cores import usable_cores
from tuning.queue import take_up
from tuning.spec import SpecError, StudySpec, build_spec, load_spec

STOP_WAIT_S = 15.0


def launch_study(
    spec_file: Annotated[Path, typer.Argument(metavar="SPEC.yaml", help="The request; see examples/.")],
    wait: Wait = False,
    wait_in_queue: Queue = False,
    name: Annotated[str | None, typer.Option(help="Name the study differently.")] = None,
    trials: Annotated[int | None, typer.Option(help="Complete and pruned trials in all.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the study.")] = None,
    as_json: AsJson = False,
    runs_dir: RunsDir = None,
) -> None:
    """Start a study and print its id."""
    spec = _with_overrides(load_spec(spec_file), name=name, trials=trials, seed=seed)
    check_request(spec)
    folder = launch.launch(spec, runs_root(runs_dir), wait_in_queue=wait_in_queue)
    show_started(folder, wait=wait, as_json=as_json)


def check_request(spec: StudySpec) -> None:
    """Try the environment, and give advice on stderr.

    Raises:
        EnvironmentsError, SpecError: the study could not run.
    """
    with output.stdout_kept_clean():
        described = env_description.describe(spec.env)
    if faults := env_description.training_faults(described, spec.info, spec.policy):
        raise SpecError(faults)
    advice = checks.warnings(spec, n_cores=usable_cores(), observation_bytes=described.observation_bytes)
    for text in [described.caution, *(a.text for a in advice)]:
        if text:
            output.note(f"note: {text}")


def list_studies(as_json: AsJson = False, runs_dir: RunsDir = None) -> None:
    """List every study, newest first."""
    root = runs_root(runs_dir)
    take_up(root)
    records = []
    for folder in list_runs(root):
        if jobs.job_status(folder).kind not in ("study", OPENED):
            continue
        try:
            records.append(record_of(folder, with_running=False))
        except UNREADABLE as error:
            if folder.job.exists():  # else it was deleted while we looked
                records.append(unreadable_record(folder, error))
    if as_json:
        output.show_json(records)
    elif records:
        headers = ["ID", "STUDY", "STATE", "TRIALS", "BEST", "CREATED", ""]
        output.show(output.table(headers, [row_of(r) for r in records], right=("TRIALS", "BEST")))
    else:
        output.note(f"There are no studies under {root}. `python -m tuning launch SPEC.yaml` starts one.")


def status(study: StudyId, as_json: AsJson = False, runs_dir: RunsDir = None) -> None:
    """Show how a study is doing."""
    take_up(runs_root(runs_dir))
    _show_status(find_run(runs_root(runs_dir), study), as_json=as_json)


def stop(
    study: StudyId,
    after: Annotated[bool, typer.Option("--after", help="Let the running trials end first.")] = False,
    as_json: AsJson = False,
    runs_dir: RunsDir = None,
) -> None:
    """Stop a study: at once, within 2 s, or after its running trials. `resume` goes on.

    A queued one leaves the queue.
    """
    folder = find_run(runs_root(runs_dir), study)
    was_queued = folder.ticket.exists()
    was_running = launch.stop(folder, "after" if after else "now")
    if was_queued:
        output.note(f"{folder.id} has left the queue.")
    elif not was_running:
        output.note(f"{folder.id} is not running.")
    elif after:
        output.note(f"{folder.id} stops when its running trials have ended.")
    else:
        deadline = time.monotonic() + STOP_WAIT_S
        while is_held(folder.lock):
            if time.monotonic() > deadline:
                raise Refused(Exit.FAILED, f"{folder.id} has not stopped within {STOP_WAIT_S:.0f} s.")
            time.sleep(0.05)
        output.note(f"{folder.id} has stopped.")
    if as_json:
        _show_status(folder, as_json=True)


def resume(
    study: StudyId,
    trials: Annotated[int | None, typer.Option(help="New total of complete and pruned trials.")] = None,
    wait: Wait = False,
    wait_in_queue: Queue = False,
    as_json: AsJson = False,
    runs_dir: RunsDir = None,
) -> None:
    """Go on with a study, to the same budget or to a new total. Prints its id.

    With --trials a study that runs takes up its new budget and keeps running. A queued one starts now.
    """
    folder = find_run(runs_root(runs_dir), study)
    if is_opened(folder):
        raise Refused(
            Exit.BAD_INPUT, f"{folder.id} was opened from a file that is not ours: it is only read."
        )
    running = jobs.job_status(folder).state.alive
    try:
        if trials is None and not running and (done := _all_done(folder)):
            output.note(f"{folder.id} already has its {done}. --trials sets a larger total.")
            return show_started(folder, wait=False, as_json=as_json)
        if trials is not None and running:
            launch.extend(folder, trials)
            output.note(f"{folder.id} is running; it goes on to {trials} trials.")
        else:
            launch.resume(folder, n_trials=trials, wait_in_queue=wait_in_queue)
    except ValueError as error:
        if isinstance(error, UNREADABLE):
            raise
        raise Refused(Exit.BAD_INPUT, str(error)) from None
    show_started(folder, wait=wait, as_json=as_json)


def delete(
    study: StudyId,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
    runs_dir: RunsDir = None,
) -> None:
    """Delete a study with everything it recorded."""
    require_writable("delete a study")  # before it asks
    folder = find_run(runs_root(runs_dir), study)
    opened = is_opened(folder)
    if jobs.job_status(folder).state.alive:
        raise launch.Busy(f"{folder.id} is running: stop it first, `python -m tuning stop {folder.id}`.")
    borrowing = [other.id for other in lineage.borrowers(folder)]
    if not yes:
        if not sys.stdin.isatty():
            raise Refused(
                Exit.BAD_INPUT, f"Deleting {folder.id} cannot be undone. Say --yes to do it unasked."
            )
        lost = "from the list? Its file stays" if opened else "with all its trials and weights?"
        if borrowing:
            output.note(_borrowed(folder, borrowing, "go"))
        if not typer.confirm(f"{'Remove' if opened else 'Delete'} {folder.id} {lost}", err=True):
            output.note("Nothing was deleted.")
            return
    launch.delete(folder)
    output.note(f"{folder.id} was removed; its file stays." if opened else f"{folder.id} was deleted.")
    if borrowing and yes:
        output.note(_borrowed(folder, borrowing, "are gone"))
    if as_json:
        output.show_json({"id": folder.id, "deleted": True})


def _borrowed(folder: RunFolder, borrowing: list[str], verb: str) -> str:
    return (
        f"Trials of {folder.id} were imported by {', '.join(borrowing)}. They stay there with their values, "
        f"but their weights and learning curves {verb}."
    )


def _all_done(folder: RunFolder) -> str:
    """Return "60 trials" when the budget is used up, else an empty text."""
    run = launch.read_run(folder)
    done = len(counted(run.study.trials))
    return count(done, "trial") if run.spec and done >= run.spec.budget.n_trials else ""


def show_started(folder: RunFolder, *, wait: bool, as_json: bool) -> None:
    """Print the id of a study that has been started; with `wait` stay until it ends.

    Raises:
        typer.Exit: it was waited for and did not end as planned.
    """
    if not as_json:
        output.show(folder.id)
        sys.stdout.flush()
    code = wait_for_end(folder) if wait else Exit.DONE
    if as_json:
        _show_status(folder, as_json=True)
    if code:
        raise typer.Exit(code)


def _show_status(folder: RunFolder, *, as_json: bool) -> None:
    record = record_of(folder, with_running=True)
    if as_json:
        output.show_json(record)
    else:
        output.show(sentences_of(record))


def _with_overrides(spec: StudySpec, *, name: str | None, trials: int | None, seed: int | None) -> StudySpec:
    data: dict[str, Any] = spec.model_dump()
    if name is not None:
        data["name"] = name
    if trials is not None:
        data["budget"]["n_trials"] = trials
    if seed is not None:
        data["seed"] = seed
    return build_spec(data)
