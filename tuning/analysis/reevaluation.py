"""Is the winner real? What a re-evaluation's runs say about each candidate and about which one is best."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tuning.reevaluation import Candidate, Reevaluation
from tuning.retraining_plan import RunResult

Estimate = Literal["mean", "IQM"]


@dataclass(frozen=True)
class Interval:
    """A 95 % interval."""

    low: float
    high: float


@dataclass(frozen=True)
class CandidateResult:
    """What is known about one candidate. A run is one training, or, in the mode "weights", one episode."""

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
    worst: float | None
    tenth_percentile: float | None  # of the runs, from the bad end
    collapsed: float | None  # share of runs, broken ones included
    solved: float | None  # share of runs; None without a reward threshold
    p_best: float | None
    p_improvement: float | None  # that a run of it is better than one of the baseline; None for that itself
    p_value: float | None  # paired Wilcoxon against the baseline on common seeds, after Holm
    n_pairs: int  # common seeds with the baseline
    is_tied: bool  # cannot be told from the best
    seconds: float | None  # median wall-clock time of a training run
    search_rank: int | None  # among these candidates, by what the search measured; 1 is best
    rank: int | None  # by what was measured now


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
    optimism: float | None  # how much better the search's values were on average than what was measured now
    slope: float | None  # of measured on searched values; 1: the search's differences are real, 0: all noise
    rank_correlation: float | None  # Kendall's tau of search value and measured value
    recommendation: str  # plain text, for a colleague
    warnings: tuple[str, ...]  # what the numbers cannot say, in plain text


def reevaluation_info(question: Reevaluation, results: Mapping[str, RunResult]) -> ReevaluationInfo:
    """Judge the candidates by the runs that there are.

    Args:
        question: what was asked.
        results: those there are so far, by key.
    """
    raise NotImplementedError
