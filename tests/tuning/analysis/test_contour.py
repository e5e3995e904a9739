import pytest

from tuning.analysis.contour import ContourInfo, contour_figure, contour_info, not_ready
from tuning.analysis.space import declared_space


@pytest.mark.parametrize(("maximize", "best"), [(True, 15), (False, 0)])
def test_points_and_best(study, maximize, best):
    info = contour_info(study, maximize=maximize, x="learning_rate", y="gamma")
    space = declared_space(study)
    assert isinstance(info, ContourInfo)
    assert (info.x, info.y, info.best_number) == (space["learning_rate"], space["gamma"], best)
    assert [p[0] for p in info.points] == list(range(16))
    assert info.points[0][1:] == (pytest.approx(-5), 0.9, -1000.0, "learning_rate 1e-5, gamma 0.9")


def test_the_surface_spans_the_declared_bounds_and_stays_among_the_values(study):
    info = contour_info(study, maximize=True, x="learning_rate", y="gamma")
    assert (info.grid_x[0], info.grid_x[-1]) == (-5.0, -1.0)
    assert (info.grid_y[0], info.grid_y[-1]) == (0.9, 0.9999)
    assert (len(info.grid), len(info.grid[0])) == (len(info.grid_y), len(info.grid_x))
    shown = [z for row in info.grid for z in row if z is not None]
    assert min(shown) >= -1000.0
    assert max(shown) <= -250.0


def test_it_is_blank_where_no_trial_is_near(trial):
    trials = [trial(i, float(i), params={"gamma": 0.9, "n_steps_pow": 5}) for i in range(5)]
    info = contour_info(trials, maximize=True, x="gamma", y="n_steps_pow")
    assert info.grid[0][0] == 2.0
    assert info.grid[-1][-1] is None


def test_categories_never_mix(trial):
    values = {"tanh": 1.0, "relu": 5.0}
    trials = [
        trial(i, values[a], params={"gamma": 0.95, "activation_fn": a})
        for i, a in enumerate(list(values) * 3)
    ]
    info = contour_info(trials, maximize=True, x="gamma", y="activation_fn")
    assert info.grid_y == (0.0, 1.0)
    assert {z for z in info.grid[0] if z is not None} == {1.0}
    assert {z for z in info.grid[1] if z is not None} == {5.0}
    assert contour_figure(info).data[0].type == "heatmap"


def test_two_categories(trial, foreign):
    name = next(iter(foreign[0].params))
    info = contour_info(foreign, maximize=True, x=name, y="mixed")
    assert (len(info.grid_x), len(info.grid_y)) == (6, 3)
    contour_figure(info)


def test_the_figure_stays_small(trial):
    trials = [
        trial(
            i, float(i), params={"gamma": 0.9 + i / 1600, "learning_rate": 10 ** (-5 + (i * 37 % 150) / 38)}
        )
        for i in range(150)
    ]
    figure = contour_figure(contour_info(trials, maximize=True, x="learning_rate", y="gamma"))
    assert len(figure.to_json()) < 100_000
    assert [trace.type for trace in figure.data] == ["contour", "scatter", "scatter"]


def test_what_is_missing_is_said(trial, study, failed_only):
    assert not_ready(study, x="gamma", y="learning_rate") is None
    assert not_ready(study, x="gamma", y="gamma") == "Pick two different parameters."
    assert "no parameter named 'x'" in not_ready(study, x="gamma", y="x")
    assert "All 3 trials failed" in not_ready(failed_only, x="gamma", y="x")
    assert "needs two parameters" in not_ready([trial(0, 1.0, params={"gamma": 0.95})], x="gamma", y="x")
    assert not_ready(study[:2], x="gamma", y="learning_rate").startswith("2 complete trials have both")
