"""The guide's pictures, each computed once in a process: what they are drawn from does not change."""

from functools import cache

from tuning.guide.budgets import BudgetsInfo, budgets_info
from tuning.guide.concentration import ConcentrationInfo, concentration_info
from tuning.guide.evaluation_noise import NoiseInfo, noise_info
from tuning.guide.pruning import N_TRIALS, PruningInfo, pruning_info
from tuning.guide.recorded import EXAMPLE, budget_table, example_returns, example_study
from tuning.guide.scales import ScalesInfo, scales_info
from tuning.spec import load_spec


@cache
def scales() -> ScalesInfo:
    """Return draws on a linear and on a log scale."""
    return scales_info()


@cache
def noise() -> NoiseInfo:
    """Return what evaluations of several sizes measure of one agent."""
    return noise_info(*example_returns())


@cache
def concentration() -> ConcentrationInfo:
    """Return how the sampler of the recorded study concentrated."""
    startup = load_spec(EXAMPLE / "spec.json").sampler.n_startup_trials
    study = example_study()
    return concentration_info(study.trials, "learning_rate", n_startup=startup, maximize=study.maximize)


@cache
def pruning(warmup_fraction: float) -> PruningInfo:
    """Return what the median pruner does to recorded trainings."""
    table = budget_table()
    return pruning_info(table.means[:N_TRIALS], table.marks, warmup_fraction=warmup_fraction)


@cache
def budgets() -> BudgetsInfo:
    """Return what searches with short and with long trials find."""
    return budgets_info(budget_table())
