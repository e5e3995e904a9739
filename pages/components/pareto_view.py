"""The trade-offs of a study with two objectives, on History."""

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st
from optuna.trial import FrozenTrial

from pages.components import plot, trial_choice
from tuning.analysis import pareto
from tuning.launch import Run

VIEW = "Trade-offs"


def applies(run: Run) -> bool:
    """Say whether the study has a second objective."""
    return run.spec is not None and run.spec.objective.second is not None


def draw(run: Run, trials: Sequence[FrozenTrial], *, theme: str, chosen: int | None) -> None:
    """Draw every complete trial in both objectives, and a table of those that nothing beats.

    Args:
        run: a study with a second objective.
        trials: those to be shown.
        theme: "light" or "dark".
        chosen: number of the trial that is looked at.
    """
    assert run.spec is not None
    second = run.spec.objective.second or ""
    if missing := pareto.not_ready(trials):
        st.info(missing, icon=":material/hourglass_empty:")
        return
    info = pareto.pareto_info(trials, maximize=run.study.maximize, second=second)
    better = "up" if info.maximize else "down"
    missed = (
        " Hollow marks did not reach the threshold in every training; such a training counts as twice its "
        "steps."
        if any(t.n_missed for t in info.trials)
        else ""
    )
    plot.draw(
        pareto.pareto_figure(info, theme=theme),
        "pareto",
        choose_trial=True,
        caption=f"Each mark is a complete trial; better is {better} and to the left. No trial beats a star "
        f"in both.{missed} Both are measured with noise: neighbours on the line may be equals. Click a mark "
        "to see its trial.",
        alt=f"Mean return over {pareto.NAMES.get(second, 'the second objective')} of each complete trial",
    )
    _draw_table(info, trials, chosen=chosen)


def _draw_table(info: pareto.ParetoInfo, trials: Sequence[FrozenTrial], *, chosen: int | None) -> None:
    by_number = {t.number: t for t in trials}
    front = info.front
    numbers = [t.trial for t in front]
    name = pareto.NAMES.get(info.second, "second objective")
    some_missed = any(t.n_missed for t in front)
    rows = [
        {
            "trial": t.trial,
            "mean return": t.value,
            name: t.second,
            **({"threshold": pareto.missed_words(t) or "reached"} if some_missed else {}),
            **by_number[t.trial].params,
        }
        for t in front
    ]
    key = f"pareto-table-{trial_choice.changes()}-{hash(tuple(numbers))}"
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        width="stretch",
        key=key,
        on_select=partial(_choose, key, numbers),
        selection_mode="single-row",
        selection_default={"selection": {"rows": [numbers.index(chosen)] if chosen in numbers else []}},
        alt="The trials that nothing beats in both objectives, with their parameters",
    )


def _choose(key: str, numbers: list[int]) -> None:
    rows = st.session_state[key].selection.rows
    trial_choice.choose(numbers[rows[0]] if rows else None, in_table=True)
