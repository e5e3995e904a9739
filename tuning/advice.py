"""One piece of advice on a request."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Advice:
    """One thing that a person may want to change before launching."""

    field: str  # path in the spec: budget.n_trials, search_space.<name>, hyperparameters.<name>
    text: str  # what is the matter, and the remedy
