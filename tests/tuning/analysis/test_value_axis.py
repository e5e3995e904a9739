import pytest

from tuning.analysis.value_axis import outlier_limit, value_axis

GOOD = [-150.0 - 5 * i for i in range(20)]
EARLY = [-1600.0, -1500.0, -1400.0]


@pytest.mark.parametrize("sign", [1, -1])
def test_early_poor_trials_lie_outside(sign):
    values = [sign * v for v in GOOD + EARLY]
    assert outlier_limit(values, maximize=sign == 1) == sign * -245.0


@pytest.mark.parametrize(
    "values",
    [
        [],
        [1.0] * 20,
        [float(i) for i in range(20)],
        [-1.0, -2.0, -1600.0],
        [500.0] * 15 + [490.0],
    ],
)
@pytest.mark.parametrize("maximize", [True, False])
def test_nothing_is_cut_without_need(values, maximize):
    assert outlier_limit(values, maximize=maximize) is None


def test_values_outside_lie_on_the_border():
    axis = value_axis(GOOD + EARLY, maximize=True, clip_outliers=True)
    assert axis.outside(-1600.0)
    assert not axis.outside(-245.0)
    assert axis.position(-1600.0) == axis.position(-245.0) == -245.0
    assert axis.low < axis.rug < -245.0 < -150.0 < axis.high


@pytest.mark.parametrize("maximize", [True, False])
def test_the_log_axis_keeps_better_where_it_is(maximize):
    axis = value_axis([-100.0, -1.0, 0.0], maximize=maximize, log_scale=True)
    plain = value_axis([-100.0, -1.0, 0.0], maximize=maximize)
    for one, other in ((-100.0, -1.0), (-1.0, 0.0)):
        assert axis.position(one) < axis.position(other)
        assert plain.position(one) < plain.position(other)
    assert axis.title == "gap to best (log)"
    assert "best" in [words for _, words in axis.ticks]
    assert axis.low < axis.rug < min(axis.position(v) for v in (-100.0, 0.0))


def test_equal_values_have_no_gap_to_draw():
    axis = value_axis([2.0, 2.0], maximize=True, log_scale=True)
    assert (axis.best, axis.position(2.0)) == (None, 2.0)
    assert axis.low < 2.0 < axis.high


def test_no_values_leave_room_for_the_rug():
    axis = value_axis([], maximize=True)
    assert axis.low < axis.rug < axis.high


@pytest.mark.parametrize("value", [0.0, 1e-300, 1e300, -5.0])
def test_a_single_value_has_a_range(value):
    axis = value_axis([value], maximize=True)
    assert axis.low < value < axis.high
