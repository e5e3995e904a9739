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
from tuning.analysis.saturation_range import more_choices, suggested_range
from tuning.space.limits import Limit

LOW, HIGH = (-0.5, 1.0), (0.0, 1.5)


def axis(distribution: BaseDistribution) -> UnitAxis:
    value = distribution.choices[0] if isinstance(distribution, CategoricalDistribution) else distribution.low
    trial = create_trial(params={"x": value}, distributions={"x": distribution}, value=1.0)
    return unit_axes([trial])["x"]


@pytest.mark.parametrize(
    ("distribution", "places", "expected"),
    [
        (FloatDistribution(1e-5, 1e-3, log=True), HIGH, (1e-5, 1e-2)),
        (FloatDistribution(1e-5, 1e-3, log=True), LOW, (1e-6, 1e-3)),
        (FloatDistribution(3e-5, 3e-4, log=True), HIGH, (3e-5, 1e-3)),
        (FloatDistribution(0.0, 1.0), HIGH, (0.0, 1.5)),
        (FloatDistribution(0.0, 1.0), LOW, (-0.5, 1.0)),
        (FloatDistribution(0.97, 0.9999), LOW, (0.955, 0.9999)),
        (FloatDistribution(0.0, 1.0, step=0.25), HIGH, (0.0, 1.75)),
        (IntDistribution(5, 12), HIGH, (5, 16)),
        (IntDistribution(1, 100, log=True), HIGH, (1, 1500)),
        (CategoricalDistribution([32, 64, 128, 256]), HIGH, (32, 1024)),
        (CategoricalDistribution([256, 128, 64, 32]), LOW, (8, 256)),
        (CategoricalDistribution([0.1, 0.2, 0.3, 0.4]), HIGH, (0.1, 0.6)),
    ],
)
def test_a_range_widens_by_half_its_width_to_a_number_a_person_would_write(distribution, places, expected):
    low, high = suggested_range(axis(distribution), low_u=places[0], high_u=places[1], limit=None)

    assert (low, high) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("distribution", "places", "limit", "expected"),
    [
        (FloatDistribution(0.5, 0.9), HIGH, Limit(high=1.0), (0.5, 1.0)),
        (FloatDistribution(0.1, 0.5), LOW, Limit(low=0.0), (0.0, 0.5)),
        (IntDistribution(3, 10), LOW, Limit(low=1), (1, 10)),
        (IntDistribution(3, 10), LOW, Limit(low=1, open_low=True), (2, 10)),
    ],
)
def test_a_range_stops_at_the_natural_limit(distribution, places, limit, expected):
    assert suggested_range(axis(distribution), low_u=places[0], high_u=places[1], limit=limit) == expected


@pytest.mark.parametrize("bound", [0.97, 0.9999, 0.999999])
def test_an_open_limit_is_approached_and_never_reached(bound):
    low, high = suggested_range(
        axis(FloatDistribution(0.9, bound)), low_u=0.0, high_u=1.5, limit=Limit(0, 1, open_high=True)
    )

    assert low == 0.9
    assert bound < high < 1


def test_a_range_that_is_too_wide_narrows_to_round_numbers_inside():
    low, high = suggested_range(axis(FloatDistribution(0.0, 1.0)), low_u=0.323, high_u=0.618, limit=None)

    assert 0.27 <= low <= 0.323
    assert 0.618 <= high <= 0.67


@pytest.mark.parametrize(
    ("distribution", "expected"),
    [
        (IntDistribution(5, 12), (6, 10)),
        (FloatDistribution(0.0, 2.0, step=0.25), (0.25, 1.5)),
        (CategoricalDistribution([0.9, 0.95, 0.99, 0.995, 0.999]), (0.9, 0.995)),
        (IntDistribution(1, 1000, log=True), (2, 112)),
    ],
)
def test_narrowing_keeps_to_levels_that_exist(distribution, expected):
    assert suggested_range(axis(distribution), low_u=0.175, high_u=0.7125, limit=None) == pytest.approx(
        expected
    )


def test_choices_go_on_by_their_ratio_or_their_difference():
    assert more_choices((8.0, 16.0, 32.0, 64.0), 1) == [128.0, 256.0]
    assert more_choices((8.0, 16.0, 32.0, 64.0), -1) == [4.0, 2.0]
    assert more_choices((1.0, 5.0, 9.0, 13.0), 1) == [17.0, 21.0]
    assert more_choices((0.0, 1.0, 2.0), -1) == [-1.0, -2.0]
