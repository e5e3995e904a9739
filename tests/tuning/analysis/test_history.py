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


@pytest.fixture
def continued(trial):
    """The imported and the own trials of a study that continues another one."""
    theirs = [trial(i, -500.0 + 10 * i, attrs={"imported_from": "old-1a2b"}) for i in range(20)]
    theirs[2] = trial(2, -480.0, attrs={"imported_from": "old-1a2b", "baseline": "SB3 defaults"})
    theirs[5] = trial(5, reports={10: -900.0}, attrs={"imported_from": "old-1a2b"})
    again = {"rerun_of": {"study": "<b>old</b>", "trial": 17}}
    own = [trial(20, -330.0, attrs=again), *(trial(21 + i, -400.0 + 30 * i) for i in range(5))]
    return history_info(theirs, maximize=True), history_info(own, maximize=True, first_number=20)


def test_own_trials_are_numbered_and_drawn_alone_by_default(continued):
    _, own = continued
    assert (own.first_number, own.reruns) == (20, ((20, "<b>old</b>", 17),))
    figure = history_figure(own)
    assert "imported" not in traces(figure)
    assert list(traces(figure)["complete"].x) == [21, 22, 23, 24, 25]
    assert figure.layout.xaxis.range[0] == 19.5
    assert "Best so far: -280 after 6 trials" in figure.layout.title.text
    assert "imported" not in figure.layout.title.text


def test_imported_trials_are_drawn_behind_from_the_start_of_their_study(continued):
    imported, own = continued
    figure = history_figure(own, imported=imported)
    drawn = traces(figure)
    assert list(drawn["imported"].x) == [n for n in range(20) if n != 5]
    assert list(drawn["imported"].customdata) == list(drawn["imported"].x)
    assert list(drawn["complete"].x) == [1, 2, 3, 4, 5]
    assert list(drawn["complete"].customdata) == [21, 22, 23, 24, 25]
    assert drawn["imported, best so far"].line.dash == "dash"
    assert (drawn["imported, best so far"].x[-1], drawn["imported, best so far"].y[-1]) == (19, -310.0)
    assert drawn["best"].x[0] == 5
    assert figure.data[0].name == "imported"  # behind
    assert figure.layout.xaxis.title.text == "trial, counted from the start of its study"
    title = figure.layout.title.text.replace("<br>", " ")
    assert "Best so far: -280 after 6 trials; imported: -310 after 20" in title
    low, high = figure.layout.yaxis.range
    assert low < -500 < -280 < high


def test_the_line_to_beat_goes_on_as_far_as_the_study_does(continued, trial):
    imported, _ = continued
    own = history_info([trial(20 + i, -400.0) for i in range(40)], maximize=True, first_number=20)
    line = traces(history_figure(own, imported=imported))["imported, best so far"]
    assert (line.x[-1], line.y[-1]) == (39, -310.0)


def test_a_configuration_that_runs_again_is_marked_and_its_origin_escaped(continued):
    _, own = continued
    again = traces(history_figure(own))["best of the parent, again"]
    assert (list(again.x), list(again.customdata), again.marker.symbol) == ([20], [20], ("diamond",))
    assert "runs trial 17 of &lt;b&gt;old&lt;/b&gt; again" in again.hovertext[0]


def test_imported_trials_without_own_results(continued, trial):
    imported, _ = continued
    none = history_info([], maximize=True, first_number=20)
    title = history_figure(none, imported=imported).layout.title.text.replace("<br>", " ")
    assert "No complete trial yet after 0 trials; imported: -310 after 20" in title
    failed = history_info([trial(0, attrs={"imported_from": "x"})], maximize=True)
    assert "imported, best so far" not in traces(history_figure(none, imported=failed))


@pytest.mark.parametrize("maximize", [True, False])
def test_a_level_that_no_trial_reached_is_drawn_across_and_named(trial, maximize):
    sign = 1 if maximize else -1
    values = [*[sign * -20.0 - n % 3 for n in range(12)], sign * -900.0]
    trials = [trial(n, value) for n, value in enumerate(values)]
    levels = [("SB3 defaults, 4x <b>", sign * -10.0), ("far off", sign * -800.0)]
    info = history_info(trials, maximize=maximize, levels=levels)
    assert (info.best_value, info.n_ended) == (max(values) if maximize else min(values), 13), "it is no trial"
    near, far = history_figure(info, clip_outliers=True).data[-2:]
    assert near.name == f"SB3 defaults, 4x &lt;b&gt;: {sign * -10}"
    assert set(near.y) == {sign * -10.0}
    assert far.name == f"far off: {sign * -800}, out of view"
    assert far.visible == "legendonly"
    in_full = history_figure(info).data[-1]
    assert (in_full.visible, set(in_full.y)) == (True, {sign * -800.0})
