"""Which study was sooner? The best value so far of several studies, by trials, env steps or hours."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import plotly.graph_objects as go
from optuna.trial import FrozenTrial

from storage.trials import TIMESTEPS, own
from tuning.analysis.look import base_layout, empty_figure
from tuning.analysis.outcomes import evaluations_of, number, value_of
from tuning.analysis.series import series_look
from tuning.analysis.value_axis import value_axis
from tuning.analysis.words import safe, three_digits, whole

Scale = Literal["trials", "steps", "hours"]
SCALES: tuple[Scale, ...] = ("trials", "steps", "hours")

_TITLES = {
    "trials": "trials ended",
    "steps": "env steps of all ended trials",
    "hours": "hours with a trial running",
}
_FEW = 10  # trials; below, every number is a tick


@dataclass(frozen=True)
class ComparedTrials:
    """The trials of one study that takes part, under the name that people see."""

    name: str
    trials: tuple[FrozenTrial, ...]
    maximize: bool


@dataclass(frozen=True)
class BestSoFar:
    """One study's best value so far."""

    place: int  # in the list that was compared, which gives it its look
    name: str
    steps: tuple[tuple[float, float, int], ...]  # (where, best value from there on, number of that trial)
    end: float  # how far the study has come


@dataclass(frozen=True)
class HistoriesInfo:
    """The studies that can share a plot."""

    scale: Scale
    maximize: bool
    studies: tuple[BestSoFar, ...]
    left_out: tuple[tuple[str, str], ...]  # (name, why it has no line)


def histories_info(studies: Sequence[ComparedTrials], *, scale: Scale) -> HistoriesInfo:
    """Return the best value so far of each study over its own trials, in the order in which they ended.

    Imported trials are another study's work and do not count. Steps are those that each trial's training
    took, pruned and failed ones included where they say so. Hours are the union of the times at which a trial
    ran: a pause does not count, and neither does a second worker. A study is left out whose direction is not
    the first one's, that has no complete trial, or whose trials do not say what the scale asks for.
    """
    maximize = studies[0].maximize if studies else True
    shown, left_out = [], []
    for place, study in enumerate(studies):
        ended = _by_end([t for t in own(study.trials) if t.state.is_finished()])
        if study.maximize != maximize:
            left_out.append((study.name, "it is optimised in the other direction"))
        elif not any(value_of(t) is not None for t in ended):
            left_out.append((study.name, "it has no complete trial yet"))
        elif (where := _places(ended, scale)) is None:
            left_out.append((study.name, f"its trials do not say how many {scale} they took"))
        else:
            shown.append(_best_so_far(place, study, ended, where))
    return HistoriesInfo(scale, maximize, tuple(shown), tuple(left_out))


def histories_figure(
    info: HistoriesInfo, *, theme: str = "light", clip_outliers: bool = False, log_scale: bool = False
) -> go.Figure:
    """Draw one line a study; it ends, with a mark, where the study has come to."""
    if not info.studies:
        why = "; ".join(f"{name}: {reason}" for name, reason in info.left_out) or "No study to compare."
        return empty_figure(theme=theme, title="Best so far", why=why)
    values = [value for study in info.studies for _, value, _ in study.steps]
    axis = value_axis(values, maximize=info.maximize, log_scale=log_scale, clip_outliers=clip_outliers)
    figure = go.Figure()
    for study in info.studies:
        look = series_look(study.place, theme=theme)
        _, best, holder = study.steps[-1]
        points = [*study.steps, (study.end, best, holder)]
        points = [point for point in points if not axis.outside(point[1])]
        name = safe(study.name)
        figure.add_scatter(
            x=[x for x, _, _ in points],
            y=[axis.position(v) for _, v, _ in points],
            hovertext=[_hover(name, x, v, trial, info.scale) for x, v, trial in points],
            hoverinfo="text",
            mode="lines+markers",
            line={"shape": "hv", "width": 2.5, "color": look.colour, "dash": look.dash},
            marker={
                "symbol": look.symbol,
                "color": look.colour,
                "size": [0] * (len(points) - 1) + [10],  # only where the study has come to
            },
            name=name,
            legendgroup=str(study.place),
        )
    base_layout(figure, theme=theme, title=_title(info), subtitle=_subtitle(info))
    figure.update_xaxes(title_text=_TITLES[info.scale], rangemode="tozero", showgrid=False)
    if info.scale == "trials" and max(study.end for study in info.studies) < _FEW:
        figure.update_xaxes(dtick=1)
    figure.update_yaxes(**axis.layout())
    return figure


