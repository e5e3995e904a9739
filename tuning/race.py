"""What a race does without: the runs of candidates of a re-evaluation that cannot win any more."""

import math
from collections.abc import Mapping

from tuning.reevaluation import Reevaluation
from tuning.retraining_plan import RunResult, Spared


def spared(question: Reevaluation, results: Mapping[str, RunResult]) -> Spared:
    """Return which runs nobody needs, by the results so far alone: whoever asks gets the same answer.

    A run that has a result is not among them: it started before its candidate was given up.
    """
    if not question.racing:
        return Spared()
    from tuning.analysis.racing import dropped  # with SciPy

    seeds = range(question.n_seeds)
    returns = {
        c.key: [_value(results.get(question.run_key(c, seed))) for seed in seeds] for c in question.candidates
    }
    given_up = dropped(question, returns)
    runs = (
        question.run_key(c, seed)
        for c in question.candidates
        if c.key in given_up
        for seed in seeds
        if seed >= given_up[c.key]
    )
    return Spared(tuple(given_up), frozenset(key for key in runs if key not in results))


def _value(result: RunResult | None) -> float | None:
    """Return a run's value as racing takes it: None is not there yet, NaN broke."""
    if result is None:
        return None
    return math.nan if result.mean is None else result.mean
