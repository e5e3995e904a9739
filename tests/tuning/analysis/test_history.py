import pytest

from tuning.analysis.history import HistoryInfo, history_figure, history_info, not_ready


def traces(figure):
    return {trace.name: trace for trace in figure.data}


@pytest.mark.parametrize(
    ("maximize", "best", "number", "so_far"),
    [
        (True, -1.0, 3, ((1, -5.0, 1), (3, -1.0, 3), (4, -1.0, 3), (5, -1.0, 3))),
        (False, -8.0, 5, ((1, -5.0, 1), (3, -5.0, 1), (4, -5.0, 1), (5, -8.0, 5))),
    ],
)
def test_history(trial, maximize, best, number, so_far):
    trials = [
        trial(0, reports={10: 3.0}),
        trial(1, -5.0, attrs={"baseline": "SB3 defaults"}),
        trial(2, attrs={"failure": {"kind": "killed", "message": "Out of memory\nmore"}}),
        trial(3, -1.0),
        trial(4, -1.0),
        trial(5, -8.0),
        trial(6, float("inf")),
    ]
    assert history_info(trials[::-1], maximize=maximize) == HistoryInfo(
        maximize=maximize,
        complete=((3, -1.0), (4, -1.0), (5, -8.0)),
        pruned=((0, 3.0),),
        failed=((2, "killed: Out of memory"), (6, "complete, but its value is not finite")),
        baselines=((1, "SB3 defaults", -5.0),),
        best_so_far=so_far,
        best_number=number,
        best_value=best,
        n_tied=1 if maximize else 0,
        n_ended=6,
        last_number=6,
    )


def test_the_title_says_what_is_seen(study):
    figure = history_figure(history_info(study, maximize=True))
    assert "Best so far: -250 after 18 trials" in figure.layout.title.text
    assert "16 complete · 2 pruned · 1 killed" in figure.layout.title.text
    assert figure.layout.xaxis.title.text == "trial number"


def test_pruned_trials_can_be_hidden(study):
    info = history_info(study, maximize=True)
    assert "pruned" in traces(history_figure(info))
    assert "pruned" not in traces(history_figure(info, show_pruned=False))


@pytest.mark.parametrize(
    ("sign", "side", "symbol"), [(1, "below", "triangle-down"), (-1, "above", "triangle-up")]
)
def test_outliers_become_counted_triangles_on_the_border(trial, sign, side, symbol):
    values = [-1600.0, -1500.0, *(-150.0 - i for i in range(20))]
    info = history_info([trial(i, sign * v) for i, v in enumerate(values)], maximize=sign == 1)
    figure = history_figure(info, clip_outliers=True)
    complete = traces(figure)["complete"]
    assert list(complete.marker.symbol[:3]) == [symbol, symbol, "circle"]
    assert complete.y[0] == complete.y[1] == sign * -169.0
    assert f"2 {side} {'-' if sign == 1 else ''}169" in figure.layout.title.text
    assert "below" not in history_figure(info).layout.title.text


def test_the_log_scale_is_named(study):
    figure = history_figure(history_info(study, maximize=True), log_scale=True)
    assert figure.layout.yaxis.title.text == "gap to best (log)"


def test_failed_trials_stand_on_the_rug_only(failed_only):
    info = history_info(failed_only, maximize=True)
    assert "All 3 trials failed" in not_ready(failed_only)
    figure = history_figure(info)
    assert list(traces(figure)["failed"].customdata) == [0, 1, 2]
    assert "No complete trial yet after 3 trials" in figure.layout.title.text


def test_pruned_trials_are_worth_a_look_but_no_best(pruned_only):
    assert not_ready(pruned_only) is None
    info = history_info(pruned_only, maximize=True)
    assert (info.best_number, info.best_so_far) == (None, ())
    assert info.pruned == ((0, -4.0), (1, -3.0), (2, -2.0))


def test_a_baseline_has_its_line(trial):
    figure = history_figure(history_info([trial(0, -9.0, attrs={"baseline": "<b>"})], maximize=True))
    assert figure.layout.shapes[0].y0 == -9.0
    assert "&lt;b&gt; -9" in traces(figure)
