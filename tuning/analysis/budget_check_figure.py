"""What do the defaults reach with more steps? Each seed's return over env steps, and their median."""

import plotly.graph_objects as go

from tuning.analysis.budget_check import Answer, BudgetCheckInfo
from tuning.analysis.look import base_layout, empty_figure, palette
from tuning.analysis.words import safe, three_digits, whole

HEIGHT = 360  # px


def budget_check_figure(info: BudgetCheckInfo, *, theme: str = "light") -> go.Figure:
    """Draw a check: a small square for each run, the median of each budget, and what counts as solved."""
    title = f"SB3 defaults of {safe(info.algorithm)} on {safe(info.env_id)}"
    levels = [level for level in info.levels if level.middle is not None]
    if not levels:
        why = "No run has ended with a value yet."
        return empty_figure(theme=theme, title=title, why=why, height=HEIGHT)
    colours = palette(theme)
    figure = go.Figure()
    runs = [(level, *run) for level in levels for run in level.runs]
    figure.add_scatter(
        x=[steps for _, _, steps, _ in runs],
        y=[value for _, _, _, value in runs],
        mode="markers",
        name="one seed",
        marker={
            "symbol": "square-open",
            "size": 9,
            "color": colours.baseline,
            "line": {"width": 1.5, "color": colours.baseline},
        },
        hovertext=[
            f"seed {seed + 1}, {level.factor}x the steps<br>{three_digits(value)}"
            for level, seed, _, value in runs
        ],
        hoverinfo="text",
    )
    middles = [level.middle for level in levels if level.middle is not None]
    figure.add_scatter(
        x=[_steps(level.runs) for level in levels],
        y=middles,
        mode="lines+markers",
        name="median of the seeds",
        line={"color": colours.baseline, "dash": "dash", "width": 2.5},
        marker={"symbol": "square", "size": 9, "color": colours.baseline},
        hovertext=[
            f"{level.factor}x the steps<br>median {three_digits(value)}"
            for level, value in zip(levels, middles, strict=True)
        ],
        hoverinfo="text",
    )
    longest = max(4 * info.n_timesteps, *(steps for _, _, steps, _ in runs))
    if info.threshold is not None:
        figure.add_scatter(
            x=[0, longest],
            y=[info.threshold] * 2,
            mode="lines",
            name=f"counts as solved: {three_digits(info.threshold)}",
            line={"color": colours.bound, "width": 1.5},
            hoverinfo="skip",
        )
    figure.add_vline(
        x=info.n_timesteps,
        line={"color": colours.muted, "width": 1, "dash": "dot"},
        annotation={"text": "a trial", "font": {"size": 11, "color": colours.muted}},
        annotation_position="top right",
    )
    subtitle = "so far" if info.answer == Answer.NOT_YET else "at the end of 1, 2 and 4 times a trial's steps"
    base_layout(figure, theme=theme, title=title, subtitle=subtitle, height=HEIGHT)
    marks = [f * info.n_timesteps for f in (0, 1, 2, 4)]
    figure.update_xaxes(
        title_text="env steps", range=[0, 1.03 * longest], tickvals=marks, ticktext=[whole(m) for m in marks]
    )
    better = "higher is better" if info.maximize else "lower is better"
    figure.update_yaxes(title_text=f"return ({better})", nticks=6)
    return figure


def _steps(runs: tuple[tuple[int, int, float], ...]) -> float:
    """Runs of one budget train equally long: whole rollouts."""
    return sum(steps for _, steps, _ in runs) / len(runs)
