"""What to expect of the winner, freed of having been chosen for its luck."""

import numpy as np


def expected_score(scores: np.ndarray, winner: int) -> float | None:
    """Return an honest mean score for the winner."""
    found = held_out_mean(scores)
    return float(np.nanmean(scores[winner])) if found is None else found


def held_out_mean(scores: np.ndarray) -> float | None:
    """Return what choosing the best by its mean gives on a seed that had no say in the choice.

    Each seed is left out in turn: the best on the others is looked up on it. Averaged over all seeds this
    is free of bias for the choice with one seed less. None below two seeds that all have.

    Args:
        scores: (k, n), higher is better; NaN: not there.
    """
    whole = scores[:, np.isfinite(scores).all(axis=0)]
    n = whole.shape[1]
    if n < 2 or not len(whole):
        return None
    others = (whole.sum(axis=1, keepdims=True) - whole) / (n - 1)
    return float(whole[others.argmax(axis=0), np.arange(n)].mean())
