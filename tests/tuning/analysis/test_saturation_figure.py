import json
from dataclasses import replace

import pytest
from optuna.distributions import FloatDistribution

from tuning.analysis.look import palette
from tuning.analysis.saturation import saturation_info
from tuning.analysis.saturation_figure import saturation_figure
from tuning.analysis.saturation_points import axis_info, axis_infos
from tuning.analysis.verdicts import Verdict
from tuning.space.limits import Limit

RATE = {"rate": FloatDistribution(1e-5, 1e-3, log=True)}


@pytest.fixture
def rate(trial):
    """Forty trials, better towards the upper bound; two failed."""
    error = {"failure": {"kind": "error", "message": "boom"}}
    done = [trial(i, float(i), params={"rate": 10 ** (-5 + i / 20)}, space=RATE) for i in range(40)]
    return [*done, *(trial(i, params={"rate": 1e-4}, space=RATE, attrs=error) for i in (40, 41))]


def drawn(trials, **changed):
    parameter = replace(saturation_info(trials, maximize=True).parameters[0], **changed)
    return saturation_figure(axis_info(trials, parameter, maximize=True))


def test_every_mark_is_there_and_the_best_stand_out(rate):
    traces = {trace.name: trace for trace in drawn(rate).data}
    assert list(traces) == ["best of each tenth", "failed or diverged", "complete", "best 6"]
    assert list(traces["best 6"].customdata) == [39, 38, 37, 36, 35, 34]
    sizes = traces["best 6"].marker.size
    assert sizes[0] > sizes[1]
    low, _ = drawn(rate).layout.yaxis.range
    assert all(low <= y < min(traces["complete"].y) for y in traces["failed or diverged"].y)


def test_both_bounds_both_edge_zones_and_the_suggested_range_are_drawn(rate):
    figure = drawn(rate, verdict=Verdict.EDGE, side="high", confidence="confident", suggested=(1e-5, 1e-2))
    colours = palette("light")
    lines = [s for s in figure.layout.shapes if s.type == "line"]
    assert [s.x0 for s in lines if s.line.color == colours.bound] == pytest.approx([-5, -3])
    assert sum(s.fillcolor == colours.edge for s in figure.layout.shapes) == 2
    (ghost,) = [s for s in figure.layout.shapes if s.line.dash == "dash"]
    assert (ghost.x0, ghost.x1) == pytest.approx((-3, -2))
    assert "try here too" in [a.text for a in figure.layout.annotations]
    assert figure.layout.xaxis.ticktext[0] == "<b>1e-5</b>"
    assert "0.01" in figure.layout.xaxis.ticktext[-1]


def test_the_natural_limit_is_named(rate):
    limit = Limit(high=1.5e-3, about="rate must be below 0.0015")
    figure = drawn(rate, verdict=Verdict.FINE, side=None, suggested=None, limit=limit)
    assert [a.text for a in figure.layout.annotations] == ["natural limit 0.0015"]


@pytest.mark.parametrize(
    ("changed", "title"),
    [
        ({"verdict": Verdict.WATCH, "side": "high"}, "of the best 6 in the top tenth"),
        ({"verdict": Verdict.STABILITY, "side": "low"}, "in the lower quarter"),
        ({"verdict": Verdict.HERDED, "side": "low"}, "of the trials in the lower half"),
        ({"verdict": Verdict.FINE, "side": None}, "The best 6 trials: "),
    ],
)
def test_the_title_says_what_is_seen(rate, changed, title):
    assert title in drawn(rate, **changed).layout.title.text.replace("<br>", " ")


def test_a_number_far_below_the_rest_is_marked_on_the_border_and_counted(trial, rate):
    worse = trial(50, -5000.0, params={"rate": 2e-5}, space=RATE)
    figure = drawn([*rate, worse])
    assert "1 below" in figure.layout.title.text
    complete = next(trace for trace in figure.data if trace.name == "complete")
    assert list(complete.marker.symbol).count("triangle-down") == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["foreign", "study", "non_finite", "failed_only", "pruned_only"])
@pytest.mark.parametrize("verdict", [Verdict.FINE, Verdict.EDGE, Verdict.STABILITY, Verdict.HERDED])
def test_it_draws_whatever_a_study_holds(request, kind, theme, verdict):
    trials = request.getfixturevalue(kind)
    info = saturation_info(trials, maximize=True)
    for axis in axis_infos(trials, info).values():
        side = "low" if verdict != Verdict.FINE else None
        suggested = None if axis.parameter.low is None else (axis.parameter.low, axis.parameter.high)
        axis = replace(
            axis, parameter=replace(axis.parameter, verdict=verdict, side=side, suggested=suggested)
        )
        text = json.dumps(json.loads(saturation_figure(axis, theme=theme).to_json()), ensure_ascii=False)
        for hostile in ("<script", "<img", "%{x}", ": nan", "inf<", ">nan"):
            assert hostile not in text
