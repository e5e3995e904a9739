"""The range to try next, for every kind of axis."""

import pytest
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import create_trial

from tuning.analysis.saturation_axis import UnitAxis, unit_axes
from tuning.analysis.saturation_range import more_choices, narrowed_range, widened_range
from tuning.space.limits import Limit


def axis(distribution: BaseDistribution) -> UnitAxis:
    value = distribution.choices[0] if isinstance(distribution, CategoricalDistribution) else distribution.low
    trial = create_trial(params={"x": value}, distributions={"x": distribution}, value=1.0)
    return unit_axes([trial])["x"]


@pytest.mark.parametrize(
    ("distribution", "side", "expected"),
    [
        (FloatDistribution(1e-5, 1e-3, log=True), "high", (1e-5, 1e-2)),
        (FloatDistribution(1e-5, 1e-3, log=True), "low", (1e-6, 1e-3)),
        (FloatDistribution(3e-5, 3e-4, log=True), "high", (3e-5, 1e-3)),
        (FloatDistribution(0.0, 1.0), "high", (0.0, 1.5)),
        (FloatDistribution(0.0, 1.0), "low", (-0.5, 1.0)),
        (FloatDistribution(0.97, 0.9999), "low", (0.955, 0.9999)),
        (FloatDistribution(0.0, 1.0, step=0.25), "high", (0.0, 1.75)),
        (FloatDistribution(0.3, 1.0, step=0.05), "low", (-0.1, 1.0)),
        (IntDistribution(5, 12), "high", (5, 16)),
        (IntDistribution(1, 100, log=True), "high", (1, 1000)),
        (IntDistribution(1, 4, log=True), "high", (1, 10)),
        (CategoricalDistribution([32, 64, 128, 256]), "high", (32, 1024)),
        (CategoricalDistribution([256, 128, 64, 32]), "low", (8, 256)),
        (CategoricalDistribution([5, 10, 20, 40]), "low", (1, 40)),
        (CategoricalDistribution([0.1, 0.2, 0.3, 0.4]), "high", (0.1, 0.6)),
        (CategoricalDistribution([-0.1, -0.01, -0.001]), "high", (-0.1, -0.00001)),
    ],
)
def test_a_range_widens_by_half_its_width_to_a_number_a_person_would_write(distribution, side, expected):
    assert widened_range(axis(distribution), side, None) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("distribution", "side", "limit", "expected"),
    [
        (FloatDistribution(0.5, 0.9), "high", Limit(high=1.0), (0.5, 1.0)),
        (FloatDistribution(0.1, 0.5), "low", Limit(low=0.0), (0.0, 0.5)),
        (IntDistribution(3, 10), "low", Limit(low=1), (1, 10)),
        (IntDistribution(3, 10), "low", Limit(low=1, open_low=True), (2, 10)),
        (CategoricalDistribution([0.8, 0.9, 0.95, 0.99]), "high", Limit(high=1.0), (0.8, 1.0)),
        (CategoricalDistribution([0.1, 0.2, 0.3]), "low", Limit(low=0, open_low=True), (0.01, 0.3)),
        (CategoricalDistribution([1e-5, 1e-4, 1e-3]), "low", Limit(low=0, open_low=True), (1e-7, 1e-3)),
    ],
)
def test_a_range_stops_at_the_natural_limit(distribution, side, limit, expected):
    assert widened_range(axis(distribution), side, limit) == pytest.approx(expected)


@pytest.mark.parametrize("bound", [0.97, 0.9999, 0.999999])
def test_an_open_limit_is_approached_and_never_reached(bound):
    moved = widened_range(axis(FloatDistribution(0.9, bound)), "high", Limit(0, 1, open_high=True))

    assert moved is not None
    assert moved[0] == 0.9
    assert bound < moved[1] < 1


@pytest.mark.parametrize(
    ("distribution", "side", "limit"),
    [
        (IntDistribution(1, 1000, log=True), "low", None),
        (FloatDistribution(0.0, 1.7e308), "high", None),
        (FloatDistribution(5e-324, 1e-310, log=True), "low", None),
        (IntDistribution(1, 2**60, log=True), "high", None),
        (FloatDistribution(0.0, 1.0), "high", Limit(high=1.0)),
        (CategoricalDistribution([1, 2, 3]), "low", Limit(low=1)),
    ],
)
def test_a_bound_that_has_nowhere_to_go_is_not_moved(distribution, side, limit):
    assert widened_range(axis(distribution), side, limit) is None


@pytest.mark.parametrize(
    ("distribution", "expected"),
    [
        (IntDistribution(5, 12), (6, 10)),
        (FloatDistribution(0.0, 2.0, step=0.25), (0.25, 1.5)),
        (CategoricalDistribution([0.9, 0.95, 0.99, 0.995, 0.999]), (0.9, 0.995)),
        (IntDistribution(1, 1000, log=True), (2, 112)),
        (FloatDistribution(0.0, 1.0), (0.15, 0.75)),
    ],
)
def test_narrowing_keeps_to_levels_that_exist_and_to_round_numbers(distribution, expected):
    assert narrowed_range(axis(distribution), 0.175, 0.7125) == pytest.approx(expected)


def test_choices_go_on_by_their_ratio_or_their_difference():
    assert more_choices((8.0, 16.0, 32.0, 64.0), 1) == [128.0, 256.0]
    assert more_choices((8.0, 16.0, 32.0, 64.0), -1) == [4.0, 2.0]
    assert more_choices((1.0, 5.0, 9.0, 13.0), 1) == [17.0, 21.0]
    assert more_choices((0.0, 1.0, 2.0), -1) == [-1.0, -2.0]
    assert more_choices((1.0, 2.0, 4.0, 8.0), -1) == []
