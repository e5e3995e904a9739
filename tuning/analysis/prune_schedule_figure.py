"""Where in a trial can the pruner end it? The reports of one trial on a line."""

import plotly.graph_objects as go

from tuning.analysis.look import base_layout, palette
from tuning.analysis.words import count, whole
from tuning.pruner_choice import Mark, PruneSchedule

HEIGHT = 190  # px


def schedule_title(schedule: PruneSchedule) -> str:
    """Return the answer in a few words."""
    earliest = schedule.earliest
    if earliest is None or schedule.first_trial is None:
        return "Nothing is ever pruned"
    return f"A trial can end at {earliest.step / schedule.end:.0%}".replace("%", " %")


def schedule_sentence(schedule: PruneSchedule) -> str:
    """Return how to read the figure, with the numbers that matter."""
    earliest = schedule.earliest
    if earliest is None:
        return "No report comes where this pruner may end a trial: see the advice below."
    if schedule.first_trial is None:
        return "The study ends before the pruner begins: see the advice below."
    start = (
        f"once {count(schedule.first_trial, 'trial')} {'is' if schedule.first_trial == 1 else 'are'} complete"
        if schedule.first_trial
        else "from the first trial on"
    )
    n = sum(mark.can_prune for mark in schedule.marks)
    return (
        f"Each mark is a report of a trial. {count(n, 'filled one')} can end it, {start}; the first comes "
        f"after {whole(earliest.step)} of {whole(schedule.end)} {schedule.unit}."
    )


def prune_schedule_figure(schedule: PruneSchedule, *, theme: str = "light") -> go.Figure:
    """Draw one trial from its start to its end, with its reports."""
    colours = palette(theme)
    figure = go.Figure()
    earliest, never = schedule.earliest, schedule.first_trial is None
    safe_until = schedule.end if earliest is None or never else earliest.step
    for x0, x1, colour in (
        (0, safe_until, colours.complete),
        (safe_until, schedule.end, colours.pruned),
    ):
        if x1 > x0:
            figure.add_scatter(
                x=[x0, x1],
                y=[0, 0],
                mode="lines",
                line={"color": colour, "width": 5},
                showlegend=False,
                hoverinfo="skip",
            )
    ends = [mark for mark in schedule.marks if mark.can_prune and not never]
    others = [mark for mark in schedule.marks if mark not in ends]
    for marks, name, symbol, colour in (
        (ends, "can end the trial", "circle", colours.pruned),
        (others, "cannot", "circle-open", colours.complete),
    ):
        figure.add_scatter(
            x=[mark.step for mark in marks],
            y=[0] * len(marks),
            mode="markers",
            name=name,
            showlegend=bool(marks),
            marker={"symbol": symbol, "size": 13, "color": colour, "line": {"width": 2}},
            hovertext=[_hover(mark, schedule) for mark in marks],
            hoverinfo="text",
        )
    for before, after in zip(schedule.marks, schedule.marks[1:], strict=False):
        if after.seed > before.seed:  # where a trial's next training begins
            figure.add_vline(x=before.step, line={"color": colours.baseline, "dash": "dot", "width": 1})
    base_layout(figure, theme=theme, title=schedule_title(schedule), height=HEIGHT)
    figure.update_yaxes(visible=False, range=[-1, 1], fixedrange=True)
    figure.update_xaxes(title_text=f"{schedule.unit} of a trial", range=[0, schedule.end * 1.04], nticks=6)
    return figure


def _hover(mark: Mark, schedule: PruneSchedule) -> str:
    where = f"{whole(mark.step)} {schedule.unit}"
    if schedule.marks[-1].seed:
        where += f", training {mark.seed + 1}"
    why_not = mark.why_not or ("the study ends before" if schedule.first_trial is None else "")
    return f"{where}<br>{why_not or 'a trial can end here'}"
