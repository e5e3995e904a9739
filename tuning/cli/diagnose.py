"""The command that judges the search space of any study: ours, a file, a database."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import unquote

import typer

from storage.foreign import NoSuchStudy, StudyStorage, open_source, open_url
from storage.paths import UnknownRun, find_run, runs_root
from storage.source import SourceUnreadable
from storage.trials import StudyData
from tuning import launch
from tuning.analysis.words import count
from tuning.cli import output
from tuning.cli.exits import Exit, Refused
from tuning.cli.options import AsJson, RunsDir
from tuning.opening import pick_study

if TYPE_CHECKING:
    from tuning.analysis.saturation import ParameterSaturation, SaturationInfo
    from tuning.space.limits import Limit

_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://")


@dataclass(frozen=True)
class _Target:
    """The study to judge."""

    where: str
    study: StudyData
    limits: Mapping[str, "Limit"]


def diagnose(
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET",
            help="A study's id, a journal file, a SQLite file, or the URL of another database.",
        ),
    ],
    study: Annotated[
        str | None, typer.Option("--study", help="Which study, where a file holds several.")
    ] = None,
    as_json: AsJson = False,
    runs_dir: RunsDir = None,
) -> None:
    """Say for each parameter whether its range was too narrow, too wide, or fine. Only reads."""
    found = _find(target, study, runs_root(runs_dir))
    from tuning.analysis.saturation import not_ready, saturation_info  # SciPy

    info = saturation_info(found.study.trials, maximize=found.study.maximize, limits=found.limits)
    if as_json:
        output.show_json({"parameters": [_record(p) for p in info.parameters]})
    if not info.parameters:
        missing = not_ready(found.study.trials) if found.study.trials else "It has no trials yet."
        missing = missing or "No parameter of its finished trials varies: there is no range to judge."
        raise Refused(Exit.NOTHING_YET, f"{found.where}: {missing}")
    if not as_json:
        output.show(_report(found, info))


def _find(target: str, study: str | None, root: Path) -> _Target:
    if match := _URL.match(target):
        if match["scheme"].split("+")[0].lower() == "sqlite":
            return _in_file(_sqlite_path(target), study)
        return _in_database(target, study)
    try:
        folder = find_run(root, target)
    except UnknownRun:
        path = Path(target).expanduser()
        if not path.exists():
            raise Refused(
                Exit.NO_STUDY,
                f"There is no study {target[:80]!r} under {root}, and no file of that name in {Path.cwd()}. "
                "`python -m tuning list` shows the studies.",
            ) from None
        return _in_file(path, study)
    run = launch.read_run(folder)
    if study is not None and study != run.study.name:
        raise NoSuchStudy(f"{folder.id} is one study, {run.study.name!r}: leave out --study.")
    if run.spec is None:
        return _Target(folder.id, run.study, _known_limits(run.study))
    from tuning.space.limits import spec_limits

    return _Target(folder.id, run.study, spec_limits(run.spec))


def _in_file(path: Path, study: str | None) -> _Target:
    return _in_storage(open_source(path.absolute()), study)


def _in_database(url: str, study: str | None) -> _Target:
    from storage.rdb import password_of

    try:
        return _in_storage(open_url(url), study)
    except SourceUnreadable as error:
        secret = password_of(url)  # some drivers quote what they were given
        raise SourceUnreadable(str(error).replace(secret, "***") if secret else str(error)) from None


def _in_storage(storage: StudyStorage, study: str | None) -> _Target:
    studies = storage.studies()
    if study is None and sum(s.supported for s in studies) > 1:
        rows = [[s.name, ", ".join(s.directions), str(s.n_trials)] for s in studies]
        for line in output.table(["STUDY", "DIRECTION", "TRIALS"], rows, right=("TRIALS",)).splitlines():
            output.note(line)
        raise Refused(Exit.BAD_INPUT, f"{storage.shown} holds {len(studies)} studies: name one with --study.")
    data = storage.study(pick_study(studies, study, storage.shown))
    return _Target(f"{data.name} in {storage.shown}", data, _known_limits(data))


def _known_limits(study: StudyData) -> Mapping[str, "Limit"]:
    from tuning.space.limits import known_limits

    return known_limits({name for trial in study.trials for name in trial.distributions})


def _sqlite_path(url: str) -> Path:
    """Return the file that a SQLite URL names, so that it is opened as any other file: for reading only."""
    named = url.split("://", 1)[1].removeprefix("/").split("?")[0]
    path = unquote(named.removeprefix("file:")) if named.startswith("file:") else named
    if path in ("", ":memory:"):
        raise Refused(Exit.BAD_INPUT, f"{url[:80]} names no file. One looks like sqlite:///study.db.")
    return Path(path)


def _record(p: "ParameterSaturation") -> dict[str, Any]:
    low, high = p.suggested or (None, None)
    return {
        "name": p.name,
        "verdict": p.verdict.value,
        "side": p.side,
        "confidence": p.confidence,
        "low": _number(p, p.low),
        "high": _number(p, p.high),
        "suggested_low": _number(p, low),
        "suggested_high": _number(p, high),
        "sentence": p.sentence,
    }


def _number(p: "ParameterSaturation", value: float | None) -> float | int | None:
    if value is None or not math.isfinite(value):
        return None
    return int(value) if p.axis.kind == "int" and float(value).is_integer() else value


def _report(found: _Target, info: "SaturationInfo") -> str:
    goal = "maximize" if info.maximize else "minimize"
    lines = [
        _one_line(f"{found.where}: {count(info.n_finished, 'finished trial')}, {goal}"),
        "",
        output.table(["VERDICT", "PARAMETER", "RANGE", "TRY"], [_row(p) for p in info.parameters]),
        "",
        *(_one_line(p.sentence) for p in info.parameters),
    ]
    return "\n".join(lines)


def _one_line(text: str) -> str:
    """Return a sentence without the line breaks that a name in it may have."""
    return " ".join(text.split())


def _row(p: "ParameterSaturation") -> list[str]:
    verdict = " ".join(part for part in (p.verdict.value, p.side) if part)
    verdict += f", {p.confidence}" if p.confidence else ""
    return [verdict, p.name, _range(p, p.low, p.high), _range(p, *(p.suggested or (None, None)))]


def _range(p: "ParameterSaturation", low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return ""
    if p.axis.kind == "categorical":
        return f"{low:g} to {high:g}"
    return f"{p.axis.words(low)} to {p.axis.words(high)}"
