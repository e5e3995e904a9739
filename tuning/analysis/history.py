"""Did it converge? Every trial's value over the trial number, and the best so far."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
from optuna.trial import FrozenTrial, TrialState

from storage.trials import rerun_of
from tuning.analysis.look import base_layout, palette
from tuning.analysis.marks import marks
from tuning.analysis.outcomes import (
    baseline_name,
    error_line,
    finite_ranked,
    nothing_complete,
    proposer,
    reached,
    state_word,
    value_of,
)
from tuning.analysis.value_axis import ValueAxis, value_axis
from tuning.analysis.words import count, safe, three_digits, whole

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
    first_number: int = 0  # above 0 where imported trials come before the study's own
    reruns: tuple[tuple[int, str, int], ...] = ()  # (trial number, study and number that it runs again)
    proposed: tuple[tuple[int, str], ...] = ()  # (trial number, who queued it: "by hand", "RL Zoo")
    levels: tuple[tuple[str, float], ...] = ()  # (what reached it, value): no trials, to be compared with


def not_ready(trials: Sequence[FrozenTrial]) -> str | None:
    """Return why there is no history yet, or None as soon as a trial reported anything."""
    if any(reached(t) is not None for t in trials):
        return None
    return nothing_complete(trials)


def history_info(
    trials: Sequence[FrozenTrial],
    *,
    maximize: bool,
    first_number: int = 0,
    levels: Sequence[tuple[str, float]] = (),
) -> HistoryInfo:
    """Return the history; baselines count as trials, pruned trials never as best.

    Args:
        trials: of a study that continues another one either its own or the imported ones, never both.
        maximize: the direction.
        first_number: of the study's own trials: how many were imported.
        levels: values that no trial reached, each with what did.
    """
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
    order = finite_ranked(trials, maximize=maximize)
    values = [value_of(t) for t in order]
    return HistoryInfo(
        maximize=maximize,
        complete=tuple(complete),
        pruned=tuple(pruned),
        failed=tuple(failed),
        baselines=tuple(baselines),
        best_so_far=tuple(so_far),
        best_number=order[0].number if order else None,
        best_value=None if best is None else best[0],
        n_tied=max(0, values.count(values[0]) - 1) if values else 0,
        n_ended=sum(t.state in (TrialState.COMPLETE, TrialState.PRUNED) for t in trials),
        last_number=ordered[-1].number if ordered else -1,
        first_number=first_number,
        reruns=tuple((t.number, *place) for t in ordered if (place := rerun_of(t)) is not None),
        levels=tuple(levels),
        proposed=tuple((t.number, who) for t in ordered if (who := proposer(t)) is not None),
    )


def history_figure(
    info: HistoryInfo,
    *,
    theme: str = "light",
    show_pruned: bool = True,
    log_scale: bool = False,
    clip_outliers: bool = False,
    imported: HistoryInfo | None = None,
) -> go.Figure:
    """Draw the history.

    `log_scale` shows the distance to the best value on a log axis. `clip_outliers` keeps early poor trials
    from flattening the rest: they become triangles on the border, counted below the title. `imported` is the
    history of the trials that the study took over, drawn behind its own; each counts from its study's start.
    """
    pruned = info.pruned if show_pruned else ()
    shown = [v for _, v in info.complete] + [v for _, v in pruned] + [v for _, _, v in info.baselines]
    shown += [v for _, v in info.levels]
    start = 0
    if imported:
        start = info.first_number
        shown += [v for _, v in _results(imported)]
    axis = value_axis(shown, maximize=info.maximize, log_scale=log_scale, clip_outliers=clip_outliers)
    figure = go.Figure()
    if imported:
        _draw_imported(
            figure, imported, axis, theme, last=max(imported.last_number, info.last_number - start)
        )
    _draw_baselines(figure, info, axis, theme, start)
    hover_pruned = [f"trial {n}<br>pruned at {three_digits(v)}" for n, v in pruned]
    _draw_trials(figure, "pruned", pruned, hover_pruned, axis, theme, start)
    again = {n: f"<br>runs trial {trial} of {safe(study)} again" for n, study, trial in info.reruns}
    queued = {n: f"<br>{'queued ' if who == 'by hand' else ''}{safe(who)}" for n, who in info.proposed}
    fresh = [(n, v) for n, v in info.complete if n not in again and n not in queued]
    hover = [f"trial {n}<br>{three_digits(v)}" for n, v in fresh]
    _draw_trials(figure, "complete", fresh, hover, axis, theme, start)
    proposed = [(n, v) for n, v in info.complete if n in queued and n not in again]
    hover_proposed = [f"trial {n}<br>{three_digits(v)}{queued[n]}" for n, v in proposed]
    _draw_trials(figure, "proposed", proposed, hover_proposed, axis, theme, start)
    repeated = [(n, v) for n, v in info.complete if n in again]
    hover_repeated = [f"trial {n}<br>{three_digits(v)}{again[n]}" for n, v in repeated]
    _draw_trials(figure, "repeated", repeated, hover_repeated, axis, theme, start)
    if info.best_so_far:
        last, value, number = info.best_so_far[-1]
        steps = [*info.best_so_far, *([(info.last_number, value, number)] if info.last_number > last else [])]
        steps = [step for step in steps if not axis.outside(step[1])]
        figure.add_scatter(
            x=[n - start for n, _, _ in steps],
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
                [n - start for n, _ in info.failed],
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
                [info.best_number - start],
                [position],
                [info.best_number],
                hover_best,
                theme=theme,
                show_legend=False,
            )
        )
    outside = sum(axis.outside(v) for v in shown)
    base_layout(figure, theme=theme, title=_title(info, imported), subtitle=_subtitle(info, axis, outside))
    first, last = info.first_number - start, info.last_number - start
    if imported:
        first, last = 0, max(last, imported.last_number)
    _draw_levels(figure, info, axis, theme, _number_range(first, last))
    title = "trial, counted from the start of its study" if imported else "trial number"
    figure.update_xaxes(title_text=title, range=_number_range(first, last), showgrid=False)
    if last - first < FEW_TRIALS:
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
    start: int,
) -> None:
    if not points:
        return
    border = "triangle-down" if axis.maximize else "triangle-up"
    inside = {"pruned": "circle-open", "repeated": "diamond", "proposed": "hexagon"}.get(role, "circle")
    if role == "pruned":
        border += "-open"
    numbers = [n for n, _ in points]
    figure.add_trace(
        marks(
            role,
            [n - start for n in numbers],
            [axis.position(v) for _, v in points],
            numbers,
            hover,
            theme=theme,
            symbol=[border if axis.outside(v) else inside for _, v in points],
        )
    )


def _draw_imported(
    figure: go.Figure, imported: HistoryInfo, axis: ValueAxis, theme: str, *, last: int
) -> None:
    """Draw trials of the study that this one continues behind its own, and how far they had come."""
    results = _results(imported)
    border = "triangle-down" if axis.maximize else "triangle-up"
    figure.add_trace(
        marks(
            "imported",
            [n for n, _ in results],
            [axis.position(v) for _, v in results],
            [n for n, _ in results],
            [f"imported as trial {n}<br>{three_digits(v)}" for n, v in results],
            theme=theme,
            symbol=[border if axis.outside(v) else "circle" for _, v in results],
        )
    )
    steps = [step for step in imported.best_so_far if not axis.outside(step[1])]
    if steps:
        _, value, number = steps[-1]
        steps.append((last, value, number))  # what the study set out to beat, as far as it has come
        figure.add_scatter(
            x=[n for n, _, _ in steps],
            y=[axis.position(v) for _, v, _ in steps],
            customdata=[best for _, _, best in steps],
            hovertext=[f"best imported so far {three_digits(v)}<br>trial {best}" for _, v, best in steps],
            hoverinfo="text",
            mode="lines",
            line={"shape": "hv", "width": 1.5, "dash": "dash", "color": palette(theme).baseline},
            name="imported, best so far",
        )


def _results(info: HistoryInfo) -> list[tuple[int, float]]:
    """Return trial number and value of every complete trial."""
    return sorted([*info.complete, *((n, v) for n, _, v in info.baselines)])


def _draw_baselines(figure: go.Figure, info: HistoryInfo, axis: ValueAxis, theme: str, start: int) -> None:
    colour = palette(theme).baseline
    for n, name, value in info.baselines:
        if not axis.outside(value):
            figure.add_hline(y=axis.position(value), line={"dash": "dash", "width": 1.5, "color": colour})
        border = "triangle-down" if axis.maximize else "triangle-up"
        figure.add_trace(
            marks(
                "baseline",
                [n - start],
                [axis.position(value)],
                [n],
                [f"{safe(name)}: trial {n}<br>{three_digits(value)}"],
                theme=theme,
                name=f"{safe(name, 24)} {three_digits(value)}",
                symbol=border if axis.outside(value) else None,
            )
        )


def _draw_levels(
    figure: go.Figure, info: HistoryInfo, axis: ValueAxis, theme: str, across: Sequence[float]
) -> None:
    """Draw a line across for each level; one that is out of view is still named in the legend."""
    for what, value in info.levels:
        words = f"{safe(what)}: {three_digits(value)}"
        outside = axis.outside(value)
        figure.add_scatter(
            x=[across[0], sum(across) / 2, across[1]],  # the middle one can be pointed at too
            y=[axis.position(value)] * 3,
            mode="lines",
            line={"dash": "dashdot", "width": 2, "color": palette(theme).baseline},
            name=words + (", out of view" if outside else ""),
            hovertext=words,
            hoverinfo="text",
            visible="legendonly" if outside else True,
        )


def _title(info: HistoryInfo, imported: HistoryInfo | None) -> str:
    theirs = ""
    if imported and imported.best_value is not None:
        theirs = f"; imported: {three_digits(imported.best_value)} after {whole(imported.n_ended)}"
    if info.best_value is None:
        return f"No complete trial yet after {count(info.n_ended + len(info.failed), 'trial')}{theirs}"
    return f"Best so far: {three_digits(info.best_value)} after {count(info.n_ended, 'trial')}{theirs}"


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


def _number_range(first: int, last: int) -> list[float]:
    room = max(0.5, (last - first) * 0.02)
    return [first - room, max(last, first + 1) + room]
