"""The commands that print what a study found."""

import math
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from optuna.trial import FrozenTrial, TrialState

from storage.paths import find_run, runs_root
from storage.trials import own
from tuning import export, launch
from tuning.analysis.outcomes import nothing_complete
from tuning.analysis.words import duration, three_digits
from tuning.cli import output
from tuning.cli.exits import Exit, Refused
from tuning.cli.options import AsJson, RunsDir, StudyId
from tuning.cli.overview import read_tidied

if TYPE_CHECKING:
    import pandas as pd

_ERROR_CHARS = 60


class Format(StrEnum):
    """How a configuration is printed."""

    YAML = "yaml"
    PYTHON = "python"
    JSON = "json"


_WRITERS = {Format.YAML: export.to_yaml, Format.PYTHON: export.to_python, Format.JSON: export.to_json}


def best(
    study: StudyId,
    layout: Annotated[
        Format, typer.Option("--format", help="RL Zoo's YAML, a script for plain SB3, or JSON.")
    ] = Format.YAML,
    trial: Annotated[int | None, typer.Option(help="This trial instead of the best one.")] = None,
    as_json: AsJson = False,
    runs_dir: RunsDir = None,
) -> None:
    """Print the best configuration. The script of --format python trains it and runs as it is."""
    folder = find_run(runs_root(runs_dir), study)
    run = read_tidied(folder)
    chosen = _trial(run, trial) if trial is not None else _best(run)
    typer.echo(_written(run, chosen, Format.JSON if as_json else layout), nl=False)


def trials(
    study: StudyId,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write them there as CSV; - for stdout.")
    ] = None,
    as_json: AsJson = False,
    runs_dir: RunsDir = None,
) -> None:
    """Print every trial: state, values, stored parameters, duration, trainer where trials differ, error."""
    from tuning.analysis.table import trials_csv, trials_frame  # pandas

    folder = find_run(runs_root(runs_dir), study)
    run = read_tidied(folder)
    frame = trials_frame(
        run.study.trials,
        maximize=run.study.maximize,
        is_running=run.may_run,
        second=run.spec.objective.second if run.spec else None,
    )
    if csv is not None and str(csv) != "-":
        csv.write_text(trials_csv(frame), encoding="utf-8")
        output.note(f"{len(frame)} trials written to {csv}.")
    elif csv is not None:
        typer.echo(trials_csv(frame), nl=False)
    if as_json:
        output.show_json(_rows(frame))
    elif csv is None:
        _show_table(frame)
        sys.stdout.flush()


def _written(run: launch.Run, trial: FrozenTrial, layout: Format) -> str:
    if run.spec is not None:
        return _WRITERS[layout](run.spec, trial)
    if layout != Format.JSON:
        raise Refused(
            Exit.BAD_INPUT,
            f"{run.folder.id} was not launched here, so its environment and algorithm are not known. Ask for "
            "--format json: the values as they are stored.",
        )
    return export.values_json(run.study.name, trial)


def _best(run: launch.Run) -> FrozenTrial:
    ours, maximize = own(run.study.trials), run.study.maximize
    found = export.best_trial(ours, maximize=maximize)
    theirs = export.better_imported(run.study.trials, found, maximize=maximize)
    if theirs is not None and theirs.value is not None:
        output.note(
            f"note: imported trial {theirs.number} reached {three_digits(theirs.value)}; "
            f"--trial {theirs.number} prints its configuration."
        )
    if found is None:
        reason = nothing_complete(ours) or "No trial is complete yet."
        raise Refused(Exit.NOTHING_YET, f"{run.folder.id}: {reason}")
    _note_another(run, found)
    return found


def _note_another(run: launch.Run, best: FrozenTrial) -> None:
    """Say so where more speaks for another trial, or for a baseline, than for the best of the search."""
    from tuning.export_choice import choose_trial

    chosen = choose_trial(run)
    number = chosen.trial.number
    if number != best.number:
        output.note(
            f"note: this is trial {best.number}, the best of the search. Trial {number} is {chosen.why}; "
            f"--trial {number} prints its configuration."
        )
    elif chosen.instead is not None:
        output.note(f"note: trial {number} is {chosen.why}.")


def _trial(run: launch.Run, number: int) -> FrozenTrial:
    for found in run.study.trials:
        if found.number == number:
            if found.state == TrialState.WAITING:
                raise Refused(Exit.NOTHING_YET, f"Trial {number} of {run.folder.id} has not started yet.")
            return found
    last = len(run.study.trials) - 1
    there = f"Its trials are 0 to {last}." if last >= 0 else "It has none yet."
    raise Refused(Exit.BAD_INPUT, f"{run.folder.id} has no trial {number}. {there}")


def _rows(frame: "pd.DataFrame") -> list[dict[str, Any]]:
    return [{str(k): _json_value(v) for k, v in row.items()} for row in frame.to_dict("records")]


def _json_value(value: Any) -> Any:
    import pandas as pd

    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.isoformat() if isinstance(value, pd.Timestamp) else value


def _show_table(frame: "pd.DataFrame") -> None:
    names = [str(c) for c in frame.columns if str(c).startswith("param_")]
    extra = {"ORIGIN": "origin"} if (frame["origin"] != "").any() else {}
    if frame.loc[frame["trained_by"] != "", "trained_by"].nunique() > 1:  # else `status` says it once for all
        extra["TRAINED BY"] = "trained_by"
    second = _second_header(frame)
    headers = [
        "TRIAL",
        "STATE",
        "VALUE",
        *second,
        *(n.removeprefix("param_") for n in names),
        "TOOK",
        *extra,
        "ERROR",
    ]
    lines = []
    for row in _rows(frame):
        value = row["value"] if row["value"] is not None else row["last_report"]
        took = "" if row["duration_s"] is None else duration(row["duration_s"])
        shown = "" if value is None else three_digits(value)
        other = ["" if row["second"] is None else three_digits(row["second"])] if second else []
        parameters = [_cell(row[name]) for name in names]
        error = row["error"] if len(row["error"]) <= _ERROR_CHARS else row["error"][:_ERROR_CHARS] + "…"
        words = [row[name] for name in extra.values()]
        lines.append([str(row["number"]), row["state"], shown, *other, *parameters, took, *words, error])
    left = ("STATE", *extra, "ERROR")
    output.show(output.table(headers, lines, right=[h for h in headers if h not in left]))


def _second_header(frame: "pd.DataFrame") -> list[str]:
    """Return the header of the second objective, with its unit where that is known; empty without one."""
    if not frame["second"].notna().any():
        return []
    unit = max(frame["second_unit"])
    return [f"SECOND ({unit})" if unit else "SECOND"]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and not value.is_integer():
        return three_digits(value)
    return str(value)
