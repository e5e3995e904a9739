"""Did it converge? Every trial's value over the trial number, and the best so far."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
from optuna.trial import FrozenTrial, TrialState

from tuning.analysis.look import base_layout, palette
from tuning.analysis.marks import marks
from tuning.analysis.outcomes import (
    baseline_name,
    error_line,
    finite_ranked,
    nothing_complete,
    reached,
    state_word,
    value_of,
)
from tuning.analysis.value_axis import ValueAxis, value_axis
from tuning.analysis.words import count, safe, three_digits

FEW_TRIALS = 10  # below this every number is a tick


@dataclass(frozen=True)
class HistoryInfo:
    """Trials by what they came to, in order of their number."""

    maximize: bool
    complete: tuple[tuple[int, float], ...]  # (trial number, value), without the baselines
    pruned: tuple[tuple[int, float], ...]  # (trial number, last report)
    failed: tuple[tuple[int, str], ...]  # (trial number, state word and the error's first line)
    baselines: tuple[tuple[int, str, float], ...]  # (trial number, what it is, value)
    best_so_far: tuple[tuple[int, float, int], ...]  # (trial number, best value by then, number of that best)
    best_number: int | None
    best_value: float | None
    n_tied: int  # other trials with exactly the best value
    n_ended: int  # complete and pruned
    last_number: int  # of any trial; -1 without trials


def not_ready(trials: Sequence[FrozenTrial]) -> str | None:
    """Return why there is no history yet, or None as soon as a trial reported anything."""
    if any(reached(t) is not None for t in trials):
        return None
    return nothing_complete(trials)


def history_info(trials: Sequence[FrozenTrial], *, maximize: bool) -> HistoryInfo:
    """Return the history; baselines count as trials, pruned trials never as best."""
    ordered = sorted(trials, key=lambda t: t.number)
    complete, pruned, failed, baselines, so_far = [], [], [], [], []
    best: tuple[float, int] | None = None
    for trial in ordered:
        value = value_of(trial)
        if value is not None:
            name = baseline_name(trial)
            if name is None:
                complete.append((trial.number, value))
            else:
                baselines.append((trial.number, name, value))
            if best is None or (value > best[0] if maximize else value < best[0]):
                best = (value, trial.number)
            so_far.append((trial.number, best[0], best[1]))
        elif trial.state == TrialState.PRUNED and (report := reached(trial)) is not None:
            pruned.append((trial.number, report))
        elif trial.state == TrialState.COMPLETE:
            failed.append((trial.number, "complete, but its value is not finite"))
        elif trial.state == TrialState.FAIL or trial.state == TrialState.PRUNED:
            failed.append((trial.number, ": ".join(filter(None, (state_word(trial), error_line(trial))))))
    values = [value_of(t) for t in finite_ranked(trials, maximize=maximize)]
    return HistoryInfo(
        maximize=maximize,
        complete=tuple(complete),
        pruned=tuple(pruned),
        failed=tuple(failed),
        baselines=tuple(baselines),
        best_so_far=tuple(so_far),
        best_number=None if best is None else best[1],
        best_value=None if best is None else best[0],
        n_tied=max(0, values.count(values[0]) - 1) if values else 0,
        n_ended=sum(t.state in (TrialState.COMPLETE, TrialState.PRUNED) for t in trials),
        last_number=ordered[-1].number if ordered else -1,
    )


def history_figure(
    info: HistoryInfo,
    *,
    theme: str = "light",
    show_pruned: bool = True,
    log_scale: bool = False,
    clip_outliers: bool = False,
) -> go.Figure:
    """Draw the history.

    `log_scale` shows the distance to the best value on a log axis. `clip_outliers` keeps early poor trials
    from flattening the rest: they become triangles on the border, counted below the title.
    """
    pruned = info.pruned if show_pruned else ()
    shown = [v for _, v in info.complete] + [v for _, v in pruned] + [v for _, _, v in info.baselines]
    axis = value_axis(shown, maximize=info.maximize, log_scale=log_scale, clip_outliers=clip_outliers)
    figure = go.Figure()
    _draw_baselines(figure, info, axis, theme)
    hover_pruned = [f"trial {n}<br>pruned at {three_digits(v)}" for n, v in pruned]
    _draw_trials(figure, "pruned", pruned, hover_pruned, axis, theme)
    hover = [f"trial {n}<br>{three_digits(v)}" for n, v in info.complete]
    _draw_trials(figure, "complete", info.complete, hover, axis, theme)
    if info.best_so_far:
        last, value, number = info.best_so_far[-1]
        steps = [*info.best_so_far, *([(info.last_number, value, number)] if info.last_number > last else [])]
        steps = [step for step in steps if not axis.outside(step[1])]
        figure.add_scatter(
            x=[n for n, _, _ in steps],
            y=[axis.position(v) for _, v, _ in steps],
            customdata=[best for _, _, best in steps],
            hovertext=[f"best so far {three_digits(v)}<br>trial {best}" for _, v, best in steps],
            hoverinfo="text",
            mode="lines",
            line={"shape": "hv", "width": 2.5, "color": palette(theme).best},
            name="best so far",
        )
    if info.failed:
        figure.add_trace(
            marks(
                "failed",
                [n for n, _ in info.failed],
                [axis.rug] * len(info.failed),
                [n for n, _ in info.failed],
                [f"trial {n}<br>{safe(why, 80)}" for n, why in info.failed],
                theme=theme,
            )
        )
    if info.best_number is not None and info.best_value is not None:
        hover_best = [f"best: trial {info.best_number}<br>{three_digits(info.best_value)}"]
        position = axis.position(info.best_value)
        figure.add_trace(
            marks(
                "best",
                [info.best_number],
                [position],
                [info.best_number],
                hover_best,
                theme=theme,
                show_legend=False,
            )
        )
    outside = sum(axis.outside(v) for v in shown)
    base_layout(figure, theme=theme, title=_title(info), subtitle=_subtitle(info, axis, outside))
    figure.update_xaxes(title_text="trial number", range=_number_range(info.last_number), showgrid=False)
    if info.last_number < FEW_TRIALS:
        figure.update_xaxes(dtick=1)  # there is no trial 0.5
    figure.update_yaxes(**axis.layout())
    return figure


def _draw_trials(
    figure: go.Figure,
    role: str,
    points: Sequence[tuple[int, float]],
    hover: list[str],
    axis: ValueAxis,
    theme: str,
) -> None:
    if not points:
        return
    border = "triangle-down" if axis.maximize else "triangle-up"
    inside = "circle-open" if role == "pruned" else "circle"
    if role == "pruned":
        border += "-open"
    numbers = [n for n, _ in points]
    figure.add_trace(
        marks(
            role,
            numbers,
            [axis.position(v) for _, v in points],
            numbers,
            hover,
            theme=theme,
            symbol=[border if axis.outside(v) else inside for _, v in points],
        )
    )


def _draw_baselines(figure: go.Figure, info: HistoryInfo, axis: ValueAxis, theme: str) -> None:
    colour = palette(theme).baseline
    for n, name, value in info.baselines:
        if not axis.outside(value):
            figure.add_hline(y=axis.position(value), line={"dash": "dash", "width": 1.5, "color": colour})
        border = "triangle-down" if axis.maximize else "triangle-up"
        figure.add_trace(
            marks(
                "baseline",
                [n],
                [axis.position(value)],
                [n],
                [f"{safe(name)}: trial {n}<br>{three_digits(value)}"],
                theme=theme,
                name=f"{safe(name, 24)} {three_digits(value)}",
                symbol=border if axis.outside(value) else None,
            )
        )


def _title(info: HistoryInfo) -> str:
    if info.best_value is None:
        return f"No complete trial yet after {count(info.n_ended + len(info.failed), 'trial')}"
    return f"Best so far: {three_digits(info.best_value)} after {count(info.n_ended, 'trial')}"


def _subtitle(info: HistoryInfo, axis: ValueAxis, outside: int) -> str:
    parts = []
    if info.best_number is not None:
        tied = f", tied with {count(info.n_tied, 'other')}" if info.n_tied else ""
        parts.append(f"trial {info.best_number}{tied}")
    parts.append(f"{len(info.complete) + len(info.baselines)} complete")
    parts += [f"{len(info.pruned)} pruned"] if info.pruned else []
    # Diverged trials are pruned ones without a report to draw; what was stopped or killed did not fail.
    words = Counter(why.partition(":")[0] for _, why in info.failed)
    named = {
        word: words.pop(word) for word in ("stopped", "killed", "interrupted", "diverged") if word in words
    }
    parts += [f"{words.total()} failed"] if words else []
    parts += [f"{n} {word}" for word, n in named.items()]
    if outside and axis.limit is not None:
        side = "below" if axis.maximize else "above"
        parts.append(f"{outside} {side} {three_digits(axis.limit)}")
    return " · ".join(parts)


def _number_range(last: int) -> list[float]:
    room = max(0.5, last * 0.02)
    return [-room, max(last, 1) + room]
