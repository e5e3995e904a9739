"""Other ranges for a study: what is asked for when another one continues it, and what changed in words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tuning.analysis.outcomes import number
from tuning.analysis.saturation_range import more_choices
from tuning.analysis.verdicts import Verdict
from tuning.analysis.words import three_digits
from tuning.space.parameters import Parameter, Scalar, shown
from tuning.spec import SpecError, StudySpec, build_spec

if TYPE_CHECKING:
    from tuning.analysis.saturation import SaturationInfo

Bounds = tuple[float, float]

_SUFFIX = re.compile(r"-wide(?:-([0-9]{1,6}))?$", re.ASCII)
_NAME_CHARS = 48  # with the suffix it stays within what a folder's name has room for


@dataclass(frozen=True)
class Change:
    """One parameter of two search spaces; None where it is not searched."""

    name: str
    before: Parameter | None
    after: Parameter | None

    @property
    def range_before(self) -> str:
        """The range that was, for a person: 3e-5 … 3e-4."""
        return _range(self.before, self.after)

    @property
    def range_after(self) -> str:
        """The range that is."""
        return _range(self.after, self.before)

    @property
    def words(self) -> str:
        """What changed, in a few words: learning_rate up to 3e-3."""
        before, after = self.before, self.after
        if after is None:
            return f"{self.name} no longer searched"
        if before is None:
            return f"{self.name} searched in {self.range_after}"
        if before.choices and after.choices:
            added = [str(c) for c in after.choices if c not in before.choices]
            if added and set(before.choices) <= set(after.choices):
                return f"{self.name} also {', '.join(added)}"
        elif before.model_copy(update={"high": after.high}) == after and after.high is not None:
            return f"{self.name} up to {three_digits(after.high)}"
        elif before.model_copy(update={"low": after.low}) == after and after.low is not None:
            return f"{self.name} down to {three_digits(after.low)}"
        return f"{self.name} {self.range_after}"


def suggested_changes(info: "SaturationInfo") -> dict[str, Bounds]:
    """Return the bounds that are suggested for every parameter whose range presses a bound."""
    return {
        p.name: p.suggested
        for p in info.parameters
        if p.verdict == Verdict.EDGE and p.suggested is not None and p.suggested != (p.low, p.high)
    }


def widened_spec(spec: StudySpec, changes: Mapping[str, Bounds], *, name: str | None = None) -> StudySpec:
    """Return the request for a study that continues `spec` with other bounds.

    Everything else stays as it was, except that what it tried first is not tried again.

    Args:
        spec: the request of the study that is continued.
        changes: lower and upper bound of the stored value by parameter name. Of a categorical whose choices
            are numbers, an end beyond the choices becomes one, with the levels on the way to it.
        name: of the new study; by default the old one with `-wide`.

    Raises:
        SpecError: a parameter is unknown or has no bounds, or the new range is not allowed.
    """
    known = {p.name: p for p in spec.search_space}
    faults = [
        f"There is no parameter {shown(key)} in {spec.name}. It searches {', '.join(known)}."
        for key in changes
        if key not in known
    ]
    faults += [
        f"{key} has no bounds: its choices are {known[key].resolved_range()}. Edit its choices on Launch."
        for key in changes
        if key in known and known[key].kind == "categorical" and _levels(known[key]) is None
    ]
    if faults:
        raise SpecError(faults)
    space = [_widened(p, changes[p.name]) if p.name in changes else p.model_dump() for p in spec.search_space]
    return build_spec(
        {
            **spec.model_dump(),
            "name": name or child_name(spec.name),
            "search_space": space,
            "defaults_first": False,
            "tuned_first": False,
            "first_configurations": (),
        }
    )


def child_name(name: str) -> str:
    """Return a name for a study that continues one of this name: pendulum-wide, then pendulum-wide-2."""
    match = _SUFFIX.search(name)
    if match is None:
        return f"{name[:_NAME_CHARS]}-wide"
    return f"{name[: match.start()]}-wide-{int(match[1] or 1) + 1}"


def space_changes(before: StudySpec, after: StudySpec) -> tuple[Change, ...]:
    """Return what differs between two search spaces, in the order of the new one."""
    old, new = ({p.name: p for p in spec.search_space} for spec in (before, after))
    names = [*new, *(name for name in old if name not in new)]
    return tuple(
        Change(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)
    )


def _widened(p: Parameter, bounds: Bounds) -> dict[str, Any]:
    data = p.model_dump()
    low, high = bounds
    levels = _levels(p)
    if levels is None:
        return {**data, "low": low, "high": high}
    choices: list[Scalar] = list(p.choices or ())
    are_whole = all(isinstance(choice, int) for choice in choices)
    descending = levels[0] > levels[-1]
    for outward, end in ((-1, low), (1, high)):
        for level in _levels_up_to(end, tuple(sorted(levels)), outward):
            choice = int(level) if are_whole and float(level).is_integer() else level
            choices.insert(0 if (outward < 0) != descending else len(choices), choice)
    return {**data, "choices": [c for c in choices if low <= (number(c) or 0.0) <= high]}


def _levels_up_to(end: float, ascending: tuple[float, ...], outward: int) -> list[float]:
    """Return the new levels, nearest first, where an ordered list of choices grows to `end`."""
    last = ascending[0] if outward < 0 else ascending[-1]
    if (end - last) * outward <= 0:
        return []
    between = more_choices(ascending, outward) if len(ascending) > 1 else []
    return [level for level in between if (end - level) * outward > 0] + [end]


def _levels(p: Parameter) -> list[float] | None:
    """Return the choices of a categorical whose choices are all numbers, else None."""
    numbers = [number(choice) for choice in p.choices or ()]
    levels = [x for x in numbers if x is not None]
    return levels if levels and len(levels) == len(numbers) else None


def _range(p: Parameter | None, other: Parameter | None) -> str:
    if p is None:
        return "not searched"
    if p.choices is not None:
        return ", ".join(str(choice) for choice in p.choices)
    assert p.low is not None
    assert p.high is not None
    parts = [f"{three_digits(p.low)} … {three_digits(p.high)}"]
    if other is not None and other.log != p.log:
        parts.append("log scale" if p.log else "linear scale")
    if other is not None and other.step != p.step:
        parts.append("no step" if p.step is None else f"step {three_digits(p.step)}")
    if other is not None and (other.transform, other.target) != (p.transform, p.target):
        parts.append(f"{p.transform} to {p.target}")
    return ", ".join(parts)
