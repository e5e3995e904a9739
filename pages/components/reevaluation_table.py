"""The candidates of a re-evaluation as a table, every run behind an expander, both as CSV."""

import pandas as pd
import streamlit as st

from pages.components import frame, table_csv
from tuning.analysis.reevaluation_result import ReevaluationInfo
from tuning.analysis.reevaluation_table import candidates_frame, runs_frame
from tuning.analysis.words import three_digits

_NUMBER = st.column_config.NumberColumn
_TEXT = st.column_config.TextColumn
_SHARES = ("collapsed", "solved", "p_best", "p_improvement")


def draw(info: ReevaluationInfo, *, key: str, trained_by: str) -> None:
    """Draw one row a candidate, the best first, and what each run returned.

    Args:
        info: what the re-evaluation found.
        key: of the widgets, and the start of the files' names.
        trained_by: whose code trained the runs, in words; empty where nothing was trained or recorded.
    """
    st.subheader("Candidate by candidate", anchor=False)
    full = candidates_frame(info)
    st.dataframe(
        _shown(info, full),
        hide_index=True,
        width="stretch",
        height="content",
        column_config=_config(info),
        key=f"candidates-{key}",
        placeholder="",
        alt="Table of candidates with their runs, means, intervals and probabilities",
    )
    _draw_caption(info, trained_by)
    with st.container(horizontal=True):
        table_csv.draw(full, f"{key}-candidates.csv", key=f"candidates-csv-{key}")
    runs = runs_frame(info)
    with st.expander(f"Every {'run' if info.question.mode == 'retrain' else 'episode'}", key=f"runs-{key}"):
        st.dataframe(
            runs,
            hide_index=True,
            width="stretch",
            column_config={name: _NUMBER(str(name), format="%.4g") for name in runs.columns[1:]},
            placeholder="",
            key=f"runs-table-{key}",
            alt="Return of each run by candidate",
        )
        table_csv.draw(runs, f"{key}-runs.csv", key=f"runs-csv-{key}")


def _draw_caption(info: ReevaluationInfo, trained_by: str) -> None:
    words = "IQM is the mean of the middle half of the runs. P(best) is how likely each is the best of these."
    if info.question.mode == "weights":
        words = (
            "Each row is one trained agent, and its values are over episodes. IQM is the mean of their "
            "middle half. P(best) is how likely each agent is the best of these."
        )
    elif info.baseline is not None:
        baseline = frame.escape(info.baseline.candidate.name)
        words += (
            f" Beats: how likely a run of it is better than one of {baseline}. "
            "p: paired Wilcoxon test against the same, corrected for the number of candidates (Holm)."
        )
    if trained_by:
        words += f" Trained by {frame.escape(trained_by)}."
    st.caption(words)


def _shown(info: ReevaluationInfo, full: pd.DataFrame) -> pd.DataFrame:
    """Return what people read: intervals as words, shares in per cent, columns that say something."""
    table = full.copy()
    table["interval"] = [
        _interval(low, high) for low, high in zip(full["mean_low"], full["mean_high"], strict=True)
    ]
    for name in _SHARES:
        table[name] = table[name] * 100
    wanted = ["rank", "candidate", "mean", "verdict", "interval", "runs", "broken", "iqm", "worst"]
    wanted += ["collapsed", "solved", "p_best", "p_improvement", "p_value", "search_value", "seconds"]
    if info.question.mode == "weights":
        wanted.remove("seconds")
    optional = [name for name in wanted if table[name].isna().all()]
    if not (table["broken"] > 0).any():
        optional.append("broken")
    return table[[name for name in wanted if name not in optional]]


def _interval(low: float, high: float) -> str:
    return "" if pd.isna(low) else f"{three_digits(low)} to {three_digits(high)}"


def _config(info: ReevaluationInfo) -> dict:
    baseline = info.question.baseline
    against = baseline.name if baseline else "the baseline"
    unit = "Runs" if info.question.mode == "retrain" else "Episodes"
    return {
        "rank": _NUMBER("Rank", width=50, pinned=True),
        "candidate": _TEXT("Candidate", width=120, pinned=True),
        "verdict": _TEXT("Verdict", width=100),
        "runs": _NUMBER(unit, width=60, help="With a value."),
        "broken": _NUMBER("Broke", width=60, help="Diverged or failed."),
        "mean": _NUMBER("Mean", format="%.4g", width=80),
        "interval": _TEXT("95 % interval", width=120, help="Of the mean, Student's t."),
        "iqm": _NUMBER("IQM", format="%.4g", width=80, help="Mean of the middle half of the runs."),
        "worst": _NUMBER("Worst", format="%.4g", width=80),
        "collapsed": _NUMBER("Collapsed", format="%.0f %%", width=80, help="They learnt hardly anything."),
        "solved": _NUMBER("Solved", format="%.0f %%", width=70, help="Runs past the reward threshold."),
        "p_best": _NUMBER("P(best)", format="%.0f %%", width=70),
        "p_improvement": _NUMBER(
            "Beats", format="%.0f %%", width=70, help=f"How likely a run is better than one of {against}."
        ),
        "p_value": _NUMBER("p (Holm)", format="%.3g", width=80, help=f"Paired, against {against}."),
        "search_value": _NUMBER("Search", format="%.4g", width=80, help="What the search measured, once."),
        "seconds": _NUMBER("Train, s", format="%.0f", width=70, help="Median time of a training run."),
    }
