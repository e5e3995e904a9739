"""What to expect of a trial that was measured again: one rule for pages, exports and the chosen winner."""

from tuning.analysis.reevaluation_result import ReevaluationInfo


def expected_return(info: ReevaluationInfo, trial: int) -> float | None:
    """Return the honest number for a trial's mean return; None where nothing was measured of it.

    The mean of what was chosen for its mean flatters. So what is recommended, and the best of the trials, get
    the number that is free of that choice, and any other trial its mean.
    """
    found = next((c for c in info.candidates if c.candidate.trial == trial), None)
    if found is None:
        return None
    for best, honest in ((info.winner, info.expected), (info.best_trial, info.expected_trial)):
        if best is not None and best.candidate.key == found.candidate.key and honest is not None:
            return honest
    return found.mean
