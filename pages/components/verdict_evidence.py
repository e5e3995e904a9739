"""Why should I believe this? The numbers behind one verdict, and what it would have been earlier."""

import pandas as pd
import streamlit as st

from pages.components import frame, plot, table_csv, weighing
from tuning.analysis import verdict_words
from tuning.analysis.look import count, three_digits
from tuning.analysis.profile_figure import profile_figure
from tuning.analysis.saturation import CONFIDENT, LIKELY, ParameterSaturation
from tuning.analysis.saturation_evidence import EndEvidence
from tuning.analysis.saturation_points import AxisInfo
from tuning.analysis.verdicts import Verdict
from tuning.launch import Run

_EVERY = "500ms"
_LEAST_P = 0.001  # a smaller chance is not written out
_NOTABLE = 0.05  # of a larger one nothing is said
_UNBROKEN = "\u2011"  # a hyphen at which a narrow column breaks no line


def draw(run: Run, p: ParameterSaturation, axis: AxisInfo | None) -> None:
    """Draw the counts at both ends, what they mean, the model, and what the verdict was earlier."""
    if p.verdict != Verdict.NOT_ENOUGH and p.low is not None:
        st.table(evidence_frame(p), border="horizontal", width="content")
        table_csv.draw(lambda: ends_frame(p), f"{run.folder.id}-evidence.csv", key=f"evidence-csv-{p.name}")
    for sentence in sentences(p):
        st.markdown(frame.escape(sentence))
    if axis is not None and axis.profile:
        plot.draw(
            profile_figure(axis, theme=frame.theme()),
            f"profile-{p.name}",
            caption="What the model expects at each value, with the other parameters at their best there: in "
            "standard deviations of all outcomes, higher is better. Where the band is wide, little is known. "
            "A line that is still rising at a bound says that the range ends too soon.",
            alt=f"Expected score along {p.name}, from declared bound to declared bound",
        )
    _draw_history(run, p)


def ends_frame(p: ParameterSaturation) -> pd.DataFrame:
    """Return the same in full precision.

    Columns: parameter, end (low or high), bound, top_in_zone of top (best trials in the edge zone),
    all_in_zone of all, curve_at_end and curve_past_bound (shares of the model's curves), belief (that the
    optimum lies beyond), broken_outer of outer (trials in the outer quarter).
    """
    e = p.evidence
    return pd.DataFrame(
        [
            {
                "parameter": p.name,
                "end": name,
                "bound": bound,
                "top_in_zone": end.n_top,
                "top": e.n_top,
                "all_in_zone": end.n_all,
                "all": e.n,
                "curve_at_end": end.model.at_end if end.model else None,
                "curve_past_bound": end.model.past_end if end.model else None,
                "belief": end.belief,
                "broken_outer": end.n_outer_infeasible,
                "outer": end.n_outer,
            }
            for name, bound, end in (("low", p.low, e.low), ("high", p.high, e.high))
        ]
    )


def evidence_frame(p: ParameterSaturation) -> pd.DataFrame:
    """Return what is known about the lower and the upper end: one row each, words in the cells."""
    e = p.evidence
    ends = (e.low, e.high)
    rows = {
        "Best trials in the edge zone": [f"{end.n_top} of {e.n_top}" for end in ends],
        "All trials in the edge zone": [f"{end.n_all} of {e.n}" for end in ends],
        "Curves that peak at this end of the range": [
            _share(end.model.at_end if end.model else None) for end in ends
        ],
        "Curves that peak past the bound": [
            _share(end.model.past_end if end.model else None) for end in ends
        ],
        "Belief that the optimum lies beyond": [_share(end.belief) for end in ends],
        "Broken trials in the outer quarter": [f"{end.n_outer_infeasible} of {end.n_outer}" for end in ends],
    }
    bounds = [three_digits(x).replace("-", _UNBROKEN) if x is not None else "" for x in (p.low, p.high)]
    return pd.DataFrame.from_dict(
        rows, orient="index", columns=[f"Lower, {bounds[0]}", f"Upper, {bounds[1]}"]
    )


def sentences(p: ParameterSaturation) -> list[str]:
    """Return what the numbers mean, in sentences that are not yet escaped."""
    e = p.evidence
    found = []
    if e.low.belief is not None or e.high.belief is not None:
        found.append(
            "Counts at an edge prove nothing by themselves: a sampler crowds where it once did well. So a "
            "smooth model is fitted to all trials, which allows for what the other parameters did, and many "
            "curves that it holds possible are drawn. From a "
            f"belief of {LIKELY:.0%} on, a range counts as probably too narrow; from {CONFIDENT:.0%} on, as "
            "too narrow."
        )
    if e.p_effect is None:
        found.append(f"Whether {p.name} has any effect cannot be told from {count(e.n, 'trial')} yet.")
    else:
        few = e.p_effect < _LEAST_P
        chance = "in fewer than 1 of 1000 studies" if few else f"in {e.p_effect:.1%} of studies"
        found.append(
            f"Does it matter at all? If {p.name} had no effect, data like these would come about {chance}."
        )
    if e.swing is not None:
        low, high = (three_digits(x) for x in e.swing)
        found.append(
            f"Between its worst and its best value the outcome moves by {low} to {high} standard deviations "
            "of all outcomes (90% interval)."
        )
    for end, word in ((e.low, "lower"), (e.high, "upper")):
        if end.p_infeasible is not None and end.p_infeasible < _NOTABLE:
            found.append(_breaking(end, word))
    return found


def _share(share: float | None) -> str:
    return "not known" if share is None else f"{share:.0%}"


def _breaking(end: EndEvidence, word: str) -> str:
    assert end.p_infeasible is not None
    few = end.p_infeasible < _LEAST_P
    chance = "less than 1 time in 1000" if few else f"{end.p_infeasible:.1%} of the time"
    return (
        f"Training breaks more often in the {word} quarter than elsewhere; "
        f"chance alone would do that {chance}."
    )


def _draw_history(run: Run, p: ParameterSaturation) -> None:
    """Draw the verdict after parts of the trials; while that is worked out, say so and look again."""
    try:
        stages = weighing.verdict_history(run)
    except weighing.Unweighable as error:
        st.warning(frame.escape(str(error)), icon=":material/error:")
        return
    if stages is None:
        st.fragment(_wait, run_every=_EVERY)(run)
        return
    steps = []
    for stage in stages:
        then = stage.parameters.get(p.name)
        words = "Not tried yet" if then is None else verdict_words.label(then)
        colour: verdict_words.Colour = "gray" if then is None else verdict_words.colour(then)
        steps.append((f"after {stage.n_finished}", words, colour))
    n_now = sum(t.state.is_finished() for t in run.study.trials)
    steps.append((f"after all {n_now} trials", verdict_words.label(p), verdict_words.colour(p)))
    st.markdown("What would it have said earlier in the study?")
    with st.container(horizontal=True, gap="medium", key=f"earlier-{p.name}"):
        for when, words, colour in steps:
            with st.container(width="content", gap="xxsmall"):
                st.caption(when)
                st.badge(words, color=colour)


def _wait(run: Run) -> None:
    try:
        if weighing.verdict_history(run) is not None:
            st.rerun()
    except weighing.Unweighable:
        st.rerun()
    st.caption("Working out what it would have said earlier in the study.")