def _by_end(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """Return the trials in the order in which they ended; where one does not say when, by number."""
    if any(t.datetime_complete is None for t in trials):
        return sorted(trials, key=lambda t: t.number)
    return sorted(trials, key=lambda t: (t.datetime_complete, t.number))


def _places(ended: Sequence[FrozenTrial], scale: Scale) -> list[float] | None:
    """Return where each trial's end lies on the scale, or None when that is not known."""
    if scale == "trials":
        return [float(n) for n in range(1, len(ended) + 1)]
    if scale == "hours":
        return _hours(ended)
    total, places = 0.0, []
    for trial in ended:
        taken = _env_steps(trial)
        if taken is None and value_of(trial) is not None:
            return None
        total += taken or 0.0
        places.append(total)
    return places


def _env_steps(trial: FrozenTrial) -> float | None:
    """Return how many env steps the trial trained, as far as it recorded that."""
    recorded = number(trial.user_attrs.get(TIMESTEPS))
    if recorded is not None:
        return recorded
    evaluations = evaluations_of(trial)
    return float(evaluations[-1].timesteps) if evaluations else None


def _hours(ended: Sequence[FrozenTrial]) -> list[float] | None:
    """Return how long trials had been running when each one ended; time without any is not counted."""
    spans: list[tuple[datetime.datetime, datetime.datetime]] = []
    for trial in ended:
        if trial.datetime_start is None or trial.datetime_complete is None:
            return None
        start = min(trial.datetime_start, trial.datetime_complete)  # clocks are set back
        spans.append((start, trial.datetime_complete))
    busy: list[tuple[datetime.datetime, datetime.datetime]] = []
    for start, end in sorted(spans):
        if busy and start <= busy[-1][1]:
            busy[-1] = (busy[-1][0], max(busy[-1][1], end))
        else:
            busy.append((start, end))
    # The trials come in the order of their ends, so one walk over the busy times is enough.
    places, at, before_s = [], 0, 0.0
    for _, end in spans:
        while end > busy[at][1]:
            before_s += (busy[at][1] - busy[at][0]).total_seconds()
            at += 1
        places.append((before_s + (end - busy[at][0]).total_seconds()) / 3600)
    return places


def _best_so_far(
    place: int, study: ComparedTrials, ended: Sequence[FrozenTrial], where: Sequence[float]
) -> BestSoFar:
    steps: list[tuple[float, float, int]] = []
    for trial, x in zip(ended, where, strict=True):
        value = value_of(trial)
        if value is None:
            continue
        if not steps or (value > steps[-1][1] if study.maximize else value < steps[-1][1]):
            steps.append((x, value, trial.number))
    return BestSoFar(place, study.name, tuple(steps), where[-1])


def _hover(name: str, x: float, value: float, trial: int, scale: Scale) -> str:
    unit = {"trials": "trials", "steps": "env steps", "hours": "h"}[scale]
    at = three_digits(x) if scale == "hours" else whole(x)
    return f"{name}<br>best so far {three_digits(value)}<br>trial {trial}, after {at} {unit}"


def _title(info: HistoriesInfo) -> str:
    pick = max if info.maximize else min
    ends = [study.steps[-1][1] for study in info.studies]
    best = pick(ends)
    leaders = [s.name for s, end in zip(info.studies, ends, strict=True) if end == best]
    if len(leaders) > 1:
        return f"Best so far: {three_digits(best)}, in {len(leaders)} studies"
    return f"Best so far: {three_digits(best)}, {safe(leaders[0])}"


def _subtitle(info: HistoriesInfo) -> str:
    return " · ".join(f"no line for {safe(name)}: {why}" for name, why in info.left_out)
