"""Figures for a report: drawn in the light theme, as JSON that can stand in a page of HTML."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
from optuna.trial import FrozenTrial
from plotly.offline import get_plotlyjs

from storage.trials import imported, own
from tuning.analysis.history import history_figure, history_info
from tuning.analysis.reevaluation_figure import has_outliers, reevaluation_figure
from tuning.analysis.reevaluation_result import ReevaluationInfo
from tuning.analysis.reevaluation_words import winner_word
from tuning.analysis.regression_figure import regression_figure
from tuning.analysis.saturation_figure import saturation_figure
from tuning.analysis.saturation_points import AxisInfo
from tuning.analysis.slices import slices_figure, slices_info
from tuning.analysis.words import whole
from tuning.launch import Run

# What could end the script element or mean something to HTML; JSON has these characters only in its texts.
_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_PANEL_TOP_PX = 12
_MOST_POINTS = 4_000  # of one kind in a figure; 150 bytes each
_MOST_PANEL_POINTS = 500  # likewise, in one of many small figures


@dataclass(frozen=True)
class Plot:
    """One figure of a report."""

    json: str  # for a script element: holds nothing that HTML would read
    height: int  # px
    alt: str  # what it shows, for people who cannot see it
    caption: str  # how to read it
    heading: str = ""  # above it, where its own title is left out

    @property
    def size_bytes(self) -> int:
        """How much the report grows with it."""
        return len(self.json.encode())


def inline_figure(
    figure: go.Figure, *, alt: str, caption: str, heading: str = "", most_points: int = _MOST_POINTS
) -> Plot:
    """Return a figure as a report holds it; its texts may say anything.

    Of more than `most_points` of one kind, evenly spaced ones are drawn, and the caption says so.
    """
    if left_out := thin_out(figure, most_points):
        caption = f"{caption} With so many trials {whole(left_out)} of the points are not drawn.".strip()
    text = str(figure.to_json())
    for character, escaped in _UNSAFE.items():
        text = text.replace(character, escaped)
    return Plot(text, int(figure.layout.height or 420), alt, caption, heading)


def thin_out(figure: go.Figure, most: int) -> int:
    """Leave evenly spaced points of each kind, and of lines the corners; return how many points went."""
    gone = 0
    for trace in figure.data:
        if trace.type not in ("scatter", "scattergl") or trace.x is None:
            continue
        n = len(trace.x)
        is_line = trace.mode == "lines" and trace.line.shape == "hv"
        if n <= most:
            continue
        keep = list(range(0, n, -(-n // most)))
        if is_line:
            y = list(trace.y)
            keep = [i for i in range(n) if i in (0, n - 1) or y[i] != y[i - 1]]
        else:
            gone += n - len(keep)
        trace.update(_taken(trace.to_plotly_json(), n, keep))
    return gone


def _taken(part: Mapping[str, Any], n: int, keep: Sequence[int]) -> dict[str, Any]:
    """Return what a trace says of each of its n points, for those that are kept."""
    found: dict[str, Any] = {}
    for name, value in part.items():
        if isinstance(value, Mapping):
            found[name] = _taken(value, n, keep)
        elif not isinstance(value, str) and hasattr(value, "__len__") and len(value) == n:
            found[name] = [value[i] for i in keep]
    return found


def plotly_script() -> str:
    """Return the script that draws figures, some 5 MB, so that nothing has to be fetched."""
    return str(get_plotlyjs())


def history_plot(run: Run) -> Plot:
    """Draw the study's history, with that of the study it continues behind it."""
    ours, theirs = own(run.study.trials), imported(run.study.trials)
    info = history_info(ours, maximize=run.study.maximize, first_number=len(theirs))
    behind = history_info(theirs, maximize=run.study.maximize) if theirs else None
    return inline_figure(
        history_figure(info, clip_outliers=True, imported=behind),
        alt="Value of each trial, and the best so far",
        caption="Each point is a trial, the line is the best value so far. A search keeps the best of many "
        "noisy numbers, so the line flatters.",
    )


def slice_plots(run: Run, trials: Sequence[FrozenTrial], names: Sequence[str]) -> list[Plot]:
    """Draw one panel for each parameter, so that they flow on screens and paper of any width."""
    plots = []
    for name in names:
        info = slices_info(trials, maximize=run.study.maximize, parameters=[name])
        if not info.panels:
            continue
        figure = slices_figure(info, columns=1, clip_outliers=True)
        top = int(figure.layout.margin.t or 0) - _PANEL_TOP_PX  # of the title, which the heading replaces
        figure.update_layout(title=None, showlegend=False, margin={"t": _PANEL_TOP_PX, "b": 8})
        figure.update_layout(height=max(200, int(figure.layout.height) - top - 40))
        plots.append(
            inline_figure(
                figure, alt=f"Value of each trial over {name}", caption="", most_points=_MOST_PANEL_POINTS
            )
        )
    return plots


def saturation_plots(axes: Mapping[str, AxisInfo], names: Sequence[str]) -> list[Plot]:
    """Draw the axes of these parameters from bound to bound."""
    return [
        inline_figure(
            saturation_figure(axes[name]),
            alt=f"Value of each trial over {name}, from declared bound to declared bound",
            caption="The line is the best value in each part of the range; edge zones are shaded, and a "
            "suggested range is dashed.",
            heading=name,
            most_points=_MOST_PANEL_POINTS,
        )
        for name in names
        if name in axes
    ]


def reevaluation_plots(info: ReevaluationInfo) -> list[Plot]:
    """Draw every run of each candidate, and what the search measured against what was measured again."""
    one = "run" if info.question.mode == "retrain" else "episode"
    plots = [
        inline_figure(
            reevaluation_figure(info, clip_outliers=has_outliers(info)),
            alt="Every run of each candidate, with its mean and interval",
            caption=f"Each dot is one {one}; the larger mark is their mean (from 10 on the mean of their "
            f"middle half) with its 95 % interval. The star is what is {winner_word(info)}, the open "
            "triangle what the search measured, once.",
        )
    ]
    if sum(c.candidate.search_value is not None and c.n_runs > 0 for c in info.candidates) > 1:
        plots.append(
            inline_figure(
                regression_figure(info),
                alt="What the search measured against what was measured again",
                caption="Below the dashed line the search promised more than training again gave.",
            )
        )
    return plots
