"""Every trial as a row, for the trial table and for the CSV."""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
from optuna.trial import FrozenTrial

from storage.trials import RETRY_OF, is_drawn_at_random, origin, rerun_of, second_objective
from tuning.analysis.outcomes import (
    baseline_name,
    error_line,
    evaluations_of,
    finite_ranked,
    last_report,
    number,
    proposer,
    state_word,
    value_of,
)
from tuning.analysis.space import CATEGORICAL, INT, DeclaredAxis, declared_space
from tuning.trainers import trainer_used

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


SECOND_UNITS = {"training_time": "s", "steps_to_threshold": "env steps"}


def trials_frame(
    trials: Sequence[FrozenTrial], *, maximize: bool, is_running: bool = True, second: str | None = None
) -> pd.DataFrame:
    """Return one row a trial, by number.

    Columns:
        number: the trial's number (int64).
        rank: 1 for the best complete trial with a finite value, ties share a rank (Int64).
        state: complete, pruned, diverged, failed, killed, stopped, interrupted, running or waiting.
        value: the result of a complete trial, in the study's unit (float64).
        second: the second objective, where there is one; smaller is better (float64).
        second_unit: its unit, s or env steps; an empty text where there is none or it is not known.
        last_report: the last finite intermediate value (float64).
        param_<name>: one for each declared parameter; numbers in their own unit, text for other choices.
        duration_s: seconds from start to end; none while it runs (float64).
        started: local time (datetime64).
        last_std: standard deviation of the last evaluation's returns (float64).
        error: first line of what went wrong, else an empty text.
        baseline: what the configuration is when it was not sampled, else an empty text.
        proposed_by: who queued the configuration, "by hand" or whose values it has; "random share" for a
            trial that was drawn at random whatever the sampler; else an empty text.
        retry_of: number of the trial that this one repeats (Int64).
        origin: where an imported trial ran, or which one of another study runs again, else an empty text.
        trained_by: whose code trained it, with the reason for a fallback; empty where nothing was recorded.

    Args:
        trials: any study's trials.
        maximize: the study's direction, for the rank.
        is_running: False names trials left running "interrupted".
        second: the study's second objective, for its unit.
    """
    ordered = sorted(trials, key=lambda t: t.number)
    ranks = _ranks(ordered, maximize=maximize)
    reports = {t.number: last_report(t) for t in ordered}
    stds = {t.number: (e[-1].std if (e := evaluations_of(t)) else None) for t in ordered}
    retries = [number(t.user_attrs.get(RETRY_OF)) for t in ordered]
    seconds = [second_objective(t) for t in ordered]
    unit = SECOND_UNITS.get(second or "", "")
    columns: dict[str, pd.Series] = {
        "number": pd.Series([t.number for t in ordered], dtype="int64"),
        "rank": pd.Series([ranks.get(t.number) for t in ordered], dtype="Int64"),
        "state": pd.Series([state_word(t, is_running=is_running) for t in ordered], dtype="object"),
        "value": pd.Series([value_of(t) for t in ordered], dtype="float64"),
        "second": pd.Series(seconds, dtype="float64"),
        "second_unit": pd.Series(["" if s is None else unit for s in seconds], dtype="object"),
        "last_report": pd.Series(
            [r[1] if (r := reports[t.number]) else None for t in ordered], dtype="float64"
        ),
    }
    for name, axis in declared_space(ordered).items():
        columns[f"param_{name}"] = _parameter(ordered, axis)
    durations = [t.duration.total_seconds() if t.duration is not None else None for t in ordered]
    columns |= {
        "duration_s": pd.Series(durations, dtype="float64"),
        "started": pd.to_datetime(pd.Series([t.datetime_start for t in ordered], dtype="object")),
        "last_std": pd.Series([stds[t.number] for t in ordered], dtype="float64"),
        "error": pd.Series([error_line(t) for t in ordered], dtype="object"),
        "baseline": pd.Series([baseline_name(t) or "" for t in ordered], dtype="object"),
        "proposed_by": pd.Series([_proposed_by(t) for t in ordered], dtype="object"),
        "retry_of": pd.Series([None if n is None else int(n) for n in retries], dtype="Int64"),
        "origin": pd.Series([_origin(t) for t in ordered], dtype="object"),
        "trained_by": pd.Series([_trained_by(t) for t in ordered], dtype="object"),
    }
    return pd.DataFrame(columns)


def readable_seconds(seconds: float) -> float:
    """Round seconds as `words.duration` does: two digits below ten seconds, else whole ones."""
    if not math.isfinite(seconds):
        return seconds
    return float(f"{seconds:.2g}") if seconds < 9.95 else float(round(seconds))


def trials_csv(frame: pd.DataFrame) -> str:
    """Return the frame as CSV in which no text can start a formula in a spreadsheet.

    Text cells and headers that begin like a formula get an apostrophe in front; numbers stay numbers.
    """
    safe = frame.copy()
    for name in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[name]) and not pd.api.types.is_datetime64_any_dtype(
            safe[name]
        ):
            safe[name] = safe[name].map(_cell)
    safe.columns = pd.Index([_cell(name) for name in safe.columns])
    return safe.to_csv(index=False, date_format="%Y-%m-%dT%H:%M:%S", lineterminator="\n")


def _proposed_by(trial: FrozenTrial) -> str:
    return proposer(trial) or ("random share" if is_drawn_at_random(trial) else "")


def _origin(trial: FrozenTrial) -> str:
    if place := origin(trial):
        return f"imported: trial {place[1]} of {place[0]}"
    if place := rerun_of(trial):
        return f"again: trial {place[1]} of {place[0]}"
    return ""


def _trained_by(trial: FrozenTrial) -> str:
    used = trainer_used(trial)
    return used.words if used is not None else ""


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA_STARTS):
        return "'" + value
    return value


def _ranks(trials: Sequence[FrozenTrial], *, maximize: bool) -> dict[int, int]:
    ranks: dict[int, int] = {}
    previous: tuple[float | None, int] = (None, 0)
    for place, trial in enumerate(finite_ranked(trials, maximize=maximize), start=1):
        value = value_of(trial)
        rank = previous[1] if value == previous[0] else place
        ranks[trial.number] = rank
        previous = (value, rank)
    return ranks


def _parameter(trials: Sequence[FrozenTrial], axis: DeclaredAxis) -> pd.Series:
    values = [t.params.get(axis.name) for t in trials]
    has = [axis.name in t.params for t in trials]
    if axis.kind != CATEGORICAL:
        numbers = [number(v) for v in values]
        if axis.kind == INT and all(n is None or n.is_integer() for n in numbers):
            return pd.Series([None if n is None else int(n) for n in numbers], dtype="Int64")
        return pd.Series(numbers, dtype="float64")
    if all(number(v) is not None for v, there in zip(values, has, strict=True) if there):
        return pd.Series([number(v) for v in values], dtype="float64")
    words = []
    for value, there in zip(values, has, strict=True):
        position = axis.position(value) if there else None
        words.append(None if not there else str(value) if position is None else axis.choices[int(position)])
    return pd.Series(words, dtype="object")
