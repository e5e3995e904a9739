"""What a request's sampler, pruner and objective cannot do together, as sentences with the remedy."""

from typing import TYPE_CHECKING

from tuning.pruner_choice import pruner_fault
from tuning.sampler_choice import sampler_fault, setting
from tuning.space.parameters import shown

if TYPE_CHECKING:
    from tuning.spec import StudySpec


def method_faults(spec: "StudySpec") -> list[str]:
    """Return what cannot be run although each field holds by itself, one sentence each."""
    found = [
        sampler_fault(spec.sampler.name, setting(spec)) if spec.search_space else None,
        pruner_fault(spec.pruner, n_seeds=spec.objective.n_seeds, second=spec.objective.second),
        *_objective_faults(spec),
    ]
    return [fault for fault in found if fault]


def _objective_faults(spec: "StudySpec") -> list[str]:
    objective, budget = spec.objective, spec.budget
    faults = []
    n_marks = len(spec.evaluation_marks())  # fewer than asked for where a training has fewer steps
    if objective.last_k > n_marks:
        faults.append(
            f"`objective.last_k` must be at most the number of evaluations, {n_marks}: received "
            f"{objective.last_k}. Lower it, or evaluate more often."
        )
    if objective.second == "steps_to_threshold":
        if objective.threshold is None:
            faults.append(
                "`objective.threshold` is missing: steps_to_threshold needs the mean return that is to be "
                "reached. Add it."
            )
        if budget.trial_seconds is not None:
            faults.append(
                "Steps to a threshold need a budget in steps: a training that never gets there counts as "
                f"twice its steps. Remove `budget.trial_seconds`: received {shown(budget.trial_seconds)}."
            )
    if objective.second == "training_time" and budget.trial_seconds is not None:
        faults.append(
            "With a time for each trial every training takes the same time, so it is no second objective. "
            f"Remove `budget.trial_seconds`: received {shown(budget.trial_seconds)}, or choose another one."
        )
    return faults
