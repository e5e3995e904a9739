"""Several studies side by side: best so far, distribution, ranges, best configurations, requests."""

from collections.abc import Sequence

import streamlit as st

from pages.components import comparison_table, frame, plot
from tuning import compared_facts, compared_spaces
from tuning.analysis import edf, histories
from tuning.compared_facts import ComparedStudy

_SCALES: dict[histories.Scale, str] = {"trials": "By trials", "steps": "By env steps", "hours": "By hours"}


def draw_warnings(studies: Sequence[ComparedStudy]) -> None:
    """Say where comparing these studies is unfair."""
    if reasons := compared_facts.unfair(studies):
        lines = "\n".join(f"- {frame.escape(reason)}" for reason in reasons)
        head = "Not everything is equal here:" if len(reasons) > 1 else "One thing is not equal here:"
        st.warning(f"{head}\n\n{lines}", icon=":material/balance:")


def draw_plots(studies: Sequence[ComparedStudy]) -> None:
    """Draw the best so far of each study, and how its values are spread."""
    trials = [histories.ComparedTrials(s.name, s.run.study.trials, s.run.study.maximize) for s in studies]
    theme = frame.theme()
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        scale = st.segmented_control(
            "Across",
            list(_SCALES),
            default="trials",
            required=True,
            format_func=lambda name: _SCALES[name],
            key="by",
            bind="query-params",
            help="Hours are those in which a trial ran: more workers and a faster machine make them fewer.",
        )
        clip = st.toggle(
            "Clip outliers",
            value=True,
            key="clip",
            bind="query-params",
            help="Keep poor early returns from flattening the rest.",
        )
    left, right = st.columns(2, gap="medium")
    with left:
        info = histories.histories_info(trials, scale=scale or "trials")
        plot.draw(
            histories.histories_figure(info, theme=theme, clip_outliers=clip),
            "compare-histories",
            caption="Each line is a study's best value so far, over its own trials; its mark is where it has "
            "come to. A better line at the same place found good values sooner.",
            alt="Best value so far of each study",
        )
    with right:
        plot.draw(
            edf.edf_figure(edf.edf_info(trials), theme=theme, clip_outliers=clip),
            "compare-edf",
            caption="How many of its complete trials a study has up to each value. "
            + (
                "A line further right has better trials throughout, not only one lucky one."
                if studies[0].run.study.maximize
                else "A line further left has better trials throughout, not only one lucky one."
            ),
            alt="Share of complete trials up to each value",
        )


def draw_tables(studies: Sequence[ComparedStudy]) -> None:
    """Draw what each study came to, what it searched, its best configuration, and what was asked for."""
    names, runs = [s.name for s in studies], [s.run for s in studies]
    st.subheader("What they came to", anchor=False)
    rows = compared_facts.result_rows(studies)
    comparison_table.draw(rows, names, key="results", alt="What each study came to")
    st.subheader("Search spaces", anchor=False)
    if rows := compared_spaces.space_rows(runs):
        comparison_table.draw(rows, names, key="spaces", alt="The range of each argument in each study")
        st.caption("Ranges are in the unit of the argument that training gets, so that they compare.")
    else:
        st.info("No trial of these studies has a parameter yet.", icon=":material/hourglass_empty:")
    st.subheader("Best configurations", anchor=False)
    rows = compared_spaces.configuration_rows(runs, [s.best for s in studies])
    if any(s.best for s in studies) and rows:
        comparison_table.draw(
            rows, names, key="configurations", alt="The best trial's arguments in each study"
        )
        st.caption(
            "The best trial of each search. Arguments that were searched nowhere and are the same are left "
            "out; defaults are filled in."
        )
    else:
        st.info("There is none until a trial is complete.", icon=":material/hourglass_empty:")
    st.subheader("What was asked for", anchor=False)
    rows = compared_facts.request_rows(studies)
    comparison_table.draw(rows, names, key="requests", alt="What was asked for in each study")
    st.caption("Beyond the first lines, only what differs.")
