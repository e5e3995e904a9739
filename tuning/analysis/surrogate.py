"""A Gaussian process over a search space: what the objective would be where nobody has looked.

The prior covariance of two configurations x and x' (places in the unit cube, z = 2x - 1) is

    k(x, x') = 1 + s1 sum_j z_j z'_j + s2 sum_j (z_j^2 - 1/3)(z'_j^2 - 1/3) + s3 m(r),

    m(r) = (1 + sqrt(5) r + 5 r^2 / 3) exp(-sqrt(5) r),    r^2 = sum_j (x_j - x'_j)^2 / l_j^2.

The first terms let every parameter have a slope and a bend that hold over its whole range, so that the fit
knows what lies at a bound, and beyond it, from the trials inside; the last one (Matern 5/2) follows what they
miss. The scales s, the lengths l and the noise are the most probable ones (MAP), found on `FIT_ROWS` trials.

Source: Rasmussen and Williams, "Gaussian Processes for Machine Learning" (2006), chapters 2, 4 and 5.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.optimize import minimize

FIT_ROWS = 200  # the scales are found on these; the cost of a step grows with their cube
MOST_ROWS = 800  # and the fit uses these
_MAX_STEPS = 60
_JITTER = 1e-4
_ROOT5 = np.sqrt(5.0)

# Log-normal priors (mean and standard deviation of the logarithm).
_LENGTH_FOR_ONE = np.log(0.5)  # in many dimensions distances grow, and lengths with them
_SCALES = np.log([0.5, 0.25, 1.0])  # s1, s2, s3
_NOISE = -1.5  # of scores with variance 1
_WIDTH = 1.0
_BOUNDS = ((np.log(0.05), np.log(60.0)), (-7.0, 3.0), (-7.0, 1.0))  # lengths, scales, noise


@dataclass(frozen=True, eq=False)
class Surrogate:
    """A fitted Gaussian process."""

    x: np.ndarray  # (n, columns), the trials it has seen
    columns: np.ndarray  # (columns,), which parameter a column belongs to
    lengths: np.ndarray  # (parameters,)
    scales: np.ndarray  # (3,)
    noise: float  # variance of one trial's score
    _factor: np.ndarray  # (n, n), Cholesky factor of the covariance of the scores
    _weights: np.ndarray  # (n,)

    def mean(self, points: np.ndarray) -> np.ndarray:
        """Return the expected score, noise taken away; (points,)."""
        return self._covariance(points, self.x) @ self._weights

    def joint(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return mean (points,) and covariance (points, points) of the score, noise taken away."""
        cross = self._covariance(points, self.x)
        part = solve_triangular(self._factor, cross.T, lower=True)
        return cross @ self._weights, self._covariance(points, points) - part.T @ part

    def _covariance(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        squared = _squared(a / self.lengths[self.columns], b / self.lengths[self.columns])
        slope, bend = _trends(a, b)
        return 1.0 + self.scales[0] * slope + self.scales[1] * bend + self.scales[2] * _matern(squared)[0]


def fit_surrogate(x: np.ndarray, columns: Sequence[int], scores: np.ndarray, *, seed: int = 0) -> Surrogate:
    """Fit the process to scores of about unit variance.

    Args:
        x: (n, columns), places in 0 to 1.
        columns: which parameter each column belongs to; those of one parameter share a length.
        scores: (n,).
        seed: which trials are taken where there are too many.
    """
    random = np.random.default_rng(seed)
    owner = np.asarray(columns)
    kept = _sample(len(x), MOST_ROWS, random)
    x, scores = x[kept], scores[kept]
    some = _sample(len(x), FIT_ROWS, random)
    lengths, scales, noise = _most_probable(x[some], owner, scores[some])
    blank = Surrogate(x, owner, lengths, scales, noise, np.empty(0), np.empty(0))
    factor = cholesky(blank._covariance(x, x) + noise * np.eye(len(x)), lower=True)
    return Surrogate(x, owner, lengths, scales, noise, factor, cho_solve((factor, True), scores))


def _most_probable(x: np.ndarray, owner: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Return lengths, scales and noise that maximise likelihood times prior."""
    n, n_parameters = len(x), int(owner.max()) + 1
    apart = np.stack([_squared(x[:, owner == j], x[:, owner == j]) for j in range(n_parameters)])
    flat = apart.reshape(n_parameters, -1)
    trends = _trends(x, x)
    middle = np.concatenate(
        [np.full(n_parameters, _LENGTH_FOR_ONE + 0.5 * np.log(n_parameters)), _SCALES, [_NOISE]]
    )
    identity = np.eye(n)

    def cost(log_scales: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the negative log posterior and its gradient (Rasmussen and Williams, eq. 5.8 and 5.9)."""
        values = np.exp(log_scales)
        lengths, (slope, bend, local), noise = values[:n_parameters], values[-4:-1], values[-1]
        squared = (flat.T @ lengths**-2).reshape(n, n)
        matern, decay = _matern(squared)
        covariance = (
            1.0 + slope * trends[0] + bend * trends[1] + local * matern + (noise + _JITTER) * identity
        )
        try:
            factor = cholesky(covariance, lower=True)
        except np.linalg.LinAlgError:
            return 1e10, np.zeros_like(log_scales)
        weights = cho_solve((factor, True), y)
        inner = np.outer(weights, weights) - cho_solve((factor, True), identity)
        off = (log_scales - middle) / _WIDTH
        value = 0.5 * y @ weights + np.log(np.diag(factor)).sum() + 0.5 * off @ off
        by_length = flat @ (inner * decay).ravel() * local * lengths**-2
        by_scale = [
            slope * (inner * trends[0]).sum(),
            bend * (inner * trends[1]).sum(),
            local * (inner * matern).sum(),
        ]
        gradient = -0.5 * np.concatenate([by_length, by_scale, [noise * np.trace(inner)]])
        return float(value), gradient + off / _WIDTH

    bounds = [_BOUNDS[0]] * n_parameters + [_BOUNDS[1]] * 3 + [_BOUNDS[2]]
    found = minimize(
        cost, middle, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": _MAX_STEPS}
    )
    values = np.exp(found.x)
    return values[:n_parameters], values[-4:-1], float(values[-1]) + _JITTER


def _sample(n: int, most: int, random: np.random.Generator) -> np.ndarray:
    """Return which of `n` rows to use, in order: a random choice, as one by value would bias the fit."""
    return np.arange(n) if n <= most else np.sort(random.choice(n, most, replace=False))


def _trends(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the covariance that slopes give, and the one that bends give."""
    za, zb = 2 * a - 1, 2 * b - 1
    return za @ zb.T, (za * za - 1 / 3) @ (zb * zb - 1 / 3).T


def _matern(squared: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return m(r), and (5/3)(1 + sqrt(5) r) exp(-sqrt(5) r), which its derivatives share."""
    r = np.sqrt(squared)
    decay = np.exp(-_ROOT5 * r)
    return (1 + _ROOT5 * r + 5 / 3 * squared) * decay, 5 / 3 * (1 + _ROOT5 * r) * decay


def _squared(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return squared distances between rows, (a, b)."""
    return np.maximum((a * a).sum(1)[:, None] + (b * b).sum(1)[None] - 2 * a @ b.T, 0.0)
