"""Pruners by name, from the spec."""

import copy

import optuna
from optuna.pruners import BasePruner
from optuna.trial import FrozenTrial, TrialState

from tuning.pruner_choice import first_rung, report_steps, warmup_steps
from tuning.spec import StudySpec


def build_pruner(spec: StudySpec) -> BasePruner:
    """Return the pruner; its steps are those in which trials report: env steps, or seconds."""
    asked = spec.pruner
    total, (end, _) = spec.evaluation_marks()[-1], report_steps(spec)[-1]
    n_start, warmup = asked.n_startup_trials, warmup_steps(asked, total)
    median = optuna.pruners.MedianPruner(n_startup_trials=n_start, n_warmup_steps=warmup)
    match asked.name:
        case "median":
            return NewestAfter(total, median, first=median)
        case "percentile":
            share = optuna.pruners.PercentilePruner(
                asked.percentile, n_startup_trials=n_start, n_warmup_steps=warmup
            )
            return NewestAfter(total, share, first=share)
        case "patient":
            patient = optuna.pruners.PatientPruner(median, patience=asked.patience)
            return NewestAfter(total, median, first=patient)
        case "successive_halving":
            return AfterStart(
                optuna.pruners.SuccessiveHalvingPruner(
                    min_resource=first_rung(spec), reduction_factor=asked.reduction_factor
                ),
                n_start,
            )
        case "hyperband":
            return AfterStart(
                optuna.pruners.HyperbandPruner(
                    min_resource=first_rung(spec),
                    max_resource=end,
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
        return self._pruner.prune(study, trial) and len(complete) >= max(1, self._n_startup_trials)


class NewestAfter(BasePruner):
    """A pruner that goes by a trial's newest report alone once its first training is over.

    Optuna's percentiles compare the best report so far, which suits one learning curve. The reports of
    further trainings are means over trainings: there a lucky evaluation of the first one would save the trial
    for good, and nothing is a gain or a plateau.

    Args:
        end: the step at which the first training ends.
        pruner: the one that decides after that.
        first: the one that decides until then, by all reports.
    """

    def __init__(self, end: int, pruner: BasePruner, *, first: BasePruner) -> None:
        self._end = end
        self._pruner = pruner
        self._first = first

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        """Say whether the trial should end."""
        step = trial.last_step
        if step is None or step <= self._end:
            return self._first.prune(study, trial)
        newest = copy.copy(trial)
        newest.intermediate_values = {step: trial.intermediate_values[step]}
        return self._pruner.prune(study, newest)
