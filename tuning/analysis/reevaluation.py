"""Is the winner real? What a re-evaluation's runs say about each candidate and about which one is best."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence

import numpy as np

from tuning.analysis import comparison, run_statistics, search_agreement
from tuning.analysis.expected import expected_score
from tuning.analysis.racing import dropped
from tuning.analysis.reevaluation_result import CandidateResult, Estimate, ReevaluationInfo
from tuning.analysis.reevaluation_runs import (
    CandidateRuns,
    candidate_runs,
    matrix,
    planned_runs,
    returns_with_broken,
    sign_of,
)
from tuning.analysis.reevaluation_warnings import warnings
from tuning.analysis.reevaluation_words import recommendation, test_note
from tuning.analysis.run_statistics import Interval
from tuning.reevaluation import Reevaluation
from tuning.retraining_plan import RunResult

__all__ = ["CandidateResult", "Estimate", "Interval", "ReevaluationInfo", "reevaluation_info"]

RUNS_FOR_IQM = 10  # below, the mean stands for a candidate
RUNS_TO_CHOOSE_BY_TIME = 5  # with fewer, runs say too little to trade return for time
NEARLY_AS_LIKELY = 0.5  # of the best's P(best): the cheapest of all tied ones is often clearly worse
AS_CHEAP = 1.1  # times of training that differ by less are noise of a shared machine


def reevaluation_info(question: Reevaluation, results: Mapping[str, RunResult]) -> ReevaluationInfo:
    """Judge the candidates by the runs that there are.

    The same results give the same answer, in whatever order the candidates or the results come.

    Args:
        question: what was asked.
        results: those there are so far, by key.
    """
    said = _Comparison(question, results)
    found = tuple(said.result(runs, place) for place, runs in enumerate(said.ranked, 1))
    tied = [r for r in found if r.is_tied]
    winner = _winner(tied)
    best_trial = _best_trial(found, winner)
    both = _searched_and_measured(found)
    searched, measured = [r.candidate.search_value or 0.0 for r in both], [r.mean or 0.0 for r in both]
    before, now = _ranks_before_and_now(both, maximize=question.maximize)
    same_budget = question.n_timesteps == question.study_timesteps or question.mode == "weights"
    info = ReevaluationInfo(
        question=question,
        candidates=found,
        n_done=len(said.done),
        n_saved=_saved(question, said),
        n_runs=len(question.candidates) * planned_runs(question),
        winner=winner,
        tied=tuple(sorted(tied, key=lambda r: r is not winner)),
        expected=said.expected(winner),
        optimism=search_agreement.optimism(searched, measured, maximize=question.maximize)
        if same_budget
        else None,
        slope=search_agreement.slope(searched, measured),
        rank_correlation=search_agreement.rank_correlation(list(before.values()), list(now.values())),
        recommendation="",
        warnings=(),
        baseline=next((r for r in found if r.candidate == question.baseline), None),
        broken_level=said.to_return(said.worst),
        collapse_level=said.to_return(said.collapse_level),
        seeds_to_tell=said.seeds_to_tell(),
        search_worth=search_agreement.worth(before, now),
        best_trial=best_trial,
        expected_trial=said.expected(best_trial)
        if best_trial is winner
        else said.expected_of_trial(best_trial),
    )
    info = dataclasses.replace(info, test_note=test_note(info))
    return dataclasses.replace(info, recommendation=recommendation(info), warnings=warnings(info))


class _Comparison:
    """The candidates' scores, and what is computed from several of them."""

    def __init__(self, question: Reevaluation, results: Mapping[str, RunResult]) -> None:
        self.question = question
        self.sign = sign_of(question)
        self.runs, self.worst = candidate_runs(question, results)
        keys = {question.run_key(c, s) for c in question.candidates for s in range(planned_runs(question))}
        self.done = {key: result for key, result in results.items() if key in keys}
        self.dropped = dropped(question, returns_with_broken(question, results))
        self.ranked = sorted(self.runs, key=self._place)  # best first
        self.racing = [r for r in self.ranked if len(r.counted) and r.candidate.key not in self.dropped]
        self.baseline = next((r for r in self.runs if r.candidate == question.baseline), None)

    def _place(self, runs: CandidateRuns) -> tuple[bool, bool, float, str]:
        """Given up ones come after the others: one with a few lucky runs is not the best."""
        key, scores = runs.candidate.key, runs.counted
        return (
            not len(scores),
            key in self.dropped,
            -float(scores.mean()) if len(scores) else 0.0,
            key,
        )

    def to_return(self, score: float | None) -> float | None:
        return None if score is None else self.sign * score

    @functools.cached_property
    def tied(self) -> set[str]:
        """The keys of those that cannot be told from the best."""
        if not self.racing:
            return set()
        told = comparison.cannot_be_told(matrix(self.racing))
        found = {r.candidate.key for r, is_tied in zip(self.racing, told, strict=True) if is_tied}
        return found | {self.racing[0].candidate.key}

    @functools.cached_property
    def p_best(self) -> dict[str, float | None]:
        """By key; None for a candidate below two runs."""
        some = [r for r in self.runs if len(r.counted)]
        if not some:
            return {}
        found = comparison.p_best(matrix(some))
        return {r.candidate.key: None if np.isnan(p) else float(p) for r, p in zip(some, found, strict=True)}

    @functools.cached_property
    def collapse_level(self) -> float | None:
        """The score short of which a run counts as collapsed; None where no worst level is known."""
        if self.question.mode == "weights" or self.question.worst_seen is None or self.worst is None:
            return None
        if not self.racing:
            return None
        return run_statistics.collapse_level(self.worst, float(np.median(self.racing[0].counted)))

    @functools.cached_property
    def p_values(self) -> dict[str, float]:
        """Adjusted p-values against the baseline by key, of those with enough pairs."""
        fewest = comparison.fewest_pairs(len(self.runs) - 1)
        tested = {
            r.candidate.key: comparison.paired_p_value(*pairs)
            for r in self.runs
            if len((pairs := self.pairs(r))[0]) >= fewest
        }
        return comparison.holm(tested, n_comparisons=len(self.runs) - 1)

    def pairs(self, runs: CandidateRuns) -> tuple[np.ndarray, np.ndarray]:
        """Return the candidate's and the baseline's scores on the seeds that both have."""
        if self.baseline is None or runs is self.baseline or self.question.mode == "weights":
            return np.empty(0), np.empty(0)
        both = np.isfinite(runs.scores) & np.isfinite(self.baseline.scores)
        return runs.scores[both], self.baseline.scores[both]

    def expected(self, winner: CandidateResult | None) -> float | None:
        return self._honest(winner, self.racing)

    def expected_of_trial(self, trial: CandidateResult | None) -> float | None:
        """Return what to expect of the best trial where the winner is none: it was chosen among trials."""
        return self._honest(trial, [r for r in self.racing if r.candidate.kind == "trial"])

    def _honest(self, chosen: CandidateResult | None, among: Sequence[CandidateRuns]) -> float | None:
        if chosen is None:
            return None
        place = [r.candidate.key for r in among].index(chosen.candidate.key)
        return self.to_return(expected_score(matrix(among), place))

    def seeds_to_tell(self) -> int | None:
        """Return how many seeds would tell the best two apart, were the difference what it looks like."""
        if len(self.tied) < 2:
            return None
        second = next(r for r in self.racing[1:] if r.candidate.key in self.tied)
        return comparison.seeds_to_tell(
            matrix([self.racing[0], second]), n_rivals=max(len(self.racing) - 1, 1)
        )

    def result(self, runs: CandidateRuns, place: int) -> CandidateResult:
        q, key, sign = self.question, runs.candidate.key, self.sign
        scores, values = runs.counted, runs.values
        counted = [sign * float(x) for x in scores]  # as returns again
        some, n = bool(len(scores)), len(scores)
        improvement = None
        if self.baseline is not None and runs is not self.baseline:
            improvement = comparison.probability_of_improvement(scores, self.baseline.counted)
        ended = len(values) + runs.n_broken
        collapsed = solved = None
        if self.collapse_level is not None and ended:
            collapsed = (runs.n_broken + sum(sign * x < self.collapse_level for x in values)) / ended
        if q.reward_threshold is not None and ended:
            solved = sum(sign * x >= sign * q.reward_threshold for x in values) / ended
        searched = {c.key: c.search_value for c in q.candidates if c.search_value is not None}
        return CandidateResult(
            candidate=runs.candidate,
            returns=runs.returns,
            n_runs=len(values),
            n_broken=runs.n_broken,
            dropped_after=self.dropped.get(key),
            mean=float(np.mean(counted)) if some else None,
            mean_interval=run_statistics.mean_interval(counted),
            iqm=run_statistics.iqm(counted) if some else None,
            iqm_interval=run_statistics.iqm_interval(counted),
            shown="IQM" if n >= RUNS_FOR_IQM else "mean",
            median=float(np.median(counted)) if some else None,
            worst=sign * min(sign * x for x in values) if values else None,
            tenth_percentile=run_statistics.tenth_percentile(counted, maximize=q.maximize) if some else None,
            collapsed=collapsed,
            solved=solved,
            p_best=self.p_best.get(key),
            p_improvement=improvement,
            p_value=self.p_values.get(key),
            n_pairs=len(self.pairs(runs)[0]),
            is_tied=key in self.tied,
            seconds=runs.seconds,
            search_rank=search_agreement.ranks(searched, maximize=q.maximize).get(key),
            rank=place if some else None,
            n_died=runs.n_died,
        )


