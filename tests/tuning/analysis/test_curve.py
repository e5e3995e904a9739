import pytest

from tuning.analysis.curve import CurveInfo, curve_figure, curve_info, not_ready

EVALUATIONS = [{"mark": 1, "timesteps": 400, "mean": -4.0, "std": 1.0, "n_episodes": 5}]


def test_curve():
    episodes = [(200, -8.0), (100, -10.0), (300, float("nan")), (400, -3.0)]
    assert curve_info(episodes, EVALUATIONS, number=3, window=2) == CurveInfo(
        number=3,
        episodes=((100, -10.0), (200, -8.0), (400, -3.0)),
        running_mean=((100, -10.0), (200, -9.0), (400, -5.5)),
        window=2,
        n_episodes=3,
        evaluations=((400, -4.0, 1.0, 5),),
    )


def test_episodes_that_end_together_share_one_mean():
    info = curve_info([(100, -10.0), (100, -20.0), (200, -6.0), (200, -4.0)], [], window=4)
    assert info.running_mean == ((100, -15.0), (200, -10.0))
    assert len(info.episodes) == 4


def test_many_episodes_are_thinned_but_all_count():
    info = curve_info([(i, float(i)) for i in range(10_000)], [])
    assert len(info.episodes) <= 2000
    assert info.episodes[-1] == (9999, 9999.0)
    assert (info.n_episodes, info.window) == (10_000, 100)
    assert info.running_mean[-1] == (9999, pytest.approx(9949.5))


def test_the_title_says_how_it_ended():
    title = curve_figure(curve_info([(1, 1.0)], EVALUATIONS, number=3)).layout.title.text.replace("<br>", " ")
    assert "Trial 3: -4 ± 1 at 400 steps" in title
    assert "not evaluated" in curve_figure(curve_info([(1, 1.0)], [])).layout.title.text.replace("<br>", " ")


def test_every_point_names_the_trial():
    figure = curve_figure(curve_info([(1, 1.0), (2, 2.0)], EVALUATIONS, number=3), theme="dark")
    assert [set(trace.customdata) for trace in figure.data] == [{3}, {3}, {3}]


def test_nothing_recorded():
    assert "no finished episode" in not_ready([], [])
    assert "no finished episode" in not_ready([(1, float("inf"))], [{"mean": 1.0}])
    assert not_ready([], EVALUATIONS) is None
    assert "nothing recorded" in curve_figure(curve_info([], [])).layout.title.text
