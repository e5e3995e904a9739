"""What a re-evaluation tells: about each candidate, and about all of them."""

from dataclasses import dataclass
from typing import Literal

from tuning.analysis.run_statistics import Interval
from tuning.reevaluation import Candidate, Reevaluation

Estimate = Literal["mean", "IQM"]


@dataclass(frozen=True)
class CandidateResult:
    """What is known about one candidate. A run is one training, or, in the mode "weights", one episode.

    A run that broke has no value. In what tells the candidates apart (mean, IQM, median, percentile, P(best),
    tests) it counts as the worst level seen, or breaking would pay.
    """

    candidate: Candidate
    returns: tuple[float | None, ...]  # by seed (mode "weights": by episode); None: not there, or broken
    n_runs: int  # with a value
    n_broken: int  # diverged or failed
    dropped_after: int | None  # seeds after which racing gave it up
    mean: float | None
    mean_interval: Interval | None  # Student's t; None below two runs
    iqm: float | None  # mean of the middle half
    iqm_interval: Interval | None  # bootstrap; None where there are too few runs for one
    shown: Estimate  # which of the two stands for the candidate: the mean below 10 runs, else the IQM
    median: float | None
    worst: float | None  # of the runs with a value
    tenth_percentile: float | None  # of the runs, from the bad end
    collapsed: float | None  # share of runs, broken ones included; None for episodes or without a worst level
    solved: float | None  # share of runs; None without a reward threshold
    p_best: float | None
    p_improvement: float | None  # that a run of it is better than one of the baseline; None for that itself
    p_value: float | None  # paired Wilcoxon against the baseline on common seeds, after Holm
    n_pairs: int  # common seeds with the baseline
    is_tied: bool  # cannot be told from the best
    seconds: float | None  # median wall-clock time of a training run
    search_rank: int | None  # among these candidates, by what the search measured; 1 is best
    rank: int | None  # by the mean of what was measured now; given up ones come after the others
    n_died: int = 0  # of the broken runs, those whose workers were killed: that may say nothing about it


@dataclass(frozen=True)
class ReevaluationInfo:
    """What a re-evaluation has found so far."""

    question: Reevaluation
    candidates: tuple[CandidateResult, ...]  # best first; those without a value last
    n_done: int
    n_saved: int  # runs that racing did without
    n_runs: int  # that there would be without racing
    winner: CandidateResult | None  # what is recommended: of those that cannot be told apart the cheapest
    tied: tuple[CandidateResult, ...]  # that cannot be told from the best, the winner first
    expected: float | None  # honest number for the winner's mean return: free of having been chosen
    optimism: float | None  # how much better the search's values were on average than what was measured
    # now; None at another budget than the study's
    slope: float | None  # of measured on searched values; 1: the search's differences are real, 0: all noise
    rank_correlation: float | None  # Kendall's tau of the ranks by the search and by what was measured now
    recommendation: str  # plain text, for a colleague
    warnings: tuple[str, ...]  # what the numbers cannot say, in plain text
    baseline: CandidateResult | None = None  # what the others are tested against
    broken_level: float | None = None  # the return that a broken run counts as
    collapse_level: float | None = None  # the return short of which a run counts as collapsed
    seeds_to_tell: int | None = None  # that would tell the best two apart, if they differ as much as it seems
    test_note: str = ""  # why there is no p-value, in plain text; empty where there are some
    search_worth: str = ""  # what the search's order of the candidates was worth, in plain text
    best_trial: CandidateResult | None = None  # of the search's own; the winner unless that is a baseline
    expected_trial: float | None = None  # honest number for its mean return, chosen among trials alone
