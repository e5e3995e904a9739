"""What holds for every view, on studies nobody would wish for."""

import datetime
import json

import pytest

from tuning.analysis import contour, history, importance, intermediate, parallel, slices, timeline

NOW = datetime.datetime(2025, 3, 1, 11, 0, 0)
STUDIES = ("empty", "failed_only", "pruned_only", "non_finite", "foreign", "study")


def pair(trials):
    names = list(dict.fromkeys(name for t in trials for name in t.params))
    return [*names, "a", "b"][:2]


def figure_contour(trials, maximize, theme):
    x, y = pair(trials)
    if len({name for t in trials for name in t.params}) < 2:
        pytest.skip("no pair to show")
    return contour.contour_figure(contour.contour_info(trials, maximize=maximize, x=x, y=y), theme=theme)


VIEWS = {
    "contour": (lambda ts: contour.not_ready(ts, x=pair(ts)[0], y=pair(ts)[1]), figure_contour),
    "history": (
        history.not_ready,
        lambda ts, up, theme: history.history_figure(history.history_info(ts, maximize=up), theme=theme),
    ),
    "history, clipped": (
        history.not_ready,
        lambda ts, up, theme: history.history_figure(
            history.history_info(ts, maximize=up), theme=theme, clip_outliers=True, show_pruned=False
        ),
    ),
    "history, log": (
        history.not_ready,
        lambda ts, up, theme: history.history_figure(
            history.history_info(ts, maximize=up), theme=theme, log_scale=True
        ),
    ),
    "importance": (
        importance.not_ready,
        lambda ts, up, theme: importance.importance_figure(
            importance.importance_info(ts, maximize=up), theme=theme
        ),
    ),
    "intermediate": (
        intermediate.not_ready,
        lambda ts, up, theme: intermediate.intermediate_figure(
            intermediate.intermediate_info(ts, maximize=up), theme=theme
        ),
    ),
    "parallel": (
        parallel.not_ready,
        lambda ts, up, theme: parallel.parallel_figure(parallel.parallel_info(ts, maximize=up), theme=theme),
    ),
    "parallel, narrow": (
        parallel.not_ready,
        lambda ts, up, theme: parallel.parallel_figure(
            parallel.parallel_info(ts, maximize=up), theme=theme, narrow=True
        ),
    ),
    "slices": (
        slices.not_ready,
        lambda ts, up, theme: slices.slices_figure(slices.slices_info(ts, maximize=up), theme=theme),
    ),
    "timeline": (
        timeline.not_ready,
        lambda ts, up, theme: timeline.timeline_figure(
            timeline.timeline_info(ts, maximize=up, now=NOW), theme=theme
        ),
    ),
}


@pytest.fixture
def trials(request):
    return [] if request.param == "empty" else request.getfixturevalue(request.param)


@pytest.mark.parametrize("trials", STUDIES, indirect=True)
@pytest.mark.parametrize("maximize", [True, False])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_it_draws_whatever_a_study_holds(view, theme, maximize, trials):
    not_ready, draw = VIEWS[view]
    sentence = not_ready(trials)
    assert sentence is None or sentence.endswith(".")
    figure = draw(trials, maximize, theme)
    text = json.dumps(json.loads(figure.to_json()), ensure_ascii=False)  # Plotly's own JSON hides every "<"
    for hostile in ("<script", "<img", "%{x}", "NaN", "Infinity", "nan"):
        assert hostile not in text
    assert figure.layout.title.text.startswith("<b>")
    assert len(figure.layout.title.text) > 12
    numbers = {t.number for t in trials}
    for trace in figure.data:
        if trace.customdata is not None:
            assert {n for n in trace.customdata if n is not None} <= numbers


@pytest.mark.parametrize("view", VIEWS)
def test_an_empty_study_is_a_sentence(view):
    assert VIEWS[view][0]([]).startswith("This study has no trials yet.")
