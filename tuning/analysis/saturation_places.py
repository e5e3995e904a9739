"""Where the ranked trials lie on every axis at once, and which parameters the same trials have."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tuning.analysis.saturation_axis import UnitAxis
from tuning.analysis.saturation_scores import ScoredTrials

_CATEGORY = 0.7  # distance between two levels without order is this times the root of 2


@dataclass(frozen=True, eq=False)
class Group:
    """Trials that have the same parameters to be judged: all of them, but for conditional parameters."""

    names: tuple[str, ...]  # parameters that exactly these trials have, sorted
    rows: np.ndarray  # indices into the ranked trials
    scores: np.ndarray  # (rows,)
    units: Mapping[
        str, np.ndarray
    ]  # place of every parameter in these trials, NaN where one lacks it; sorted


def units(scored: ScoredTrials, axes: Mapping[str, UnitAxis]) -> dict[str, np.ndarray]:
    """Return the places of each parameter, (n_ranked,), NaN where a trial has none; sorted by name.

    Sorted, so that no verdict depends on the order in which an objective asks for its parameters.
    """
    found = {}
    for name in sorted(axes):
        places = (axes[name].unit(t.params.get(name)) for t in scored.ranked)
        found[name] = np.array([np.nan if u is None else u for u in places], dtype=float)
    return found


def groups(scored: ScoredTrials, places: Mapping[str, np.ndarray]) -> list[Group]:
    """Return the parameters grouped by the trials that have them."""
    by_rows: dict[bytes, list[str]] = {}
    for name, place in places.items():
        by_rows.setdefault(np.isfinite(place).tobytes(), []).append(name)
    found = []
    for names in by_rows.values():
        rows = np.flatnonzero(np.isfinite(places[names[0]]))
        inside = {name: place[rows] for name, place in places.items()}
        found.append(Group(tuple(names), rows, scored.scores[rows], inside))
    return found


def coordinates(axis: UnitAxis, place: np.ndarray) -> np.ndarray:
    """Return what stands for a parameter in the surrogate, (rows, columns).

    Its place, or one column a level where levels have no order. What a trial lacks is the middle or no level.
    """
    if axis.ordered:
        return np.where(np.isfinite(place), place, 0.5)[:, None]
    levels = np.unique(place[np.isfinite(place)])
    return _CATEGORY * (place[:, None] == levels)


def terms(axis: UnitAxis, place: np.ndarray) -> np.ndarray:
    """Return what stands for a parameter in a regression: slope and bend, or its levels but the first."""
    if axis.ordered and (axis.levels is None or axis.levels > 2):
        z = np.where(np.isfinite(place), 2 * place - 1, 0.0)
        return np.stack([z, z * z], axis=1)
    levels = np.unique(place[np.isfinite(place)])[1:21]
    return (place[:, None] == levels).astype(float)
