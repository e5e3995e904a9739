"""Which pruner a request can have, what each is for, and where it can end a trial. Builds none."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from tuning.spec_parts import PrunerSpec

if TYPE_CHECKING:
    from tuning.spec import StudySpec

LABELS: Mapping[str, str] = MappingProxyType(
    {
        "median": "Median",
        "percentile": "Percentile",
        "successive_halving": "Successive halving",
        "hyperband": "Hyperband",
        "wilcoxon": "Wilcoxon",
        "patient": "Patient median",
        "threshold": "Threshold",
        "none": "None",
    }
)
USES: Mapping[str, str] = MappingProxyType(
    {
        "median": "A good default: ends a trial whose best evaluation so far is behind the median of the "
        "complete trials at the same point.",
        "percentile": "The median's rule with another share: keep more where slow starters win, fewer to "
        "save more.",
        "successive_halving": "Saves the most: of the trials that reach a rung, one in so many goes on. For "
        "many trials with four or more evaluations, where early results tell the late ones.",
        "hyperband": "Successive halving that starts some trials with a longer first rung, for when nobody "
        "knows how early results can be trusted. Needs many trials and evaluations.",
        "wilcoxon": "For noisy trainings with several seeds a trial: ends it between two seeds once a test "
        "says that it is behind the best.",
        "patient": "The median's rule, but never while the trial itself still gains: for learning curves "
        "with plateaus.",
        "threshold": "Ends a trial whose evaluation is worse than a return that nobody would want.",
        "none": "Trains every trial to its end: no slow starter is lost, and every trial has a result.",
    }
)
WITH_STARTUP = ("median", "percentile", "successive_halving", "hyperband", "wilcoxon", "patient")
WITH_WARMUP = ("median", "percentile", "successive_halving", "hyperband", "patient", "threshold")


@dataclass(frozen=True)
class Mark:
    """One report of a trial."""

    step: int  # in env steps, or in seconds where a trial has a time budget
    seed: int  # which training of the trial, from 0
    can_prune: bool
    why_not: str  # empty where it can


@dataclass(frozen=True)
class PruneSchedule:
    """Where in a trial, and from which trial on, the pruner can end it."""

    marks: tuple[Mark, ...]
    first_trial: int | None  # number of complete trials before it; None when nothing is ever pruned
    unit: str  # of the marks

    @property
    def earliest(self) -> Mark | None:
        """The first report at which a trial can end, or None."""
        return next((mark for mark in self.marks if mark.can_prune), None)

    @property
    def end(self) -> int:
        """The step at which a whole trial ends."""
        return self.marks[-1].step


def pruner_fault(asked: PrunerSpec, *, n_seeds: int, second: str | None) -> str | None:
    """Return why a pruner cannot serve a request, one sentence or two with the remedy, or None."""
    if asked.name == "none":
        return None
    if second:
        return (
            "Nothing can be pruned with two objectives: Optuna compares trials under way by a single one. "
            "Set the pruner to none."
        )
    if asked.name == "wilcoxon":
        needed = seeds_for_wilcoxon(asked.p_threshold)
        if n_seeds <= needed:
            return (
                f"Wilcoxon's test compares the seeds of a trial with those of the best one: it cannot fall "
                f"below a p-value of {asked.p_threshold:g} before {needed} seeds, and prunes between seeds. "
                f"Train {needed + 1} seeds a trial or more, raise the p-value, or set the pruner to median."
            )
    if asked.name == "threshold" and asked.threshold is None:
        return (
            "`pruner.threshold` is missing: the return below which (above which, when minimizing) a trial "
            "ends. Add it."
        )
    return None


def cut_words(spec: "StudySpec", reported: float, timesteps: int, *, n_trainings: int = 1) -> str:
    """Return why a trial is cut short, as the end of a sentence.

    Args:
        spec: the request.
        reported: what the pruner was told last.
        timesteps: env steps of the trial by then.
        n_trainings: over how many trainings that is the mean.
    """
    asked = spec.pruner
    match asked.name:
        case "percentile":
            why = f"was not among the best {asked.percentile:g} % of the complete trials"
        case "successive_halving" | "hyperband":
            why = f"was not among the best 1 in {asked.reduction_factor} that came as far"
        case "wilcoxon":
            why = f"and those before it were behind the best trial's (p below {asked.p_threshold:g})"
        case "threshold":
            why = f"was worse than the threshold of {asked.threshold:g}"
        case _:
            why = "was behind the median of the complete trials"
    over = f" over {n_trainings} trainings" if n_trainings > 1 else ""
    return f"a mean return of {reported:.4g}{over} after {timesteps} steps {why}"


def seeds_for_wilcoxon(p_threshold: float) -> int:
    """Return how many pairs a one-sided signed-rank test needs to fall below a p-value: 2^-n is its least."""
    return max(2, math.floor(-math.log2(p_threshold)) + 1)


def report_steps(spec: "StudySpec") -> tuple[tuple[int, int], ...]:
    """Return the steps at which a trial reports, each with the training it is in.

    In the first training at each evaluation, then at the end of each further one: steps go on where the last
    training ended. Wilcoxon takes every report for a seed, so then there is one for each training.
    """
    marks, n = spec.evaluation_marks(), spec.objective.n_seeds
    first = [(marks[-1], 0)] if spec.pruner.name == "wilcoxon" else [(mark, 0) for mark in marks]
    return (*first, *((marks[-1] * (k + 1), k) for k in range(1, n)))


def prune_schedule(spec: "StudySpec") -> PruneSchedule:
    """Return where the requested pruner can end a trial."""
    steps, asked = report_steps(spec), spec.pruner
    marks = []
    for k, (step, seed) in enumerate(steps):
        why_not = "the trial ends here anyway" if k == len(steps) - 1 else _why_not(spec, k, step, seed)
        marks.append(Mark(step, seed, can_prune=not why_not, why_not=why_not))
    first = asked.n_startup_trials if asked.name in WITH_STARTUP else 0
    if asked.name not in ("threshold", "none"):
        first = max(first, 1)  # there must be something to compare with
    never = not any(mark.can_prune for mark in marks) or first >= spec.budget.n_trials
    unit = "env steps" if spec.budget.trial_seconds is None else "seconds"
    return PruneSchedule(tuple(marks), None if never else first, unit)


def warmup_steps(asked: PrunerSpec, total: int) -> int:
    """Return the steps of a training in which nothing is pruned."""
    return int(asked.warmup_fraction * total)


def first_rung(spec: "StudySpec") -> int:
    """Return the step at which halving first compares: the first evaluation after the warm-up."""
    marks = spec.evaluation_marks()
    warmup = warmup_steps(spec.pruner, marks[-1])
    return next((mark for mark in marks if mark >= warmup), marks[-1])


def rungs(spec: "StudySpec") -> tuple[int, ...]:
    """Return the steps at which halving compares, up to the end of a trial, the first bracket's."""
    marks = tuple(step for step, _ in report_steps(spec))
    found, rung = [], first_rung(spec)
    while rung <= marks[-1]:
        found.append(next(mark for mark in marks if mark >= rung))
        rung *= spec.pruner.reduction_factor
    return tuple(dict.fromkeys(found))


def n_brackets(spec: "StudySpec") -> int:
    """Return how many first rungs Hyperband spreads its trials over."""
    end, _ = report_steps(spec)[-1]
    return math.floor(math.log(end / first_rung(spec), spec.pruner.reduction_factor) + 1e-9) + 1


def _why_not(spec: "StudySpec", k: int, step: int, seed: int) -> str:
    asked = spec.pruner
    if asked.name == "none":
        return "nothing is pruned"
    if asked.name in WITH_WARMUP and step < warmup_steps(asked, spec.evaluation_marks()[-1]):
        return "in the warm-up"
    if asked.name in ("successive_halving", "hyperband") and step not in rungs(spec):
        return "no rung"
    if asked.name == "patient" and not seed and k < asked.patience + 1:
        return f"needs {asked.patience + 2} evaluations"
    if asked.name == "wilcoxon" and k + 1 < seeds_for_wilcoxon(asked.p_threshold):
        return "too few seeds for the test"
    return ""
