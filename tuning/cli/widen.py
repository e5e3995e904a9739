"""The command that continues a study with wider ranges."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from storage.paths import runs_root
from tuning import launch
from tuning.analysis.words import count
from tuning.cli import output
from tuning.cli.exits import Exit, Refused
from tuning.cli.options import AsJson, Queue, RunsDir, StudyId, Wait
from tuning.cli.overview import read_tidied
from tuning.cli.own import find_own
from tuning.cli.studies import check_request, show_started
from tuning.continuation import Continuation, continuation
from tuning.launch import Run
from tuning.space.limits import spec_limits
from tuning.space.parameters import shown
from tuning.spec import SpecError, StudySpec
from tuning.widen import Bounds, suggested_changes, widened_spec


def widen(
    study: StudyId,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=LOW..HIGH",
            help="A new range; repeat it for several. Without any, every range that presses a bound gets the "
            "one that is suggested.",
        ),
    ] = None,
    trials: Annotated[int | None, typer.Option(help="Complete and pruned trials of the new study.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the new study.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and start nothing.")
    ] = False,
    wait: Wait = False,
    wait_in_queue: Queue = False,
    as_json: AsJson = False,
    runs_dir: RunsDir = None,
) -> None:
    """Continue a study with wider ranges: a new one that imports its trials and runs its best again.

    Prints the id of the new study. The old one stays as it is.
    """
    root = runs_root(runs_dir)
    run = read_tidied(find_own(root, study))
    if run.spec is None:
        raise Refused(
            Exit.BAD_INPUT,
            f"{run.folder.id} was not launched from here, so its algorithm and its environment are not "
            "known. Widen the range where it was made.",
        )
    bounds = _bounds(changes) if changes else _suggested(run, run.spec)
    spec = widened_spec(run.spec, bounds, name=name)
    if trials is not None:
        spec = spec.with_trials(trials)
    found = continuation(run.folder.id, run.spec, run.study.trials, spec)
    if dry_run:
        _show(found, spec, as_json=as_json)
        return
    check_request(spec)
    for line in _lines(found):
        output.note(line)
    folder = launch.launch(spec, root, continues=found, wait_in_queue=wait_in_queue)
    show_started(folder, wait=wait, as_json=as_json)


def _bounds(changes: Sequence[str]) -> dict[str, Bounds]:
    found: dict[str, Bounds] = {}
    faults = []
    for text in changes:
        name, _, ends = text.partition("=")
        low, dots, high = ends.partition("..")
        try:
            bounds = (float(low), float(high))
        except ValueError:
            dots = ""
        if not dots or not name.strip():
            faults.append(
                f"--set must be NAME=LOW..HIGH, such as learning_rate=3e-5..3e-3: received {shown(text)}."
            )
        elif name.strip() in found:
            faults.append(f"--set names {shown(name.strip())} more than once. Keep one of them.")
        else:
            found[name.strip()] = bounds
    if faults:
        raise SpecError(faults)
    return found


def _suggested(run: Run, spec: StudySpec) -> dict[str, Bounds]:
    from tuning.analysis.saturation import not_ready, saturation_info  # SciPy

    anyway = "--set NAME=LOW..HIGH sets a range all the same."
    if missing := not_ready(run.study.trials):
        raise Refused(Exit.NOTHING_YET, f"{run.folder.id}: {missing} {anyway}")
    info = saturation_info(run.study.trials, maximize=run.study.maximize, limits=spec_limits(spec))
    changes = suggested_changes(info)
    if changes:
        return changes
    if n_missing := max((p.missing for p in info.parameters), default=0):
        why = f"There is not enough evidence: run at least {count(n_missing, 'more trial')}."
        raise Refused(Exit.NOTHING_YET, f"{run.folder.id}: {why} {anyway}")
    raise Refused(
        Exit.FAILED, f"No range of {run.folder.id} presses a bound: there is nothing to widen. {anyway}"
    )


def _lines(found: Continuation) -> list[str]:
    lines = [f"{c.name}: {c.range_before} -> {c.range_after}" for c in found.changes]
    lines = lines or ["The search space stays the same."]
    return [line for line in (*lines, found.sentence, found.left_out_sentence, *found.notes) if line]


def _show(found: Continuation, spec: StudySpec, *, as_json: bool) -> None:
    if not as_json:
        trials = f"{spec.name} would run {count(spec.budget.n_trials, 'trial')} of its own."
        output.show("\n".join([*_lines(found), trials]))
        return
    output.show_json(
        {
            "continues": found.parent_id,
            "name": spec.name,
            "n_trials": spec.budget.n_trials,
            "changes": [
                {"name": c.name, "before": _plain(c.before), "after": _plain(c.after)} for c in found.changes
            ],
            "imported": len(found.imported),
            "run_again": [t.user_attrs["rerun_of"] for t in found.rerun],
            "left_out": dict(found.left_out),
            "notes": list(found.notes),
        }
    )


def _plain(p: Any) -> dict[str, Any] | None:
    return None if p is None else p.model_dump(mode="json", exclude_none=True)
