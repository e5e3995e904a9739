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
    spec = chart.to_dict()
    layers = [layer["mark"]["type"] for layer in spec["layer"]]
    assert layers[-3:] == ["circle", "line", "point"]
    assert spec["layer"][-1]["encoding"]["x"]["scale"]["domain"] == [0, 100]
