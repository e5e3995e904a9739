"""Values of a parameter by their place in its range, for samplers that cut ranges into pieces."""

import math

from tuning.space.parameters import Parameter, Scalar


def value_at(p: Parameter, place: float) -> Scalar:
    """Return the stored value at a place, 0 to 1, of the parameter's range (on its own scale) or choices."""
    if p.kind == "categorical":
        choices = p.choices or ()
        return choices[min(int(place * len(choices)), len(choices) - 1)]
    assert p.low is not None
    assert p.high is not None
    if p.log:
        value = math.exp(math.log(p.low) + place * (math.log(p.high) - math.log(p.low)))
        return min(round(value), int(p.high)) if p.kind == "int" else min(max(value, p.low), p.high)
    step = p.step or (1.0 if p.kind == "int" else 0.0)
    if step:
        n_steps = math.floor((p.high - p.low) / step + 1e-9)
        value = p.low + step * min(int(place * (n_steps + 1)), n_steps)
        return int(value) if p.kind == "int" else value
    return p.low + place * (p.high - p.low)


def n_values(p: Parameter) -> float:
    """Return how many values the parameter has; infinity for a float without a step."""
    if p.kind == "categorical":
        return len(p.choices or ())
    assert p.low is not None
    assert p.high is not None
    step = p.step or (1.0 if p.kind == "int" else 0.0)
    return math.floor((p.high - p.low) / step + 1e-9) + 1 if step else math.inf


def levels(p: Parameter, n: int | None = None) -> tuple[Scalar, ...]:
    """Return values of the parameter in ascending order, choices as they are listed.

    Args:
        p: the parameter.
        n: at most so many, evenly spread on the parameter's own scale with both bounds among them; None for
            every value. Choices are all kept.
    """
    total = n_values(p)
    if p.kind == "categorical":
        return p.choices or ()
    if n is None or total <= n:
        assert math.isfinite(total), f"{p.name} has infinitely many values."
        assert p.low is not None
        step = p.step or 1.0
        values = [p.low + step * k for k in range(int(total))]
        return tuple(int(v) for v in values) if p.kind == "int" else tuple(_within(p, v) for v in values)
    places = [k / (n - 1) for k in range(n)]
    return tuple(dict.fromkeys(_nearest(p, place) for place in places))


def _nearest(p: Parameter, place: float) -> Scalar:
    """Return the value nearest to a place, where `value_at` gives each value an equal share of places."""
    if p.log or (p.kind == "float" and p.step is None):
        return value_at(p, place)
    assert p.low is not None
    last = int(n_values(p)) - 1
    value = p.low + (p.step or 1.0) * math.floor(place * last + 0.5)
    return int(value) if p.kind == "int" else _within(p, value)


def _within(p: Parameter, value: float) -> float:
    assert p.high is not None
    return min(value, p.high)
