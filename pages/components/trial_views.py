"""The trials of a study in views: value over trials, reports, distribution, the clock, a table."""

import datetime
from collections.abc import Sequence

import streamlit as st
from optuna.trial import FrozenTrial

from pages.components import budget_check_line, pareto_view, plot, trial_table
from storage.remarks import read_remarks
from storage.trials import imported, own
from tuning.analysis import edf, history, intermediate, table, timeline
from tuning.analysis.histories import ComparedTrials
from tuning.launch import Run

VIEWS = ("Values", "Learning", "Distribution", "Timeline", "Table")


def draw(run: Run, *, theme: str, now: datetime.datetime, chosen: int | None) -> None:
    """Draw the view that is open; which one stands in the address as `?view=`.

    Args:
        run: the study; only trials that have ended are compared, so a plot changes only with their number.
        theme: "light" or "dark".
        now: when the page was drawn, where running trials end on the clock.
        chosen: number of the trial that is looked at.
    """
    trials, taken_over = own(run.study.trials), imported(run.study.trials)
    maximize = run.study.maximize
    ended = [t for t in trials if t.state.is_finished()] or trials
    views = (*VIEWS, pareto_view.VIEW) if pareto_view.applies(run) else VIEWS
    values, learning, spread, clock, rows, *more = st.tabs(views, key="view", bind="query-params")
    with values:
        if values.open:
            levels = budget_check_line.levels(run)
            _draw_history(ended, taken_over, maximize=maximize, theme=theme, levels=levels)
    with learning:
        if learning.open:
            _draw_learning(ended, maximize=maximize, theme=theme)
    with spread:
        if spread.open:
            _draw_distribution(run, ended, taken_over, theme=theme)
    with clock:
        if clock.open:
            _draw_timeline(trials, maximize=maximize, theme=theme, now=now, alive=run.may_run)
    with rows:
        if rows.open:
            shown = run.study.trials if taken_over and _parent_toggle() else trials
            second = run.spec.objective.second if run.spec else None
            frame = table.trials_frame(shown, maximize=maximize, is_running=run.may_run, second=second)
            notes = read_remarks(run.folder).trial_notes
            frame["note"] = [notes.get(int(number), "") for number in frame["number"]]
            trial_table.draw(frame, file_name=f"{run.folder.id}-trials.csv", chosen=chosen)
    for trade_offs in more:
        with trade_offs:
            if trade_offs.open:
                pareto_view.draw(run, trials, theme=theme, chosen=chosen)


def _draw_history(
    trials: Sequence[FrozenTrial],
    taken_over: Sequence[FrozenTrial],
    *,
    maximize: bool,
    theme: str,
    levels: Sequence[tuple[str, float]],
) -> None:
    toggles = st.container(horizontal=True, gap="medium")
    with toggles:
        parent = bool(taken_over) and _parent_toggle()
    if not parent and _say(history.not_ready(trials)):
        return
    with toggles:
        pruned = _pruned_toggle()
        log = st.toggle(
            "Log scale",
            key="log",
            bind="query-params",
            help="The distance to the best value on a log axis: shows whether the last steps still gain "
            "anything. Every value is in view there.",
        )
        clip = _clip_toggle(disabled=log)
    info = history.history_info(trials, maximize=maximize, first_number=len(taken_over), levels=levels)
    theirs = history.history_info(taken_over, maximize=maximize) if parent else None
    plot.draw(
        history.history_figure(
            info,
            theme=theme,
            show_pruned=pruned,
            log_scale=log,
            clip_outliers=clip and not log,
            imported=theirs,
        ),
        "history",
        choose_trial=True,
        caption="Each point is a trial; the line is the best value so far. A flat end means that more trials "
        "of this kind gain little. Triangles on the border lie outside the view. Click a point to see its "
        "trial.",
        alt="Value of each trial over the trial number, with the best so far",
    )


def _draw_learning(trials: Sequence[FrozenTrial], *, maximize: bool, theme: str) -> None:
    if _say(intermediate.not_ready(trials)):
        return
    with st.container(horizontal=True, gap="medium"):
        pruned = _pruned_toggle()
        clip = _clip_toggle()
    info = intermediate.intermediate_info(trials, maximize=maximize)
    plot.draw(
        intermediate.intermediate_figure(info, theme=theme, show_pruned=pruned, clip_outliers=clip),
        "intermediate",
        choose_trial=True,
        caption="Each line is a trial, through the evaluations it reported while it trained. Lines that "
        "still climb at the right end ask for more env steps. Click an end to see its trial.",
        alt="Reported values of each trial over env steps",
    )


def _draw_distribution(
    run: Run, trials: Sequence[FrozenTrial], taken_over: Sequence[FrozenTrial], *, theme: str
) -> None:
    if _say(edf.not_ready(trials)):
        return
    with st.container(horizontal=True, gap="medium"):
        parent = bool(taken_over) and _parent_toggle()
        clip = _clip_toggle()
    maximize = run.study.maximize
    studies = [ComparedTrials("this study", tuple(trials), maximize)]
    if parent:
        # As if they were their study's own: imported ones are left out everywhere else.
        studies.append(ComparedTrials("imported", tuple(taken_over), maximize))
    plot.draw(
        edf.edf_figure(edf.edf_info(studies, with_imported=parent), theme=theme, clip_outliers=clip),
        "distribution",
        caption="How many complete trials reached at most each value. "
        + ("Steep at the right end" if maximize else "Steep at the left end")
        + " means that many trials come close to the best. Compare puts the lines of "
        "several studies into one plot.",
        alt="Share of complete trials up to each value",
    )


def _draw_timeline(
    trials: Sequence[FrozenTrial], *, maximize: bool, theme: str, now: datetime.datetime, alive: bool
) -> None:
    if _say(timeline.not_ready(trials)):
        return
    info = timeline.timeline_info(trials, maximize=maximize, now=now, is_running=alive)
    plot.draw(
        timeline.timeline_figure(info, theme=theme),
        "timeline",
        choose_trial=True,
        caption="Each bar is a trial from its start to its end; bars in different lanes ran side by side. "
        "Gaps are time without training. Click a bar to see its trial.",
        alt="When each trial ran",
    )


def _parent_toggle() -> bool:
    return st.toggle(
        "Show parent",
        key="parent",
        bind="query-params",
        help="Show the trials imported from the study that this one continues, and the best it had come to.",
    )


def _pruned_toggle() -> bool:
    return st.toggle(
        "Pruned trials",
        value=True,
        key="pruned",
        bind="query-params",
        help="Show trials that were cut short, at their last report.",
    )


def _clip_toggle(*, disabled: bool = False) -> bool:
    return st.toggle(
        "Clip outliers",
        value=True,
        key="clip",
        bind="query-params",
        disabled=disabled,
        help="Keep poor early returns from flattening the rest: they are marked on the border and counted.",
    )


def _say(missing: str | None) -> bool:
    if missing:
        st.info(missing, icon=":material/hourglass_empty:")
    return missing is not None
