"""The Gaussian process: what it predicts, how sure it is, and its gradient."""

import numpy as np
import pytest
from scipy.optimize import check_grad

from tuning.analysis import surrogate
from tuning.analysis.surrogate import fit_surrogate


def bowl(x: np.ndarray) -> np.ndarray:
    return -4 * (x[:, 0] - 0.3) ** 2 + np.sin(5 * x[:, 1])


def standard(y: np.ndarray) -> np.ndarray:
    return (y - y.mean()) / y.std()


def test_it_predicts_what_it_has_not_seen():
    random = np.random.default_rng(0)
    x, new = random.random((80, 3)), random.random((200, 3))

    fitted = fit_surrogate(x, range(3), standard(bowl(x)))

    assert np.corrcoef(fitted.mean(new), bowl(new))[0, 1] > 0.98


def test_its_draws_are_as_wide_as_its_errors():
    random = np.random.default_rng(1)
    x, new = random.random((60, 2)), random.random((300, 2))
    y = bowl(x) + 0.3 * random.normal(size=60)
    truth = (bowl(new) - y.mean()) / y.std()

    mean, covariance = fit_surrogate(x, range(2), standard(y)).joint(new)

    off = (truth - mean) / np.sqrt(np.diag(covariance))
    assert 0.6 < np.sqrt(np.mean(off**2)) < 1.6


def test_a_parameter_without_influence_gets_a_long_length():
    random = np.random.default_rng(2)
    x = random.random((100, 2))

    fitted = fit_surrogate(x, range(2), standard(np.sin(8 * x[:, 0])))

    assert fitted.lengths[1] > 3 * fitted.lengths[0]


def test_trends_reach_past_the_trials():
    random = np.random.default_rng(3)
    x = random.random((60, 1))

    fitted = fit_surrogate(x, [0], standard(3 * x[:, 0] + 0.05 * random.normal(size=60)))

    inside, beyond = fitted.mean(np.array([[1.0], [1.3]]))
    assert beyond > inside


@pytest.mark.parametrize("seed", [0, 1])
def test_the_gradient_of_the_fit_is_the_difference_quotient(monkeypatch, seed):
    """What `minimize` receives is compared with finite differences, away from the starting point."""
    random = np.random.default_rng(seed)
    x = random.random((25, 4))
    errors = []
    minimize = surrogate.minimize

    def checked(cost, start, **options):
        at = start + random.normal(0, 0.3, len(start))
        errors.append(check_grad(lambda p: cost(p)[0], lambda p: cost(p)[1], at))
        return minimize(cost, start, **options)

    monkeypatch.setattr(surrogate, "minimize", checked)
    fit_surrogate(x, [0, 1, 1, 2], standard(random.normal(size=25)))

    assert errors[0] < 1e-4


def test_many_trials_are_thinned_without_a_look_at_their_scores():
    random = np.random.default_rng(4)
    x = random.random((surrogate.MOST_ROWS + 300, 2))

    fitted = fit_surrogate(x, range(2), standard(bowl(x)))

    assert len(fitted.x) == surrogate.MOST_ROWS
    assert fitted.x.mean(axis=0) == pytest.approx(x.mean(axis=0), abs=0.03)
