"""What several studies searched and where each one's best trial lies, by the arguments that they set."""

from collections.abc import Iterator, Sequence
from typing import Any

from optuna.trial import FrozenTrial

from storage.trials import RESOLVED
from tuning.analysis.outcomes import number
from tuning.analysis.space import CATEGORICAL, DeclaredAxis, declared_space
from tuning.analysis.words import three_digits
from tuning.compared_table import ComparedRow
from tuning.launch import Run
from tuning.space.parameters import Parameter
from tuning.space.resolve import POLICY_PREFIX, argument_value
from tuning.spec import StudySpec

_MOST_CHOICES = 8


def space_rows(runs: Sequence[Run]) -> list[ComparedRow]:
    """Return one row for each argument that any of the studies searches: its range, or what it is fixed at.

    Ranges are in the argument's own unit, so that a study that searches 1 - gamma lines up with one that
    searches gamma.
    """
    found = [_searched(run) for run in runs]
    names = list(dict.fromkeys(name for searched in found for name in searched))
    return [
        ComparedRow(
            name,
            tuple(s.get(name) or _fixed(run, name) for s, run in zip(found, runs, strict=True)),
        )
        for name in names
    ]


def configuration_rows(runs: Sequence[Run], trials: Sequence[FrozenTrial | None]) -> list[ComparedRow]:
    """Return one row for each argument of these trials, one trial a study, that differs or was searched.

    Of a trial of ours that is what the algorithm got, defaults included; of any other its parameters.
    """
    got = [_arguments(trial) if trial else {} for trial in trials]
    names = list(dict.fromkeys([*(n for run in runs for n in _searched(run)), *(n for g in got for n in g)]))
    searched = {name for run in runs for name in _searched(run)}
    rows = []
    for name in names:
        values = tuple(
            g[name] if name in g else (_default(run, name) if trial else None)
            for g, run, trial in zip(got, runs, trials, strict=True)
        )
        row = ComparedRow(name, values)
        if row.differs or name in searched:
            rows.append(row)
    return rows


def _searched(run: Run) -> dict[str, str]:
    """Return the range of each argument that a study searches, in words."""
    if run.spec is not None:
        return {_plain_name(p.target): _range(p) for p in run.spec.search_space}
    return {name[:80]: _axis_range(axis) for name, axis in declared_space(run.study.trials).items()}


def _range(p: Parameter) -> str:
    if p.kind == "categorical":
        return _choices([str(choice) for choice in p.choices or ()])
    low, high = (number(_resolved(p, end)) for end in (p.low, p.high))
    unit = ""
    if low is None or high is None:  # the argument is no number, though the parameter is one
        low, high, unit = float(p.low or 0), float(p.high or 0), f" as {p.name}"
    low, high = sorted((low, high))
    scale = " (log)" if p.log else ""
    return f"{three_digits(low)} to {three_digits(high)}{scale}{unit}"


def _resolved(p: Parameter, value: Any) -> Any:
    try:
        return p.resolve(value)
    except (ValueError, TypeError, OverflowError):
        return None


def _axis_range(axis: DeclaredAxis) -> str:
    if axis.kind == CATEGORICAL:
        return _choices(axis.choices)
    return f"{three_digits(axis.low)} to {three_digits(axis.high)}{' (log)' if axis.log else ''}"


def _choices(words: Sequence[str]) -> str:
    shown = ", ".join(word[:40] for word in words[:_MOST_CHOICES])
    return shown + (f" and {len(words) - _MOST_CHOICES} more" if len(words) > _MOST_CHOICES else "")


def _fixed(run: Run, name: str) -> str | None:
    """Return what an argument is where it is not searched, in words; None where nobody knows."""
    if run.spec is None:
        return "not searched"
    for target in (name, POLICY_PREFIX + name):
        if target in run.spec.hyperparameters:
            return f"fixed: {_words(run.spec.hyperparameters[target])}"
        if target in run.spec.info.arguments:
            return f"default: {_words(run.spec.info.arguments[target].default)}"
    return f"{run.spec.algorithm} has none"


def _words(value: Any) -> str:
    return three_digits(value) if isinstance(value, float) else str(value)


def _default(run: Run, name: str) -> Any:
    """Return what the algorithm uses for an argument that it was not given; None where it has none."""
    spec: StudySpec | None = run.spec
    if spec is None:
        return None
    found = [argument_value(spec, {}, target) for target in (name, POLICY_PREFIX + name)]
    return next((value for value in found if value is not None), None)


def _arguments(trial: FrozenTrial) -> dict[str, Any]:
    resolved = trial.user_attrs.get(RESOLVED)
    if not isinstance(resolved, dict):
        return dict(trial.params)
    return dict(_flat(resolved))


def _flat(resolved: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in resolved.items():
        if name == "policy_kwargs" and isinstance(value, dict):
            yield from ((str(inner), v) for inner, v in value.items())
        else:
            yield str(name), value


def _plain_name(target: str) -> str:
    return target.removeprefix(POLICY_PREFIX)
