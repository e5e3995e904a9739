from dataclasses import replace

import pytest
from optuna.distributions import FloatDistribution

from tuning.analysis.profile_figure import best_place, profile_figure
from tuning.analysis.saturation import saturation_info
from tuning.analysis.saturation_points import ProfilePoint, axis_info

RATE = {"rate": FloatDistribution(1e-5, 1e-3, log=True)}


@pytest.fixture
def rising(trial):
    """The plot's info of forty trials that are the better the higher the rate."""
    golden = 0.6180339887
    rates = [1e-5 * 100 ** (i * golden % 1) for i in range(40)]
    trials = [trial(i, rate * 1e4, params={"rate": rate}, space=RATE) for i, rate in enumerate(rates)]
    return axis_info(trials, saturation_info(trials, maximize=True).parameters[0], maximize=True)


def test_the_profile_runs_from_bound_to_bound_on_the_axis_of_the_parameter(rising):
    assert (rising.profile[0].position, rising.profile[-1].position) == pytest.approx((-5, -3))
    assert (rising.profile[0].words, rising.profile[-1].words) == ("1e-5", "0.001")
    assert rising.profile[-1].score > rising.profile[0].score
    assert best_place(rising).position > -3.3


def test_it_draws_the_expected_score_inside_its_band_and_both_bounds(rising):
    figure = profile_figure(rising)
    low, high, expected = (list(trace.y) for trace in figure.data)
    assert all(a < b < c for a, b, c in zip(low, expected, high, strict=True))
    assert [s.x0 for s in figure.layout.shapes if s.type == "line"] == pytest.approx([-5, -3])
    assert sum(s.type == "rect" for s in figure.layout.shapes) == 2


@pytest.mark.parametrize(
    ("scores", "title"),
    [
        ((0.0, 1.0, 2.0), "at the upper bound, 3"),
        ((2.0, 1.0, 0.0), "at the lower bound, 1"),
        ((0.0, 2.0, 0.0), "inside, near 2"),
    ],
)
def test_the_title_says_where_the_best_is_expected(rising, scores, title):
    points = tuple(ProfilePoint(float(i), str(i + 1), s, 0.1) for i, s in enumerate(scores))
    figure = profile_figure(replace(rising, profile=points))
    assert title in figure.layout.title.text.replace("<br>", " ")
