"""Statistics of a handful of runs against numbers worked out by hand or elsewhere."""

import numpy as np
import pytest
from scipy import stats

from tuning.analysis.run_statistics import (
    Interval,
    collapse_level,
    iqm,
    iqm_interval,
    is_lopsided,
    mean_interval,
    tenth_percentile,
)

TEN = [3.0, 1.0, 4.0, 1.5, 9.0, 2.6, 5.3, 5.8, 9.7, -50.0]


def test_the_mean_of_one_value_has_no_interval():
    assert mean_interval([]) is None
    assert mean_interval([3.0]) is None


def test_the_interval_of_the_mean_is_students():
    found = mean_interval([1.0, 2.0, 3.0])
    assert (found.low, found.high) == pytest.approx((2 - 4.30265 / 3**0.5, 2 + 4.30265 / 3**0.5), abs=1e-4)
    theirs = stats.ttest_1samp(TEN, 0).confidence_interval(0.95)
    ours = mean_interval(TEN)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))


@pytest.mark.parametrize(
    ("values", "middle"),
    [
        ([7.0], 7.0),
        ([1.0, 2.0, 300.0], 101.0),  # a quarter of three is rounded down to none
        ([1.0, 2.0, 4.0, 300.0], 3.0),
        (TEN, (1.5 + 2.6 + 3.0 + 4.0 + 5.3 + 5.8) / 6),  # two of ten at each end
    ],
)
def test_the_interquartile_mean_leaves_out_whole_quarters(values, middle):
    assert iqm(values) == pytest.approx(middle)


def test_too_few_runs_have_no_interval_of_the_interquartile_mean():
    assert iqm_interval([1.0, 2.0, 3.0, 4.0]) is None
    assert iqm_interval([1.0, 2.0, 3.0, 4.0, 5.0]) is not None


def test_the_interval_of_the_interquartile_mean_is_wider_than_the_plain_bootstrap():
    theirs = stats.bootstrap(
        (np.array(TEN),),
        lambda x, axis: stats.trim_mean(x, 0.25, axis=axis),
        method="percentile",
        n_resamples=5000,
        rng=np.random.default_rng(0),
    ).confidence_interval
    ours, middle = iqm_interval(TEN), iqm(TEN)
    assert ours.high - middle == pytest.approx((theirs.high - middle) * 10 / 9, rel=0.05)
    assert middle - ours.low == pytest.approx((middle - theirs.low) * 10 / 9, rel=0.05)


def test_it_does_not_depend_on_the_order_and_is_the_same_each_time():
    assert iqm_interval(TEN) == iqm_interval(sorted(TEN)) == iqm_interval(TEN[::-1])


def test_it_moves_and_stretches_with_the_values():
    one, other = iqm_interval(TEN), iqm_interval([100 + 3 * x for x in TEN])
    assert (other.low, other.high) == pytest.approx((100 + 3 * one.low, 100 + 3 * one.high))


def test_equal_values_have_an_interval_without_width():
    assert iqm_interval([2.0] * 8) == Interval(2.0, 2.0)
    assert mean_interval([2.0] * 8) == Interval(2.0, 2.0)


def test_many_values_are_served_by_a_formula_that_agrees():
    values = np.random.default_rng(3).normal(size=200)
    drawn, formula = iqm_interval(list(values)), iqm_interval([*values, 0.0])
    assert (formula.low, formula.high) == pytest.approx((drawn.low, drawn.high), abs=0.03)


def test_it_covers_on_ten_normal_runs():
    rows = np.random.default_rng(8).normal(size=(300, 10))
    held = [i.low <= 0 <= i.high for i in map(iqm_interval, rows.tolist())]
    assert 0.92 <= np.mean(held) <= 0.99


def test_an_outlier_makes_values_lopsided_in_any_unit():
    one_bad = [-165.0, -160.0, -158.0, -162.0, -161.0, -159.0, -700.0]
    assert is_lopsided(one_bad)
    assert is_lopsided([-x for x in one_bad])
    assert is_lopsided([1e200 * x for x in one_bad])
    assert is_lopsided([-160.0, -159.0, -161.0, -160.5, -1600.0])
    assert not is_lopsided(one_bad[:6])
    assert not is_lopsided(one_bad[-4:]), "four say nothing about that"
    assert not is_lopsided([-160.0] * 10)
    assert not is_lopsided([])


def test_how_often_values_are_called_lopsided():
    random = np.random.default_rng(4)
    normal = random.normal(size=(500, 10))
    assert np.mean([is_lopsided(row) for row in normal]) < 0.05
    once = normal.copy()
    once[:, 3] -= 8
    assert np.mean([is_lopsided(row) for row in once]) > 0.9
    many = random.gamma(4.0, size=(50, 400))
    assert not any(is_lopsided(row) for row in many), "a t-interval of so many is right"


def test_the_bad_end_depends_on_the_direction():
    values = [float(x) for x in range(11)]
    assert tenth_percentile(values, maximize=True) == 1.0
    assert tenth_percentile(values, maximize=False) == 9.0


def test_half_of_the_way_from_the_worst_to_the_best():
    assert collapse_level(-1600.0, -200.0) == -900.0
    assert collapse_level(1600.0, 200.0) == 900.0
