"""The command that takes something home: a report, a model, a configuration, the trials."""

import os
import sys
import tempfile
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from optuna.trial import FrozenTrial

from storage.paths import find_run, runs_root
from tuning import export as configurations
from tuning.access import require_writable
from tuning.analysis.words import count
from tuning.cli import output
from tuning.cli.exits import Exit, Refused
from tuning.cli.options import AsJson, RunsDir, StudyId
from tuning.cli.overview import read_tidied
from tuning.export_choice import Which, choose_policy, choose_trial
from tuning.launch import Run
from tuning.mapping import mapped_spec

STDOUT = "-"


class Format(StrEnum):
    """What is exported."""

    REPORT = "report"
    ZIP = "zip"
    CARD = "card"
    YAML = "yaml"
    PYTHON = "python"
    JSON = "json"
    CSV = "csv"


_TEXTS = (Format.YAML, Format.PYTHON, Format.JSON, Format.CSV)  # to stdout, unless told otherwise


def export(
    study: StudyId,
    layout: Annotated[
        Format,
        typer.Option(
            "--format",
            help="report: one HTML file. zip: the model, as plain SB3 loads it. card: a folder with model, "
            "weights, model card and video. yaml, python, json: the configuration. csv: every trial.",
        ),
    ],
    trial: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Which trial [default: the chosen winner, else the recommended, else the best]."
        ),
    ] = None,
    policy: Annotated[
        Which,
        typer.Option(
            help="For zip and card. typical: the median run of the trial's re-evaluation, where there is "
            "one; search: the agent that the search trained."
        ),
    ] = Which.TYPICAL,
    out: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Where to [default: texts to stdout, others into this folder]."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace PATH if it exists.")] = False,
    as_json: AsJson = False,
    runs_dir: RunsDir = None,
) -> None:
    """Take a study's result home. Prints the path of what it wrote, or the text itself."""
    folder = find_run(runs_root(runs_dir), study)
    run = read_tidied(folder)
    path = None if str(out) == STDOUT else out
    if path is None and (layout not in _TEXTS or as_json):
        if str(out) == STDOUT:
            raise Refused(Exit.BAD_INPUT, f"A {layout.value} cannot go to stdout. Name a path with --out.")
        path = Path(_default_name(run, layout, trial))
    if path is not None:
        _check_target(path, layout, force=force, root=runs_root(runs_dir))
    match layout:
        case Format.REPORT:
            notes = _write_report(run, trial, _path(path))
        case Format.ZIP:
            notes = _write_zip(run, choose_trial(run, trial).trial, policy, _path(path))
        case Format.CARD:
            from tuning.export_card import write_card

            chosen = choose_trial(run, trial).trial
            notes = write_card(run, chosen, _path(path), which=policy, replace=force, say=output.note)
        case _:
            text = _csv(run) if layout == Format.CSV else _configuration(run, layout, trial)
            if path is None:
                typer.echo(text, nl=False)
                return
            write_whole(path, text)
            notes = ()
    for note in notes:
        output.note(f"note: {note}")
    assert path is not None
    if as_json:
        output.show_json({"format": layout.value, "path": str(path.absolute()), "notes": list(notes)})
    else:
        output.show(str(path))
        sys.stdout.flush()


def write_whole(path: Path, text: str) -> None:
    """Write a text that appears whole or not at all, readable for others as the umask says."""
    handle, partial = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(partial, 0o666 & ~umask)
        os.replace(partial, path)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise


def _path(path: Path | None) -> Path:
    assert path is not None
    return path


def _default_name(run: Run, layout: Format, trial: int | None) -> str:
    if layout in (Format.REPORT, Format.CSV):
        return f"{run.folder.id}-{'report.html' if layout == Format.REPORT else 'trials.csv'}"
    number = choose_trial(run, trial).trial.number
    endings = {Format.ZIP: ".zip", Format.CARD: "", Format.YAML: ".yaml", Format.PYTHON: ".py"}
    return f"{run.folder.id}-trial-{number}{endings.get(layout, '.json')}"


def _check_target(path: Path, layout: Format, *, force: bool, root: Path) -> None:
    """Refuse a path that cannot be meant, before anything is worked out."""
    if path.resolve().is_relative_to(root):
        require_writable("write among the studies")
    if not path.absolute().parent.is_dir():
        raise Refused(Exit.BAD_INPUT, f"There is no folder {path.absolute().parent}. Make it first.")
    if path.is_dir() and layout != Format.CARD:
        raise Refused(Exit.BAD_INPUT, f"{path} is a folder. Name a file in it.")
    if path.exists() and not force:
        raise Refused(Exit.BAD_INPUT, f"{path} exists. Give --force to replace it, or another name.")
    if layout == Format.CARD and path.exists() and not _is_card(path):
        raise Refused(Exit.BAD_INPUT, f"{path} is no model card, so it is not replaced. Name another folder.")


def _is_card(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and (path / "policy.npz").is_file()


def _write_report(run: Run, trial: int | None, path: Path) -> tuple[str, ...]:
    from tuning.report import build_report  # Plotly, SciPy

    report = build_report(run, trial=trial, say=output.note)
    write_whole(path, report.html)
    return report.left_out


def _write_zip(run: Run, trial: FrozenTrial, which: Which, path: Path) -> tuple[str, ...]:
    place = choose_policy(run, trial, which)
    output.note("Building the model")
    from tuning.export_zip import write_model_zip  # torch

    with output.stdout_kept_clean():
        write_model_zip(place.load(), path)
    return (f"Trial {trial.number}. {place.about}",)


def _configuration(run: Run, layout: Format, number: int | None) -> str:
    chosen = choose_trial(run, number)
    if number is None:
        output.note(f"note: trial {chosen.trial.number}, {chosen.why}.")
    spec = mapped_spec(run)
    if spec is None:
        if layout != Format.JSON:
            raise Refused(
                Exit.BAD_INPUT,
                f"{run.folder.id} was not launched here, so its environment and algorithm are not known. Ask "
                "for --format json: the values as they are stored.",
            )
        return configurations.values_json(run.study.name, chosen.trial)
    writers: dict[Format, Callable[..., str]] = {
        Format.YAML: configurations.to_yaml,
        Format.PYTHON: configurations.to_python,
        Format.JSON: configurations.to_json,
    }
    return writers[layout](spec, chosen.trial)


def _csv(run: Run) -> str:
    from tuning.analysis.table import trials_csv, trials_frame  # pandas

    frame = trials_frame(
        run.study.trials,
        maximize=run.study.maximize,
        is_running=run.may_run,
        second=run.spec.objective.second if run.spec else None,
    )
    output.note(count(len(frame), "trial"))
    return trials_csv(frame)
