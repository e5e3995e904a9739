"""Where the wall-clock time went: one bar for each trial, in lanes of trials that ran side by side."""

import datetime
import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
from optuna.trial import FrozenTrial

from tuning.analysis.look import base_layout, palette
from tuning.analysis.outcomes import finite_ranked, state_word
from tuning.analysis.words import count, duration

_ROLES = {
    "complete": "complete",
    "pruned": "pruned",
    "diverged": "pruned",
    "running": "running",
    "best": "best",
    "interrupted": "baseline",
    "stopped": "baseline",
}  # anything else failed
_HATCHES = {"diverged": "x", "interrupted": "/", "stopped": "\\", "running": "."}
_ORDER = ("best", "complete", "pruned", "diverged", "failed", "killed", "stopped", "interrupted", "running")


@dataclass(frozen=True)
class TrialBar:
    """One trial on the clock."""

    number: int
    state: str  # as in the trial table
    start: datetime.datetime
    end: datetime.datetime
    lane: int  # 0 is the first; with packed=False one lane a trial


@dataclass(frozen=True)
class TimelineInfo:
    """Trials that have started, by start."""

    bars: tuple[TrialBar, ...]
    n_lanes: int
    seconds: float  # from the first start to the last end
    busy: float  # share of the lanes' time spent in trials, 0 to 1
    best_number: int | None
    packed: bool


def not_ready(trials: Sequence[FrozenTrial]) -> str | None:
    """Return why there is no timeline, or None as soon as a trial has started."""
    if any(t.datetime_start is not None for t in trials):
        return None
    if not trials:
        return "This study has no trials yet. Start it on the Launch page."
    return f"None of the {count(len(trials), 'trial')} has started. The timeline begins with the first one."


def timeline_info(
    trials: Sequence[FrozenTrial],
    *,
    maximize: bool,
    now: datetime.datetime,
    packed: bool = True,
    is_running: bool = True,
) -> TimelineInfo:
    """Return the bars; running trials end `now`.

    Args:
        trials: any study's trials; those without a start are left out.
        maximize: the study's direction, to mark its best trial.
        now: local time, as Optuna records it; a time with a zone is brought to local time.
        packed: bars share lanes wherever they do not overlap; otherwise every trial has its own row.
        is_running: False names trials left running "interrupted".
    """
    now = _local(now)
    started = sorted(
        ((_local(t.datetime_start), t.number, t) for t in trials if t.datetime_start is not None),
        key=lambda item: item[:2],
    )
    free: list[int] = []  # lanes whose trial has ended; the lowest is taken first
    busy_until: list[tuple[datetime.datetime, int]] = []
    n_lanes = 0
    bars = []
    for row, (start, number, trial) in enumerate(started):
        end = max(start, _local(trial.datetime_complete) if trial.datetime_complete is not None else now)
        lane = row
        if packed:
            while busy_until and busy_until[0][0] <= start:
                heapq.heappush(free, heapq.heappop(busy_until)[1])
            lane = heapq.heappop(free) if free else n_lanes
            heapq.heappush(busy_until, (end, lane))
        n_lanes = max(n_lanes, lane + 1)
        bars.append(TrialBar(number, state_word(trial, is_running=is_running), start, end, lane))
    total = (max(b.end for b in bars) - bars[0].start).total_seconds() if bars else 0.0
    used = sum((b.end - b.start).total_seconds() for b in bars)
    best = next((t.number for t in finite_ranked(trials, maximize=maximize)), None)
    return TimelineInfo(
        bars=tuple(bars),
        n_lanes=n_lanes,
        seconds=total,
        busy=used / (total * n_lanes) if total > 0 else 0.0,
        best_number=best,
        packed=packed,
    )


def timeline_figure(info: TimelineInfo, *, theme: str = "light") -> go.Figure:
    """Draw one bar a trial; the trial number stands in bars that are wide enough."""
    colours = palette(theme)
    figure = go.Figure()
    groups: dict[str, list[TrialBar]] = {}
    for bar in info.bars:
        groups.setdefault("best" if bar.number == info.best_number else bar.state, []).append(bar)
    for word in sorted(groups, key=lambda w: _ORDER.index(w) if w in _ORDER else len(_ORDER)):
        bars = groups[word]
        seconds = [(b.end - b.start).total_seconds() for b in bars]
        role = _ROLES.get(word, "failed")
        figure.add_bar(
            orientation="h",
            width=0.84,
            base=[b.start.isoformat(timespec="milliseconds") for b in bars],
            x=[round(s * 1000) for s in seconds],  # a date axis counts milliseconds
            y=[b.lane for b in bars],
            customdata=[b.number for b in bars],
            text=[str(b.number) for b in bars],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            textfont={"color": colours.background, "size": 11},
            hovertext=[
                f"trial {b.number}, {b.state}<br>{duration(s)}, from {b.start:%H:%M:%S}"
                for b, s in zip(bars, seconds, strict=True)
            ],
            hoverinfo="text",
            name=word,
            marker={
                "color": getattr(colours, role),
                "line": {"width": 1, "color": colours.background},
                "pattern": {
                    "shape": _HATCHES.get(word, ""),
                    "size": 8,
                    "fillmode": "overlay",
                    "solidity": 0.15,
                },
            },
        )
    if info.bars:
        lanes = count(info.n_lanes, "lane") if info.packed else count(info.n_lanes, "row")
        title = f"{count(len(info.bars), 'trial')} in {duration(info.seconds)}"
        subtitle = (
            f"{lanes}, busy {info.busy:.0%} of the time" if info.packed else f"{lanes}, one for each trial"
        )
    else:
        title, subtitle = "No trial has started", ""
    height = 150 + (34 * info.n_lanes if info.packed else min(14 * info.n_lanes, 1200))
    base_layout(figure, theme=theme, title=title, subtitle=subtitle, height=max(240, min(height, 1400)))
    figure.update_layout(barmode="overlay", uniformtext={"mode": "hide", "minsize": 9})
    figure.update_xaxes(title_text="local time", type="date", nticks=5)
    figure.update_yaxes(
        title_text="lane" if info.packed else "trial",
        range=[info.n_lanes - 0.5, -0.5],
        showgrid=False,
        **_row_ticks(info),
    )
    return figure


def _row_ticks(info: TimelineInfo) -> dict:
    if info.packed:
        every = max(1, info.n_lanes // 16)
        rows = list(range(0, info.n_lanes, every))
        return {"tickvals": rows, "ticktext": [str(r + 1) for r in rows]}
    shown = info.bars[:: max(1, len(info.bars) // 30)]
    return {"tickvals": [b.lane for b in shown], "ticktext": [str(b.number) for b in shown]}


def _local(time: datetime.datetime) -> datetime.datetime:
    return time.astimezone().replace(tzinfo=None) if time.tzinfo is not None else time
