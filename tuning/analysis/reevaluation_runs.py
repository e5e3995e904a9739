"""From the results of runs to scores that can be compared: higher is better, and a broken run counts."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tuning.reevaluation import Candidate, Reevaluation
from tuning.retraining_plan import RunResult


@dataclass(frozen=True)
class CandidateRuns:
    """One candidate's runs, or in the mode "weights" its policy's episodes."""

    candidate: Candidate
    returns: tuple[float | None, ...]  # by seed, or by episode; None: not there, or broken
    scores: np.ndarray  # the same, higher is better. NaN: not there. Broken ones count as the worst level
    n_broken: int
    seconds: float | None  # of training, median of those with a value; None for episodes
    n_died: int = 0  # of the broken ones, those whose workers were killed

    @property
    def values(self) -> list[float]:
        """The returns of the runs that have one."""
        return [x for x in self.returns if x is not None]

    @property
    def counted(self) -> np.ndarray:
        """The scores that count; none as long as no run has a value."""
        return self.scores[np.isfinite(self.scores)] if self.values else np.empty(0)


def sign_of(question: Reevaluation) -> float:
    """Return what turns a return into a score, and back: 1, or -1 when less is better."""
    return 1.0 if question.maximize else -1.0


def planned_runs(question: Reevaluation) -> int:
    """Return how many results a candidate has in the end, without racing."""
    return question.n_seeds if question.mode == "retrain" else 1


def candidate_runs(
    question: Reevaluation, results: Mapping[str, RunResult]
) -> tuple[list[CandidateRuns], float | None]:
    """Return each candidate's runs, in the order of their keys, and the score that a broken run counts as.

    The order does not depend on the question's, so that nothing drawn at random does.
    """
    sign = sign_of(question)
    candidates = sorted(question.candidates, key=lambda c: c.key)
    found = {c.key: _results_of(question, results, c) for c in candidates}
    returns = {c.key: _returns(question, found[c.key]) for c in candidates}
    worst = _worst_score(question, [x for row in returns.values() for x in row if x is not None], sign)
    return [_runs(question, c, found[c.key], returns[c.key], worst) for c in candidates], worst


def returns_with_broken(
    question: Reevaluation, results: Mapping[str, RunResult]
) -> dict[str, list[float | None]]:
    """Return what racing asks for: mean returns by key and seed, NaN for broken runs, None for missing."""
    return {
        c.key: [
            None if r is None else math.nan if r.mean is None else r.mean
            for r in _results_of(question, results, c)
        ]
        for c in question.candidates
    }


def matrix(runs: Sequence[CandidateRuns]) -> np.ndarray:
    """Return the scores as an array (candidates, seeds), NaN where there is no run."""
    found = np.full((len(runs), max(len(r.scores) for r in runs)), np.nan)
    for row, r in zip(found, runs, strict=True):
        row[: len(r.scores)] = r.scores
    return found


def _results_of(
    question: Reevaluation, results: Mapping[str, RunResult], candidate: Candidate
) -> list[RunResult | None]:
    return [results.get(question.run_key(candidate, seed)) for seed in range(planned_runs(question))]


def _returns(question: Reevaluation, found: Sequence[RunResult | None]) -> tuple[float | None, ...]:
    if question.mode == "weights":
        return tuple(x for r in found if r is not None and r.mean is not None for x in r.returns)
    return tuple(None if r is None else r.mean for r in found)


def _worst_score(question: Reevaluation, values: Sequence[float], sign: float) -> float | None:
    seen = [sign * x for x in values]
    if question.worst_seen is not None:
        seen.append(sign * question.worst_seen)
    return min(seen, default=None)


def _runs(
    question: Reevaluation,
    candidate: Candidate,
    found: Sequence[RunResult | None],
    returns: tuple[float | None, ...],
    worst: float | None,
) -> CandidateRuns:
    ended = [r for r in found if r is not None]
    ok = [r for r in ended if r.mean is not None]
    scores = sign_of(question) * np.array([math.nan if x is None else x for x in returns], dtype=float)
    seconds = None
    if question.mode == "retrain":
        if worst is not None:
            scores = np.where([r is not None and r.mean is None for r in found], worst, scores)
        if ok:
            seconds = float(np.median([r.duration_s for r in ok]))
    n_died = sum(r.worker_died for r in ended)
    return CandidateRuns(candidate, returns, scores, len(ended) - len(ok), seconds, n_died)