def _winner(tied: Sequence[CandidateResult]) -> CandidateResult | None:
    """Return the cheapest to train of those that are about as likely the best, given best first."""
    if not tied:
        return None
    least = NEARLY_AS_LIKELY * (tied[0].p_best or 0.0)
    rivals = [r for r in tied[1:] if r.p_best is not None and r.p_best >= least and r.seconds is not None]
    if tied[0].seconds is None or not rivals or min(r.n_runs for r in tied) < RUNS_TO_CHOOSE_BY_TIME:
        return tied[0]
    seconds = {r.candidate.key: r.seconds or 0.0 for r in (tied[0], *rivals)}
    return next(r for r in (tied[0], *rivals) if seconds[r.candidate.key] <= AS_CHEAP * min(seconds.values()))


def _best_trial(found: Sequence[CandidateResult], winner: CandidateResult | None) -> CandidateResult | None:
    """Return the winner where it is a trial, else the best of those trials that were not given up."""
    if winner is None or winner.candidate.kind == "trial":
        return winner
    trials = [r for r in found if r.candidate.kind == "trial" and r.mean is not None]
    return next((r for r in trials if r.dropped_after is None), None)


def _saved(question: Reevaluation, said: _Comparison) -> int:
    by_key = {c.key: c for c in question.candidates}
    return sum(
        question.run_key(by_key[key], seed) not in said.done
        for key, after in said.dropped.items()
        for seed in range(after, question.n_seeds)
    )


def _searched_and_measured(found: Sequence[CandidateResult]) -> list[CandidateResult]:
    """Return the candidates that have both values.

    Baselines are left out: the search did not choose them, and the defaults may lie so far from the rest that
    slope and rank correlation would be theirs.
    """
    ours = [r for r in found if not r.candidate.is_baseline]
    return [r for r in ours if r.candidate.search_value is not None and r.mean is not None]


def _ranks_before_and_now(
    both: Sequence[CandidateResult], *, maximize: bool
) -> tuple[dict[str, int], dict[str, int]]:
    """Return the ranks by the search's values and by the measured ones, by name."""
    searched = {r.candidate.name: r.candidate.search_value or 0.0 for r in both}
    now = search_agreement.measured_ranks(both, maximize=maximize)
    return search_agreement.ranks(searched, maximize=maximize), {
        r.candidate.name: now[r.candidate.key] for r in both
    }
