"""Few long trials or many short ones, for the same number of env steps in all."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from tuning.analysis.look import base_layout, palette, three_digits, whole
from tuning.guide.recorded import BudgetTable

HEIGHT = 360  # px
N_DRAWS = 2000
LONG_TRIALS = 12  # of the whole length; twice as many of half the length, and so on
_BAND = (5, 95)  # percentiles


@dataclass(frozen=True)
class BudgetChoice:
    """Searches with trials of one length."""

    n_trials: int
    n_timesteps: int  # a trial
    seen: float  # median of what the search saw of its best trial
    whole: float  # median of what that configuration reaches when it is trained to the end
    band: tuple[float, float]  # of `whole`: 5 to 95 % of the searches


@dataclass(frozen=True)
class BudgetsInfo:
    """The same number of env steps, spent in several ways."""

    env: str
    all_steps: int
    n_configurations: int  # that were really trained
    choices: tuple[BudgetChoice, ...]  # short trials first


def budgets_info(table: BudgetTable, *, n_long: int = LONG_TRIALS, seed: int = 0) -> BudgetsInfo:
    """Draw random searches from what was recorded, with replacement, and judge their winners.

    Args:
        table: random configurations, evaluated on their way to the end.
        n_long: trials of the whole length that the steps suffice for.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    whole_length = table.marks[-1]
    choices = []
    for share in (8, 4, 2, 1):
        column = table.marks.index(whole_length // share)
        n_trials = n_long * share
        drawn = rng.integers(len(table.means), size=(N_DRAWS, n_trials))
        winners = drawn[np.arange(N_DRAWS), table.means[drawn, column].argmax(axis=1)]
        seen, reached = table.means[winners, column], table.means[winners, -1]
        low, high = np.percentile(reached, _BAND)
        choices.append(
            BudgetChoice(
                n_trials,
                whole_length // share,
                float(np.median(seen)),
                float(np.median(reached)),
                (float(low), float(high)),
            )
        )
    return BudgetsInfo(table.env, n_long * whole_length, len(table.means), tuple(choices))


def budgets_figure(info: BudgetsInfo, *, theme: str = "light") -> go.Figure:
    """Draw what each way of spending the steps finds."""
    colours = palette(theme)
    figure = go.Figure()
    x = [f"{c.n_trials} x {whole(c.n_timesteps)}" for c in info.choices]
    figure.add_scatter(
        x=x,
        y=[c.whole for c in info.choices],
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [c.band[1] - c.whole for c in info.choices],
            "arrayminus": [c.whole - c.band[0] for c in info.choices],
            "color": colours.best,
            "thickness": 2,
            "width": 8,
        },
        mode="markers",
        marker={"symbol": "star", "size": 12, "color": colours.best},
        name="its winner, trained to the end",
        hovertemplate="%{x}<br>%{y:.3~g}<extra></extra>",
    )
    figure.add_scatter(
        x=x,
        y=[c.seen for c in info.choices],
        mode="markers",
        marker={"symbol": "circle-open", "size": 10, "color": colours.pruned, "line": {"width": 2}},
        name="what the search saw of it",
        hovertemplate="%{x}<br>%{y:.3~g}<extra></extra>",
    )
    best = max(info.choices, key=lambda c: c.whole)
    way = f"{best.n_trials} trials of {whole(best.n_timesteps)} steps"
    title = f"Here {way} find the best: {three_digits(best.whole)}"
    sub = f"{whole(info.all_steps)} env steps each, random search on {info.env}"
    base_layout(figure, theme=theme, title=title, subtitle=sub, height=HEIGHT)
    figure.update_xaxes(title_text="trials x steps a trial", showgrid=False)
    figure.update_yaxes(title_text="mean return")
    return figure
