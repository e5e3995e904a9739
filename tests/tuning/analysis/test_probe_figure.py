"""What a probe's figure shows."""

import json

import pytest

from tuning.analysis.paired import paired_difference
from tuning.analysis.probe import Pair, ProbedValue, ProbeInfo, ProbeVerdict
from tuning.analysis.probe_figure import probe_figure


def probed(value, *differences, past=True, n_broken=0):
    pairs = tuple(Pair(10 + n % 2, -300.0, -300.0 + d) for n, d in enumerate(differences))
    found = paired_difference([(p.before, p.after) for p in pairs], maximize=True)
    return ProbedValue(value, past, pairs, n_broken, found)


def info(*values, side="high", verdict=ProbeVerdict.CANNOT_TELL, n_done=27, name="learning_rate"):
    return ProbeInfo(name, side, 3e-4, True, n_done, 27, 0, (10, 11), values, verdict, "A sentence.")


def texts(figure):
    return json.dumps(json.loads(figure.to_json()), ensure_ascii=False)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("verdict", ProbeVerdict)
def test_every_verdict_is_the_title(verdict, theme):
    figure = probe_figure(info(probed(1e-3, 1.0, 2.0), verdict=verdict), theme=theme)
    assert figure.layout.title.text.startswith("<b>")
    assert verdict.split()[0] in figure.layout.title.text.lower()


def test_pairs_are_marks_by_configuration_and_means_have_intervals():
    figure = probe_figure(info(probed(5e-4, 10.0, 20.0), probed(1e-3, 100.0, 120.0, 110.0)))
    first, second, near, far = figure.data
    assert (first.name, second.name) == ("trial 10", "trial 11")
    assert list(first.y) == [10.0, 100.0, 110.0]
    assert first.marker.symbol != second.marker.symbol, "never told apart by colour alone"
    assert (near.x[0], near.y[0], far.x[0], far.y[0]) == (1, 15.0, 2, 110.0)
    assert far.error_y.array[0] > 0
    assert near.marker.color != far.marker.color, "one is better, of the other one cannot tell"


@pytest.mark.parametrize(
    ("side", "values", "words"),
    [
        ("high", (2e-3, 3e-3), ["own value", "0.002", "0.003"]),
        ("low", (2e-3, 1e-3), ["0.001", "0.002", "own value"]),
    ],
)
def test_numbers_rise_to_the_right(side, values, words):
    axis = probe_figure(info(*(probed(v, 1.0, 2.0) for v in values), side=side)).layout.xaxis
    assert [word for _, word in sorted(zip(axis.tickvals, axis.ticktext, strict=True))] == words


def test_the_bound_stands_between_the_values_inside_and_those_beyond():
    figure = probe_figure(info(probed(2e-4, 1.0, 2.0, past=False), probed(1e-3, 1.0, 2.0)))
    (bound,) = [shape for shape in figure.layout.shapes if shape.x0 == shape.x1]
    assert bound.x0 == 1.5


def test_broken_runs_and_missing_runs_are_said():
    figure = probe_figure(info(probed(1e-3, 1.0, n_broken=3), n_done=12))
    assert "3 broke" in texts(figure)
    assert "after 12 of 27 runs" in texts(figure).replace("<br>", " ")


def test_without_pairs_the_figure_says_why():
    assert "No pair of runs is complete yet." in texts(probe_figure(info(probed(1e-3), n_done=0)))


def test_a_hostile_name_stays_text():
    text = texts(probe_figure(info(probed(1e-3, 1.0), name="<script>alert(1)</script>%{x}")))
    assert "<script" not in text
    assert "%{x}" not in text
