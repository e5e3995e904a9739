"""Does a parameter matter at all? An F-test beside everything else that moves the score."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import f as f_distribution

from tuning.analysis.saturation_axis import UnitAxis
from tuning.analysis.saturation_places import Group, terms

_SPARE = 5  # trials beyond the number of terms, below which the test says nothing


@dataclass(frozen=True)
class Effect:
    """How much goes with a parameter."""

    p: float  # probability of at least this much if the parameter had no influence
    share: float  # of the scores' variance, 0 to 1


def group_effects(group: Group, axes: Mapping[str, UnitAxis]) -> dict[str, Effect]:
    """Return the effect of each parameter of the group; none where there are too few trials to ask.

    The scores are regressed on slope and bend (or the levels) of all parameters, and on the trial's index and
    its square, which take up the drift that a sampler causes by getting better. One regression serves every
    parameter: with the covariance C of the coefficients, leaving out those of one, b, adds b' C_bb^-1 b to
    the squared residuals.

    Source: G. A. F. Seber and A. J. Lee, "Linear Regression Analysis" (2003), theorem 4.1.
    """
    y, n = group.scores, len(group.rows)
    blocks = {name: terms(axes[name], place) for name, place in group.units.items()}
    index = np.linspace(-1, 1, n)[:, None]
    design = np.hstack([np.ones((n, 1)), index, index**2, *blocks.values()])
    df = n - design.shape[1]
    if df < _SPARE or np.ptp(y) == 0:
        return {}
    inverse = np.linalg.pinv(design.T @ design, hermitian=True)
    weights = inverse @ (design.T @ y)
    residual = float(np.sum((y - design @ weights) ** 2)) + 1e-12
    total = float(np.sum((y - y.mean()) ** 2))
    found, start = {}, 3
    for name, block in blocks.items():
        own = slice(start, start + block.shape[1])
        start += block.shape[1]
        if name in group.names and block.shape[1]:
            added = max(0.0, float(weights[own] @ np.linalg.pinv(inverse[own, own]) @ weights[own]))
            p = f_distribution.sf(added / block.shape[1] / (residual / df), block.shape[1], df)
            found[name] = Effect(float(p), min(1.0, added / total))
    return found
