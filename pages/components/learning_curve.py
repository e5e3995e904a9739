"""The live learning curve of one trial: training episodes as dots, their running mean, evaluations on top.

A Vega-Lite specification as plain data, with the points in named datasets: a tick changes points only.
It is plain data rather than Altair's classes: it is built anew once a second for every running trial.
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from storage.live import Curve
from tuning.analysis.look import palette

MAX_DOTS = 400
MEAN_OF = 20  # training episodes in the running mean
HEIGHT = 220
_THOUSANDS = "abs(datum.value) >= 1000 ? format(datum.value / 1000, '~g') + 'k' : datum.value"
_PLAIN = "abs(datum.value) >= 10 ? format(datum.value, '.0f') : format(datum.value, '~r')"


def episode_frame(episodes: Sequence[tuple[int, float]]) -> pd.DataFrame:
    """Return training episodes as a table of at most about `MAX_DOTS` rows, the newest always among them.

    Columns: timesteps (env steps), value (undiscounted return), mean (of the last `MEAN_OF` episodes).
    """
    frame = pd.DataFrame(list(episodes), columns=["timesteps", "value"])
    frame["mean"] = frame["value"].rolling(MEAN_OF, min_periods=1).mean()
    step = -(-len(frame) // MAX_DOTS) or 1
    return frame.iloc[::-1].iloc[::step].iloc[::-1].reset_index(drop=True)


def learning_curve(curve: Curve, *, total_timesteps: int, best: float | None, theme: str) -> dict[str, Any]:
    """Return the chart; its x axis always spans the whole training, so that it fills from the left.

    Args:
        curve: what the trial has shown so far.
        total_timesteps: env steps that the trial trains for.
        best: the best value of the study, drawn dashed; None while there is none.
        theme: "light" or "dark".
    """
    colours = palette(theme)
    episodes = episode_frame(curve.episodes)
    datasets = {
        "episodes": episodes,
        "means": episodes.drop_duplicates("timesteps", keep="last"),  # parallel envs end together
        "evaluations": pd.DataFrame(list(curve.evaluations), columns=["timesteps", "value", "std"]),
        "best": pd.DataFrame({"value": [] if best is None else [best]}, dtype=float),
    }
    x = {
        "field": "timesteps",
        "type": "quantitative",
        "title": "env steps",
        "scale": {"domain": [0, max(total_timesteps, 1)]},
        "axis": {"tickCount": 5, "labelExpr": _THOUSANDS, "grid": False},
    }
    dots = {"type": "circle", "size": 14, "opacity": 0.4, "color": colours.complete}
    line = {"type": "line", "strokeWidth": 2, "color": colours.complete}
    marks = {"type": "point", "shape": "diamond", "size": 110, "filled": True, "color": colours.best}
    rule = {"type": "rule", "strokeDash": [4, 4], "color": colours.baseline}
    layers = [
        _layer("best", rule, {"y": _y("value")}),
        _layer("episodes", dots, {"x": x, "y": _y("value"), "tooltip": _tooltip("training return")}),
        _layer("means", line, {"x": x, "y": _y("mean")}),
        _layer(
            "evaluations",
            marks | {"opacity": 1},
            {"x": x, "y": _y("value"), "tooltip": _tooltip("evaluation")},
        ),
    ]
    return {
        "layer": layers,
        "datasets": datasets,
        "height": HEIGHT,
        "config": {"view": {"stroke": None}},
    }


def _layer(data: str, mark: dict[str, Any], encoding: dict[str, Any]) -> dict[str, Any]:
    return {"data": {"name": data}, "mark": mark, "encoding": encoding}


def _y(field: str) -> dict[str, Any]:
    return {
        "field": field,
        "type": "quantitative",
        "title": "return",
        "scale": {"zero": False},
        "axis": {"tickCount": 4, "labelExpr": _PLAIN},
    }


def _tooltip(what: str) -> list[dict[str, str]]:
    return [
        {"field": "timesteps", "type": "quantitative", "title": "env steps", "format": ",d"},
        {"field": "value", "type": "quantitative", "title": what, "format": ".4~g"},
    ]
