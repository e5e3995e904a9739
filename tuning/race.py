"""What a race does without: the runs of candidates of a re-evaluation that cannot win any more."""

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
    from tuning.analysis.reevaluation_runs import returns_with_broken

    given_up = dropped(question, returns_with_broken(question, results))
    runs = (
        question.run_key(candidate, seed)
        for candidate in question.candidates
        if candidate.key in given_up
        for seed in range(given_up[candidate.key], question.n_seeds)
    )
    return Spared(tuple(given_up), frozenset(key for key in runs if key not in results))
