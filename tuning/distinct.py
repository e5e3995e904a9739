"""The best configurations of a study that really differ: of near-equal ones the best stands for all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from optuna.trial import FrozenTrial

from tuning.analysis.outcomes import finite_ranked, finite_values
from tuning.analysis.saturation_axis import UnitAxis

MOST_CONSIDERED = 50  # best trials among which distinct configurations are looked for
_SAME = 0.02  # of every parameter's range: configurations closer than this are one


@dataclass(frozen=True)
class Distinct:
    """One of the best configurations."""

    trial: FrozenTrial
    value: float
    merged: tuple[int, ...]  # numbers of worse trials that are near-equal to it


def distinct_best(
    trials: Sequence[FrozenTrial], n: int, axes: Mapping[str, UnitAxis], *, maximize: bool
) -> list[Distinct]:
    """Return the best distinct configurations, best first; empty while no trial is complete.

    Args:
        trials: of one study.
        n: how many at most.
        axes: of the parameters that make up a configuration; trials without one of them are left out.
        maximize: the direction of the study.
    """
    values = finite_values(trials)
    order = finite_ranked(trials, maximize=maximize)
    chosen: list[FrozenTrial] = []
    merged: dict[int, list[int]] = {}
    for trial in [t for t in order if axes.keys() <= t.params.keys()][:MOST_CONSIDERED]:
        like = next((other for other in chosen if near_equal(trial, other, axes)), None)
        if like is not None:
            merged[like.number].append(trial.number)
        elif len(chosen) < n:
            chosen.append(trial)
            merged[trial.number] = []
    return [Distinct(t, values[t.number], tuple(merged[t.number])) for t in chosen]


def near_equal(a: FrozenTrial, b: FrozenTrial, axes: Mapping[str, UnitAxis]) -> bool:
    """Say whether two configurations are practically one."""
    for name, axis in axes.items():
        left, right = axis.unit(a.params[name]), axis.unit(b.params[name])
        if left is None or right is None:
            return all(a.params[name] == b.params[name] for name in axes)
        if abs(left - right) >= (_SAME if axis.ordered else 1e-9):
            return False
    return True
