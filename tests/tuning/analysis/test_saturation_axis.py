"""Ranges as the unit interval."""

import math

import pytest
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import create_trial

from tuning.analysis.saturation_axis import UnitAxis, unit_axes


def axis(distribution: BaseDistribution) -> UnitAxis:
    value = distribution.choices[0] if isinstance(distribution, CategoricalDistribution) else distribution.low
    trial = create_trial(params={"x": value}, distributions={"x": distribution}, value=1.0)
    return unit_axes([trial])["x"]


@pytest.mark.parametrize(
    ("distribution", "value", "place"),
    [
        (FloatDistribution(0.0, 4.0), 1.0, 0.25),
        (FloatDistribution(1e-4, 1e-2, log=True), 1e-3, 0.5),
        (IntDistribution(1, 4), 1, 0.125),
        (IntDistribution(1, 4), 4, 0.875),
        (FloatDistribution(0.0, 1.0, step=0.25), 0.5, 0.5),
        (CategoricalDistribution([128, 32, 64]), 32, 1 / 6),
        (CategoricalDistribution([128, 32, 64]), 128, 5 / 6),
        (CategoricalDistribution(["a", "b", "c", "d"]), "b", 3 / 8),
    ],
)
def test_a_value_has_its_place(distribution, value, place):
    assert axis(distribution).unit(value) == pytest.approx(place)


def test_a_place_gives_its_value_also_past_the_bounds():
    assert axis(FloatDistribution(1e-4, 1e-2, log=True)).value(1.5) == pytest.approx(1e-1)
    assert axis(FloatDistribution(0.0, 4.0)).value(-0.25) == pytest.approx(-1.0)
    assert axis(IntDistribution(1, 4)).value(0.125) == pytest.approx(1.0)


@pytest.mark.parametrize("value", [None, "text", math.nan, math.inf, True, 5.0, -0.1])
def test_what_is_no_number_of_the_range_has_no_place(value):
    assert axis(FloatDistribution(0.0, 4.0)).unit(value) is None


@pytest.mark.parametrize(
    ("distribution", "has_ends", "zone"),
    [
        (FloatDistribution(0, 1), True, 0.1),
        (IntDistribution(1, 4), True, 0.25),
        (IntDistribution(1, 40), True, 0.1),
        (CategoricalDistribution([1, 2, 4, 8]), True, 0.25),
        (CategoricalDistribution([1, 2]), False, 0.5),
        (CategoricalDistribution([True, False]), False, 0.5),
        (CategoricalDistribution(["a", "b", "c"]), False, 1 / 3),
        (CategoricalDistribution([1, 2, None]), False, 1 / 3),
    ],
)
def test_only_what_is_ordered_has_ends(distribution, has_ends, zone):
    assert axis(distribution).has_ends is has_ends
    assert axis(distribution).zones == pytest.approx((zone, zone))


def test_an_edge_zone_of_whole_numbers_on_a_log_scale_holds_the_last_one_and_no_other():
    low, high = axis(IntDistribution(1, 4, log=True)).zones
    places = [axis(IntDistribution(1, 4, log=True)).unit(x) for x in (1, 2, 3, 4)]

    assert [p <= low + 1e-9 for p in places] == [True, False, False, False]
    assert [p >= 1 - high - 1e-9 for p in places] == [False, False, False, True]


def test_a_parameter_with_one_value_has_no_axis():
    trial = create_trial(params={"x": 1.0}, distributions={"x": FloatDistribution(1, 1)}, value=1.0)

    assert unit_axes([trial]) == {}
