"""How good are a study's trials as a whole? The share of complete trials up to each value (an EDF)."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
from optuna.trial import FrozenTrial, TrialState

from storage.trials import own
from tuning.analysis.histories import ComparedTrials
from tuning.analysis.look import base_layout, empty_figure, palette
from tuning.analysis.outcomes import baseline_name, nothing_complete, value_of
from tuning.analysis.series import series_look
from tuning.analysis.value_axis import value_axis
from tuning.analysis.words import count, safe, three_digits

_TITLE = "Distribution of the values"


@dataclass(frozen=True)
class Distribution:
    """The values of one study's complete trials."""

    place: int  # in the list that was compared, which gives it its look
    name: str
    values: tuple[float, ...]  # ascending
    n_pruned: int

    @property
    def median(self) -> float:
        """The lower of the two middle values where their number is even: one that a trial had."""
        return self.values[(len(self.values) - 1) // 2]


@dataclass(frozen=True)
class EdfInfo:
    """The distributions that can share a plot."""

    maximize: bool
    studies: tuple[Distribution, ...]
    baselines: tuple[tuple[str, float], ...]  # of a single study: what the configuration is, its value
    left_out: tuple[tuple[str, str], ...] = ()  # (name, why it has no line)


def not_ready(trials: Sequence[FrozenTrial]) -> str | None:
    """Return why there is no distribution yet, or None."""
    return nothing_complete(trials, needed=2)


def edf_info(studies: Sequence[ComparedTrials], *, with_imported: bool = False) -> EdfInfo:
    """Return the finite values of each study's own complete trials; baselines are marked, not counted.

    `with_imported` counts the trials that were copied from another study as well.

    Source: the empirical distribution function of `optuna.visualization.plot_edf`: complete trials only.
    """
    maximize = studies[0].maximize if studies else True
    shown, left_out, baselines = [], [], []
    for place, study in enumerate(studies):
        trials = list(study.trials) if with_imported else own(study.trials)
        values = sorted(v for t in trials if baseline_name(t) is None and (v := value_of(t)) is not None)
        if study.maximize != maximize:
            left_out.append((study.name, "it is optimised in the other direction"))
        elif not values:
            left_out.append((study.name, "it has no complete trial yet"))
        else:
            n_pruned = sum(t.state == TrialState.PRUNED for t in trials)
            shown.append(Distribution(place, study.name, tuple(values), n_pruned))
        if len(studies) == 1:
            baselines = [(n, v) for t in trials if (n := baseline_name(t)) and (v := value_of(t)) is not None]
    return EdfInfo(maximize, tuple(shown), tuple(baselines), tuple(left_out))


def edf_figure(info: EdfInfo, *, theme: str = "light", clip_outliers: bool = False) -> go.Figure:
    """Draw one rising line a study; poor values beyond the view only lift where the line begins."""
    if not info.studies:
        why = "; ".join(f"{name}: {reason}" for name, reason in info.left_out) or "No complete trial yet."
        return empty_figure(theme=theme, title=_TITLE, why=why)
    everything = [v for study in info.studies for v in study.values] + [v for _, v in info.baselines]
    axis = value_axis(everything, maximize=info.maximize, clip_outliers=clip_outliers)
    figure = go.Figure()
    for study in info.studies:
        look = series_look(study.place, theme=theme)
        n = len(study.values)
        xs = [axis.low, *study.values, axis.high]
        ys = [0.0, *((k + 1) / n for k in range(n)), 1.0]
        hover = ["", *(_hover(study, k) for k in range(n)), ""]
        figure.add_scatter(
            x=xs,
            y=ys,
            hovertext=hover,
            hoverinfo="text",
            mode="lines",
            line={"shape": "hv", "width": 2.5, "color": look.colour, "dash": look.dash},
            name=safe(study.name),
        )
    for name, value in info.baselines:
        if not axis.outside(value):
            figure.add_scatter(
                x=[value, value],
                y=[0, 1],
                mode="lines",
                line={"dash": "dash", "width": 1.5, "color": palette(theme).baseline},
                name=f"{safe(name, 24)} {three_digits(value)}",
                hovertext=f"{safe(name)}: {three_digits(value)}",
                hoverinfo="text",
            )
    outside = sum(axis.outside(v) for v in everything)
    base_layout(figure, theme=theme, title=_title(info), subtitle=_subtitle(info, outside, axis.limit))
    figure.update_xaxes(title_text=axis.title, range=[axis.low, axis.high])
    figure.update_yaxes(
        title_text="share of complete trials", range=[0, 1.03], tickformat=".0%", rangemode="tozero"
    )
    figure.update_layout(showlegend=True)
    return figure


def _hover(study: Distribution, k: int) -> str:
    n, value = len(study.values), three_digits(study.values[k])
    return f"{safe(study.name)}<br>{k + 1} of {n} complete trials ({(k + 1) / n:.0%}) up to {value}"


def _title(info: EdfInfo) -> str:
    if len(info.studies) == 1:
        study = info.studies[0]
        return f"Half of {count(len(study.values), 'complete trial')} up to {three_digits(study.median)}"
    pick = max if info.maximize else min
    best = pick(study.median for study in info.studies)
    leaders = [study for study in info.studies if study.median == best]
    if len(leaders) > 1:
        return f"Best middle value: {three_digits(best)}, in {len(leaders)} studies"
    return f"Best middle value: {three_digits(best)}, {safe(leaders[0].name)}"


def _subtitle(info: EdfInfo, outside: int, limit: float | None) -> str:
    n_pruned = sum(study.n_pruned for study in info.studies)
    parts = [f"{count(n_pruned, 'pruned trial')} not counted, which flatters"] if n_pruned else []
    if outside and limit is not None:
        parts.append(f"{outside} {'below' if info.maximize else 'above'} {three_digits(limit)}")
    parts += [f"no line for {safe(name)}: {why}" for name, why in info.left_out]
    return " · ".join(parts)
