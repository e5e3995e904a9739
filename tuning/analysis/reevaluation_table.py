"""What a re-evaluation found as rows: one for each candidate, and one for each run."""

import pandas as pd

from tuning.analysis.reevaluation_result import CandidateResult, ReevaluationInfo
from tuning.analysis.reevaluation_words import winner_word
from tuning.analysis.run_statistics import Interval


def verdict_word(info: ReevaluationInfo, result: CandidateResult) -> str:
    """Return what became of a candidate: recommended or ahead so far, given up, tied, or an empty text."""
    if info.winner is not None and result.candidate.key == info.winner.candidate.key:
        return winner_word(info)
    if result.dropped_after is not None:
        return "given up"
    return "tied" if result.is_tied else ""


def candidates_frame(info: ReevaluationInfo) -> pd.DataFrame:
    """Return one row a candidate, the best first.

    Columns:
        rank: by what was measured now (Int64).
        candidate: its name.
        verdict: recommended (below 3 runs ahead so far), tied, given up, or an empty text.
        runs: with a value (int64). In the mode "weights" these are episodes.
        broken: runs that diverged or failed (int64).
        mean, mean_low, mean_high: with its 95 % interval (float64).
        iqm, iqm_low, iqm_high: mean of the middle half of the runs, likewise.
        worst: of the runs (float64).
        tenth_percentile: of the runs, from the bad end (float64).
        collapsed, solved: shares of the runs (float64).
        p_best: probability of being the best of them (float64).
        p_improvement: probability that a run of it beats one of the baseline (float64).
        p_value: against the baseline, paired Wilcoxon after Holm (float64).
        search_value: what the search measured, once (float64).
        search_rank: by that (Int64).
        seconds: median wall-clock time of a training run (float64).
    """
    rows = info.candidates
    means = [_ends(c.mean_interval) for c in rows]
    iqms = [_ends(c.iqm_interval) for c in rows]
    return pd.DataFrame(
        {
            "rank": pd.Series([c.rank for c in rows], dtype="Int64"),
            "candidate": pd.Series([c.candidate.name for c in rows], dtype="object"),
            "verdict": pd.Series([verdict_word(info, c) for c in rows], dtype="object"),
            "runs": pd.Series([c.n_runs for c in rows], dtype="int64"),
            "broken": pd.Series([c.n_broken for c in rows], dtype="int64"),
            "mean": _numbers([c.mean for c in rows]),
            "mean_low": _numbers([low for low, _ in means]),
            "mean_high": _numbers([high for _, high in means]),
            "iqm": _numbers([c.iqm for c in rows]),
            "iqm_low": _numbers([low for low, _ in iqms]),
            "iqm_high": _numbers([high for _, high in iqms]),
            "worst": _numbers([c.worst for c in rows]),
            "tenth_percentile": _numbers([c.tenth_percentile for c in rows]),
            "collapsed": _numbers([c.collapsed for c in rows]),
            "solved": _numbers([c.solved for c in rows]),
            "p_best": _numbers([c.p_best for c in rows]),
            "p_improvement": _numbers([c.p_improvement for c in rows]),
            "p_value": _numbers([c.p_value for c in rows]),
            "search_value": _numbers([c.candidate.search_value for c in rows]),
            "search_rank": pd.Series([c.search_rank for c in rows], dtype="Int64"),
            "seconds": _numbers([c.seconds for c in rows]),
        }
    )


def runs_frame(info: ReevaluationInfo) -> pd.DataFrame:
    """Return one row a seed (in the mode "weights" an episode) and one column a candidate, the best first.

    Columns: seed (or episode) counted from 1, then the candidates' names with their returns (float64).
    """
    n = max((len(c.returns) for c in info.candidates), default=0)
    first = "seed" if info.question.mode == "retrain" else "episode"
    columns: dict[str, pd.Series] = {first: pd.Series(range(1, n + 1), dtype="int64")}
    for c in info.candidates:
        name = c.candidate.name
        while name in columns:  # two sets of values that others tuned may share a name
            name += " "
        columns[name] = _numbers([*c.returns, *[None] * (n - len(c.returns))])
    return pd.DataFrame(columns)


def _ends(interval: Interval | None) -> tuple[float | None, float | None]:
    return (None, None) if interval is None else (interval.low, interval.high)


def _numbers(values: list[float | None]) -> pd.Series:
    return pd.Series(values, dtype="float64")
