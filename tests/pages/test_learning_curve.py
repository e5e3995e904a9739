import pytest

from pages.components.learning_curve import MAX_DOTS, MEAN_OF, episode_frame, learning_curve
from storage.live import Curve


def test_the_mean_covers_the_last_episodes():
    frame = episode_frame([(k, float(k)) for k in range(1, 41)])
    assert frame["mean"].iloc[-1] == sum(range(21, 41)) / MEAN_OF
    assert frame["mean"].iloc[0] == 1.0


def test_many_episodes_are_thinned_and_the_newest_stays():
    frame = episode_frame([(k, 0.0) for k in range(12_345)])
    assert len(frame) <= MAX_DOTS
    assert frame["timesteps"].iloc[-1] == 12_344


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "curve",
    [
        Curve((), ()),
        Curve(((20, -1.0),), ()),
        Curve((), ((20, -1.0, 0.5),)),
        Curve(((20, 1.0),), ((20, 1.0, 0.0),)),
    ],
)
def test_every_stage_of_a_trial_can_be_drawn(curve, theme):
    chart = learning_curve(curve, total_timesteps=100, best=None if theme == "dark" else 3.0, theme=theme)
    assert [layer["mark"]["type"] for layer in chart["layer"]] == ["rule", "circle", "line", "point"]
    assert chart["layer"][-1]["encoding"]["x"]["scale"]["domain"] == [0, 100]
    assert len(chart["datasets"]["evaluations"]) == len(curve.evaluations)
    assert len(chart["datasets"]["best"]) == (theme == "light")


def test_a_tick_changes_points_only():
    first = learning_curve(Curve(((20, -1.0),), ()), total_timesteps=100, best=None, theme="light")
    second = learning_curve(Curve(((20, -1.0), (40, 2.0)), ()), total_timesteps=100, best=1.0, theme="light")
    assert len(second.pop("datasets")["episodes"]) == 1 + len(first.pop("datasets")["episodes"])
    assert first == second
