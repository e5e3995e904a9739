"""What each parameter of an algorithm does, from its data file, as rows of a table."""

from dataclasses import dataclass
from typing import Any

from tuning.algorithms import Algorithm, Argument, Preset
from tuning.space.parameters import Parameter


@dataclass(frozen=True)
class ReferenceRow:
    """One argument of an algorithm."""

    name: str  # as a spec writes it
    about: str  # what it does and, where a preset searches it, why this range in this form
    default: str
    limits: str  # beyond which a value is never right
    searched: str  # "32 … 4096, powers of 2 (Starter)"; empty where no preset searches it


def reference_rows(known: Algorithm) -> list[ReferenceRow]:
    """Return a row for each argument that a study may set, those that presets search first."""
    rows = [_row(argument, known) for argument in known.arguments.values()]
    return [row for row in rows if row.searched] + [row for row in rows if not row.searched]


def _row(argument: Argument, known: Algorithm) -> ReferenceRow:
    found = _searched(argument.name, known)
    searched, about = "", argument.about
    if found is not None:
        preset, p = found
        searched = f"{p.resolved_range()}, {_scale(p)} ({preset.title})"
        about = preset.why.get(p.name, about)  # which begins with what it does
    limits = argument.limits() if argument.low is not None or argument.high is not None else ""
    return ReferenceRow(argument.name, about, _shown(argument.default), limits, searched)


def _searched(target: str, known: Algorithm) -> tuple[Preset, Parameter] | None:
    """Return the first preset that searches an argument, one that says why before one that does not."""
    found = [(preset, p) for preset in known.presets for p in preset.space if p.target == target]
    return next((f for f in found if f[1].name in f[0].why), found[0] if found else None)


def _scale(p: Parameter) -> str:
    if p.kind == "categorical":
        return "choices"
    if p.transform == "2^x":
        return "powers of 2"
    if p.transform == "1 - x" and p.log:
        return "log of 1 - x"
    return "log scale" if p.log else "linear"


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, dict):
        return ", ".join(f"{key} {part}" for key, part in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)
