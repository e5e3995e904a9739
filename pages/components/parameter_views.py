"""How the value depends on the parameters: each one alone, its importance, a pair, all of them together."""

from collections.abc import Sequence

import streamlit as st
from optuna.trial import FrozenTrial

from pages.components import frame, plot, trial_choice
from tuning.analysis import contour, importance, parallel, rank_matrix, slices
from tuning.analysis.importance import ImportanceInfo
from tuning.launch import Run

_MOST_PANELS = 12  # drawn before anybody asks for more
_MOST_AXES = 7  # side by side; the names of more would run into each other


def by_importance(info: ImportanceInfo, names: Sequence[str]) -> list[str]:
    """Return the parameters, the most important first, then those of unknown importance as declared."""
    known = [name for name, _ in info.importances if name in names]
    return known + [name for name in names if name not in known]


def draw_slices(run: Run, trials: Sequence[FrozenTrial], names: Sequence[str], *, narrow: bool) -> None:
    """Draw a panel for each parameter over its declared bounds, and say which trial was clicked."""
    with st.container(horizontal=True, gap="medium"):
        pruned = st.toggle(
            "Pruned trials",
            value=True,
            key="pruned",
            bind="query-params",
            help="Show trials that were cut short, at their last report.",
        )
        clip = st.toggle(
            "Clip outliers",
            value=True,
            key="clip",
            bind="query-params",
            help="Keep poor returns from flattening the rest: they are marked on the border and counted.",
        )
        everything = len(names) <= _MOST_PANELS or st.toggle(
            f"All {len(names)} parameters", key="all", bind="query-params"
        )
    shown = names if everything else names[:_MOST_PANELS]
    info = slices.slices_info(trials, maximize=run.study.maximize, parameters=shown)
    columns = 1 if narrow else 2 if len(shown) in (2, 4) else 3
    plot.draw(
        slices.slices_figure(
            info, theme=frame.theme(), columns=columns, show_pruned=pruned, clip_outliers=clip
        ),
        "slices",
        choose_trial=True,
        caption="Each point is a trial, at the value it had and the return it reached; the vertical lines "
        "are the bounds you declared. If the best points crowd a line, that range was too narrow. Click a "
        "point to name its trial.",
        alt=f"Value over each of {len(shown)} parameters",
    )
    trial = trial_choice.chosen(run.study.trials)
    if trial:
        st.page_link(
            "pages/history.py",
            label=f"{trial_choice.words(trial, is_running=run.may_run)}: see it in History",
            icon=":material/show_chart:",
            query_params={"study": run.folder.id, "trial": str(trial.number)},
        )


def draw_importance(info: ImportanceInfo) -> None:
    """Draw the parameters' importance, or say why it cannot be told yet."""
    if info.problem:
        st.info(info.problem, icon=":material/hourglass_empty:")
        return
    plot.draw(
        importance.importance_figure(info, theme=frame.theme()),
        "importance",
        caption="A long bar means that the best trials agree on this parameter and the others do not. A "
        "short one hardly mattered within the range that was searched.",
        alt="Importance of each parameter",
    )


def draw_pair(run: Run, trials: Sequence[FrozenTrial], names: Sequence[str]) -> None:
    """Draw two parameters as a contour; which ones stands in the address as `?x=` and `?y=`."""
    left, right = st.columns(2)
    x = left.selectbox("Across", names, index=0, key="x", bind="query-params")
    y = right.selectbox("Upward", names, index=1, key="y", bind="query-params")
    missing = contour.not_ready(trials, x=x, y=y)
    if missing:
        st.info(missing, icon=":material/hourglass_empty:")
        return
    info = contour.contour_info(trials, maximize=run.study.maximize, x=x, y=y)
    plot.draw(
        contour.contour_figure(info, theme=frame.theme()),
        "contour",
        caption="Stronger colour is better; it is a smoothed mean of the trials nearby, and blank where "
        "there is none. A ridge at an angle means that the two have to be set together.",
        alt=f"Value over {x} and {y}",
    )


def draw_ranks(run: Run, trials: Sequence[FrozenTrial], names: Sequence[str], *, narrow: bool) -> None:
    """Draw the trials' ranks over every pair of the most important parameters."""
    missing = rank_matrix.not_ready(trials)
    if missing:
        st.info(missing, icon=":material/hourglass_empty:")
        return
    most = 3 if narrow else rank_matrix.MOST
    info = rank_matrix.rank_matrix_info(trials, maximize=run.study.maximize, parameters=names[:most])
    plot.draw(
        rank_matrix.rank_matrix_figure(info, theme=frame.theme(), narrow=narrow),
        "ranks",
        choose_trial=True,
        caption="Each point is a complete trial, coloured by its rank: poor values cannot stretch the "
        "colours. Where strong points gather in a corner, both ranges end too early there. "
        + (f"The {most} most important of {len(names)} parameters." if len(names) > most else ""),
        alt="Ranks of the trials over each pair of parameters",
    )


def draw_together(run: Run, trials: Sequence[FrozenTrial], names: Sequence[str], *, narrow: bool) -> None:
    """Draw every complete trial as a line across the declared bounds."""
    missing = parallel.not_ready(trials, names)
    if missing:
        st.info(missing, icon=":material/hourglass_empty:")
        return
    info = parallel.parallel_info(trials, maximize=run.study.maximize, parameters=names[:_MOST_PANELS])
    plot.draw(
        parallel.parallel_figure(info, theme=frame.theme(), narrow=narrow or len(names) > _MOST_AXES),
        "parallel",
        caption="Each line is a complete trial across the declared bounds. Where the lines of the best fifth "
        "run together, that parameter is settled; where they fan out, it hardly matters.",
        alt="Complete trials as lines across all parameters",
    )
