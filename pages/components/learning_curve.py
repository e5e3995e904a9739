"""The live learning curve of one trial: training episodes as dots, their running mean, evaluations on top."""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from storage.live import Curve
from tuning.analysis.look import palette

MAX_DOTS = 400
MEAN_OF = 20  # training episodes in the running mean
HEIGHT = 220
_PLAIN = "abs(datum.value) >= 10 ? format(datum.value, '.0f') : format(datum.value, '~r')"
_THOUSANDS = "abs(datum.value) >= 1000 ? format(datum.value / 1000, '~g') + 'k' : datum.value"


def episode_frame(episodes: Sequence[tuple[int, float]]) -> pd.DataFrame:
    """Return training episodes as a table of at most about `MAX_DOTS` rows, the newest always among them.

    Columns: timesteps (env steps), value (undiscounted return), mean (of the last `MEAN_OF` episodes).
    """
    frame = pd.DataFrame(list(episodes), columns=["timesteps", "value"])
    frame["mean"] = frame["value"].rolling(MEAN_OF, min_periods=1).mean()
    step = -(-len(frame) // MAX_DOTS) or 1
    return frame.iloc[::-1].iloc[::step].iloc[::-1].reset_index(drop=True)


def learning_curve(
    curve: Curve, *, total_timesteps: int, best: float | None, theme: str
) -> alt.LayerChart | alt.Chart:
    """Return the chart; its x axis always spans the whole training, so that it fills from the left.

    Args:
        curve: what the trial has shown so far.
        total_timesteps: env steps that the trial trains for.
        best: the best value of the study, drawn dashed; None while there is none.
        theme: "light" or "dark".
    """
    colours = palette(theme)
    x = alt.X("timesteps:Q", title="env steps", axis=alt.Axis(tickCount=5, labelExpr=_THOUSANDS, grid=False))
    x = x.scale(domain=[0, max(total_timesteps, 1)])
    y, y_mean = (
        alt.Y(f"{name}:Q", title="return", axis=alt.Axis(tickCount=4, labelExpr=_PLAIN)).scale(zero=False)
        for name in ("value", "mean")
    )
    episodes = episode_frame(curve.episodes)
    tip = [alt.Tooltip("timesteps:Q", title="env steps", format=",")]
    dots = (
        alt.Chart(episodes)
        .mark_circle(size=14, opacity=0.4, color=colours.complete)
        .encode(x=x, y=y, tooltip=[*tip, alt.Tooltip("value:Q", title="training return", format=".4~g")])
    )
    ends = alt.Chart(episodes.drop_duplicates("timesteps", keep="last"))  # parallel envs end together
    line = ends.mark_line(strokeWidth=2, color=colours.complete).encode(x=x, y=y_mean)
    evaluations = pd.DataFrame(list(curve.evaluations), columns=["timesteps", "value", "std"])
    marks = (
        alt.Chart(evaluations)
        .mark_point(size=110, shape="diamond", filled=True, opacity=1, color=colours.best)
        .encode(x=x, y=y, tooltip=[*tip, alt.Tooltip("value:Q", title="evaluation", format=".4~g"), "std:Q"])
    )
    layers = [dots, line, marks]
    if best is not None:
        rule = alt.Chart(pd.DataFrame({"value": [best]}))
        layers.insert(0, rule.mark_rule(strokeDash=[4, 4], color=colours.baseline).encode(y=y))
    return alt.layer(*layers).properties(height=HEIGHT).configure_view(stroke=None)
