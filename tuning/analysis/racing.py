"""Racing: which candidates cannot win any more, so that nobody needs to train them further."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from tuning.analysis.comparison import fewest_pairs
from tuning.analysis.pairwise import pairwise
from tuning.reevaluation import Candidate, Reevaluation

FIRST_LOOK = 3  # seeds: the variance of two runs says nothing
LEVEL = 0.015  # of one look, shared among the rivals of a candidate
PRIOR = 2.0  # degrees of freedom of the typical variance: after 3 seeds a candidate's own has only two
BASELINE_SEEDS = 6  # of a baseline at least: below 6 pairs no test against it can say anything


def dropped(question: Reevaluation, returns_by_key: Mapping[str, Sequence[float | None]]) -> dict[str, int]:
    """Return the candidates that cannot win any more, with the number of seeds after which that was plain.

    Call it before each run, with all results so far: what it names need not be trained with seeds from that
    number on (counted from 0). It is a pure function of the results. It looks after 3 seeds and then after
    every further one, each time only at results of those seeds, and only once every remaining candidate has
    them. So results that come later, or in another order, never change what an earlier look said, and a
    resumed job drops the same candidates as one that never stopped.

    Baselines stay for at least 6 seeds, and the one that the others are tested against for as many as the
    test needs to be able to say something. At least one candidate always remains, and no look is made after
    the last seed, as there is nothing left to save then.

    Args:
        question: what was asked; nothing is dropped without `racing`, nor in the mode "weights".
        returns_by_key: mean return of each run by the candidate's key, in the order of seeds. None: no
            result yet; NaN: the run broke (diverged or failed) and counts as the worst level seen. Shorter
            sequences and absent keys mean that the rest is not there yet.
    """
    if not question.racing or question.mode == "weights":
        return {}
    sign = 1.0 if question.maximize else -1.0
    remaining = list(question.candidates)
    found: dict[str, int] = {}
    for n in range(FIRST_LOOK, question.n_seeds):
        rows = [_first(returns_by_key.get(c.key, ()), n) for c in remaining]
        if len(remaining) < 2 or any(row is None for row in rows):
            break
        worst_seen = None if question.worst_seen is None else sign * question.worst_seen
        scores = _with_broken(sign * np.array(rows, dtype=float), worst_seen)
        if scores is None:
            continue
        out = hopeless(scores)
        lost = [
            c for c, hopeless_ in zip(remaining, out, strict=True) if hopeless_ and n >= _fewest(question, c)
        ]
        found |= {c.key: n for c in lost}
        remaining = [c for c in remaining if c.key not in found]
    return found


def hopeless(scores: np.ndarray, *, level: float = LEVEL) -> np.ndarray:
    """Return which candidates are surely worse than some other one: (..., k) of bool.

    Args:
        scores: (..., k, n), higher is better, without gaps.
        level: chance of dropping the best at this look, at most.
    """
    k = scores.shape[-2]
    return np.asarray((pairwise(scores, prior=PRIOR).p_values < level / max(k - 1, 1)).any(axis=-1))


def _fewest(question: Reevaluation, candidate: Candidate) -> int:
    if candidate == question.baseline:
        return max(BASELINE_SEEDS, fewest_pairs(len(question.candidates) - 1))
    return BASELINE_SEEDS if candidate.is_baseline else FIRST_LOOK


def _first(returns: Sequence[float | None], n: int) -> list[float] | None:
    first = [x for x in returns[:n] if x is not None]
    return first if len(first) == n else None


def _with_broken(scores: np.ndarray, worst_seen: float | None) -> np.ndarray | None:
    """Return the scores with the worst level seen in place of NaN; None if no run gave a value."""
    values = scores[np.isfinite(scores)]
    if not values.size:
        return None
    worst = float(values.min())
    if worst_seen is not None and math.isfinite(worst_seen):
        worst = min(worst, worst_seen)
    return np.where(np.isfinite(scores), scores, worst)
