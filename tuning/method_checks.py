"""Advice on how a request searches, prunes and judges, where it is valid but will probably disappoint."""

import math
from collections.abc import Iterator

from tuning.advice import Advice
from tuning.analysis.words import count, whole
from tuning.combinations import grid_of, n_combinations
from tuning.pruner_choice import n_brackets, prune_schedule, rungs
from tuning.sampler_choice import LABELS
from tuning.spec import StudySpec

TOO_EARLY = 0.2  # of a training: before that, learning curves hardly tell who ends best
FEW_GENERATIONS = 5
FEW_STEPS_TO_READ = 5  # evaluations: steps to a threshold are told no finer


def sampler_advice(spec: StudySpec) -> Iterator[Advice]:
    """Return what to reconsider about the sampler."""
    asked, n_trials = spec.sampler, spec.budget.n_trials
    start = asked.n_startup_trials
    if asked.name in ("auto", "tpe", "gp", "cmaes") and start >= n_trials:
        who = "the sampler" if asked.name == "auto" else LABELS[asked.name]
        yield Advice(
            "sampler.n_startup_trials",
            f"The first {count(start, 'trial')} are random and the study has {whole(n_trials)}: {who} never "
            "models anything. Start it after fewer trials, or run more.",
        )
    elif asked.name == "nsga2" and n_trials < FEW_GENERATIONS * max(2, start):
        yield Advice(
            "sampler.n_startup_trials",
            f"{count(n_trials, 'trial')} in generations of {whole(max(2, start))} are "
            f"{count(math.ceil(n_trials / max(2, start)), 'generation')}, and the first is random: too few "
            "to evolve. Lower the population, run more trials, or use TPE.",
        )
    elif asked.name == "cmaes":
        population = 4 + math.floor(3 * math.log(len(spec.search_space)))
        if n_trials - start < FEW_GENERATIONS * population:
            yield Advice(
                "sampler.name",
                f"CMA-ES learns once in {whole(population)} trials: {whole(n_trials)} are too few for it to "
                f"get anywhere. Run {whole(2 * FEW_GENERATIONS * population + start)} or more, or use TPE.",
            )
    elif (n := n_combinations(spec)) is not None and n > n_trials:
        remedy = "values a parameter" if asked.name == "grid" else "values"
        n_points = grid_of(spec).n_points
        beside = f", {whole(n - n_points)} beside them first," if n > n_points else ""
        yield Advice(
            "sampler.name",
            f"There are {count(n_points, 'combination')}{beside} and the study has "
            f"{count(n_trials, 'trial')}: the rest stays untried. Run {whole(n)} trials, or allow fewer "
            f"{remedy}.",
        )


def pruner_advice(spec: StudySpec) -> Iterator[Advice]:
    """Return what to reconsider about the pruner."""
    asked, budget = spec.pruner, spec.budget
    if asked.name == "none":
        return
    schedule, total = prune_schedule(spec), spec.evaluation_marks()[-1]
    earliest = schedule.earliest
    if len(schedule.marks) == 1:
        yield Advice(
            "pruner.name",
            "A trial can only be pruned at an evaluation before its last one, and there is a single one: "
            "nothing is pruned. Evaluate at least twice, or set the pruner to none.",
        )
    elif earliest is None and asked.name == "patient" and len(schedule.marks) <= asked.patience + 2:
        yield Advice(
            "pruner.patience",
            f"A trial may go {count(asked.patience, 'evaluation')} without a gain, which takes "
            f"{whole(asked.patience + 3)} to see, and has {whole(len(schedule.marks))}: nothing is pruned. "
            "Lower the patience, or evaluate more often.",
        )
    elif earliest is None:
        before = schedule.marks[-2].step
        yield Advice(
            "pruner.warmup_fraction",
            f"No trial is pruned in its first {asked.warmup_fraction:.0%}, and the last evaluation that "
            f"could prune comes at {before / schedule.end:.0%}: nothing is pruned. Lower the "
            "warm-up, or evaluate more often.",
        )
    elif schedule.first_trial is None:
        start = max(asked.n_startup_trials, 1)
        yield Advice(
            "pruner.n_startup_trials",
            f"Pruning starts after {count(start, 'complete trial')} and the study has "
            f"{whole(budget.n_trials)}: nothing is pruned. Start it earlier, or run more trials.",
        )
    elif asked.name != "threshold" and earliest.step < TOO_EARLY * total:
        yield Advice(
            "pruner.warmup_fraction",
            f"Trials can end after {earliest.step / total:.0%} of a training: who starts fast may end slow, "
            "and who starts slow may end best. Prune nothing in the first third.",
        )
    yield from _halving(spec)


def objective_advice(spec: StudySpec) -> Iterator[Advice]:
    """Return what to reconsider about how a trial is judged."""
    objective, budget = spec.objective, spec.budget
    if budget.trial_seconds is not None:
        yield Advice(
            "budget.trial_seconds",
            "With a time for each trial a seed no longer repeats, and whatever else runs on this machine "
            "makes trials worse. Leave it alone meanwhile, with no more workers than cores.",
        )
    if objective.second == "training_time":
        yield Advice(
            "objective.second",
            "Training time is wall-clock time: a seed does not repeat it, and whatever else runs on this "
            "machine makes trials slower. Leave it alone meanwhile, with no more workers than cores.",
        )
    if objective.second == "steps_to_threshold" and budget.n_evaluations < FEW_STEPS_TO_READ:
        yield Advice(
            "budget.n_evaluations",
            f"Steps to a mean return are read off the evaluations, and {whole(budget.n_evaluations)} tell "
            "them only roughly: most trials will be alike. Evaluate ten times or more.",
        )
    n_marks = len(spec.evaluation_marks())
    if 1 < objective.last_k > n_marks / 2:
        yield Advice(
            "objective.last_k",
            f"The last {whole(objective.last_k)} of {count(n_marks, 'evaluation')} reach back "
            "into the first half of training, where slow starters are poor. Evaluate more often, or average "
            "fewer.",
        )


def _halving(spec: StudySpec) -> Iterator[Advice]:
    asked = spec.pruner
    if asked.name not in ("successive_halving", "hyperband"):
        return
    n_rungs = len(rungs(spec))
    if asked.name == "hyperband" and n_brackets(spec) == 1:
        yield Advice(
            "pruner.name",
            "Between the first evaluation after the warm-up and the end there is no room for a second rung, "
            "so all of Hyperband's trials start alike, as in successive halving. Evaluate more often with a "
            "shorter warm-up, or use successive halving.",
        )
    elif spec.budget.n_trials < 3 * asked.reduction_factor**n_rungs:
        yield Advice(
            "pruner.reduction_factor",
            f"With 1 in {asked.reduction_factor} going on at each of {count(n_rungs, 'rung')}, few of "
            f"{count(spec.budget.n_trials, 'trial')} train to their end. Lower the factor, or run more.",
        )
