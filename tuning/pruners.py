"""Pruners by name, from the spec."""

import optuna
from optuna.pruners import BasePruner
from optuna.trial import FrozenTrial, TrialState

from tuning.pruner_choice import first_rung, report_steps, warmup_steps
from tuning.spec import StudySpec


def build_pruner(spec: StudySpec) -> BasePruner:
    """Return the pruner; its steps are those in which trials report: env steps, or seconds."""
    asked = spec.pruner
    steps = tuple(step for step, _ in report_steps(spec))
    n_start, warmup = asked.n_startup_trials, warmup_steps(asked, spec.evaluation_marks()[-1])
    match asked.name:
        case "median":
            return optuna.pruners.MedianPruner(n_startup_trials=n_start, n_warmup_steps=warmup)
        case "percentile":
            return optuna.pruners.PercentilePruner(
                asked.percentile, n_startup_trials=n_start, n_warmup_steps=warmup
            )
        case "patient":
            median = optuna.pruners.MedianPruner(n_startup_trials=n_start, n_warmup_steps=warmup)
            return optuna.pruners.PatientPruner(median, patience=asked.patience)
        case "successive_halving":
            return AfterStart(
                optuna.pruners.SuccessiveHalvingPruner(
                    min_resource=first_rung(asked, steps), reduction_factor=asked.reduction_factor
                ),
                n_start,
            )
        case "hyperband":
            return AfterStart(
                optuna.pruners.HyperbandPruner(
                    min_resource=first_rung(asked, steps),
                    max_resource=steps[-1],
                    reduction_factor=asked.reduction_factor,
                ),
                n_start,
            )
        case "wilcoxon":
            return AfterStart(optuna.pruners.WilcoxonPruner(p_threshold=asked.p_threshold), n_start)
        case "threshold":
            lower, upper = (asked.threshold, None) if spec.maximize else (None, asked.threshold)
            return optuna.pruners.ThresholdPruner(lower=lower, upper=upper, n_warmup_steps=warmup)
    return optuna.pruners.NopPruner()


class AfterStart(BasePruner):
    """A pruner that is not listened to before enough trials are complete.

    Halving has nothing of the kind: its `bootstrap_count` prunes everything at a rung until enough got there.
    It is asked all the same, so that the first trials stand on their rungs. Hyperband in here is no
    `HyperbandPruner` to Optuna, which would show a sampler only the trials of one bracket.

    Args:
        pruner: the one that decides.
        n_startup_trials: complete trials before it is listened to.
    """

    def __init__(self, pruner: BasePruner, n_startup_trials: int) -> None:
        self._pruner = pruner
        self._n_startup_trials = n_startup_trials

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        """Say whether the trial should end."""
        complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        if not complete:
            return False
        return self._pruner.prune(study, trial) and len(complete) >= self._n_startup_trials
