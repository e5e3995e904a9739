"""Which sampler a request can have, what each is for, and what *auto* comes to. Builds none."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from tuning.space.parameters import Parameter
from tuning.space.places import n_values

if TYPE_CHECKING:
    from tuning.spec import StudySpec

# A suggestion took 0.3 s after 250 trials, 0.7 s after 500 and 4 s after 1000 (6 floats, one thread).
MAX_GP_TRIALS = 500
AUTO_GP_TRIALS = 250  # where auto goes on with CMA-ES
MAX_POINTS = 100_000  # of a grid; nobody trains more, and their order is kept in memory

LABELS: Mapping[str, str] = MappingProxyType(
    {
        "auto": "Auto",
        "tpe": "TPE",
        "gp": "Gaussian process",
        "cmaes": "CMA-ES",
        "qmc": "Quasi-random",
        "random": "Random",
        "grid": "Grid",
        "brute_force": "Every combination",
        "nsga2": "NSGA-II",
    }
)
USES: Mapping[str, str] = MappingProxyType(
    {
        "auto": "Leaves the choice to a rule: TPE when a parameter has choices, else a Gaussian process for "
        f"the first {AUTO_GP_TRIALS} trials and CMA-ES after them.",
        "tpe": "The usual choice: takes any space, learns from tens of trials, and works with many workers.",
        "gp": "The most from few trials: best for tens to a few hundred, when each of them is costly. "
        "Proposing takes longer the more trials there are.",
        "cmaes": "For many trials of numbers only: hundreds or more, ten or more a parameter.",
        "qmc": "Spreads trials evenly over the space without learning from them: for a map of the space, or "
        "to be fair to every region before a second study.",
        "random": "Learns nothing, so its trials are unbiased evidence: a baseline for every other sampler.",
        "grid": "A few values of each parameter, each combination once: for two or three parameters and a "
        "picture that is easy to read. Ends when all were tried.",
        "brute_force": "Every combination of a small space of choices and whole numbers, once. Ends when all "
        "were tried.",
        "nsga2": "Evolves a set of trade-offs between two objectives: for hundreds of trials. With fewer, "
        "TPE is the better choice there too.",
    }
)
FINITE = ("grid", "brute_force")
WITHOUT_MODEL = ("random", "qmc", "grid", "brute_force")  # a share at random would add nothing
WITH_STARTUP = ("auto", "tpe", "gp", "cmaes", "nsga2")


@dataclass(frozen=True)
class Setting:
    """What decides whether a sampler can serve a request."""

    space: tuple[Parameter, ...]
    n_trials: int
    n_objectives: int = 1
    grid_levels: int = 4


def setting(spec: "StudySpec") -> Setting:
    """Return what the choice of the sampler rests on."""
    return Setting(
        spec.search_space,
        spec.budget.n_trials,
        n_objectives=2 if spec.objective.second else 1,
        grid_levels=spec.sampler.grid_levels,
    )


def sampler_fault(name: str, at: Setting) -> str | None:
    """Return why a sampler cannot serve a request, one sentence or two with the remedy, or None."""
    with_choices = [p.name for p in at.space if p.kind == "categorical"]
    match name:
        case "cmaes" if with_choices:
            return (
                f"CMA-ES takes numbers only, and {_listed(with_choices)} {_has(with_choices)} choices. "
                "Fix them under hyperparameters, or set the sampler to TPE."
            )
        case "cmaes" if at.n_objectives > 1:
            return "CMA-ES weighs one objective, not two. Set the sampler to TPE or NSGA-II."
        case "gp" if at.n_trials > MAX_GP_TRIALS:
            return (
                f"A Gaussian process gets slow with many trials: {at.n_trials} are more than its "
                f"{MAX_GP_TRIALS}. Set the sampler to TPE, or plan fewer trials."
            )
        case "nsga2" if at.n_objectives < 2:
            return "NSGA-II is for two objectives. Choose a second objective, or set the sampler to TPE."
        case "brute_force":
            endless = [p.name for p in at.space if math.isinf(n_values(p))]
            if endless:
                return (
                    f"There is no end to the values of {_listed(endless)}. Give each a step, or set the "
                    "sampler to grid, which takes a few values of each."
                )
    if name in FINITE and (n := n_points(name, at)) > MAX_POINTS:
        remedy = "Lower the values a parameter, or search fewer parameters" if name == "grid" else "Shrink it"
        return f"This space has {n:.3g} combinations, more than {MAX_POINTS}. {remedy}."
    return None


def n_points(name: str, at: Setting) -> float:
    """Return how many combinations a grid, or every combination, comes to."""
    return math.prod(_n_levels(p, at.grid_levels if name == "grid" else None) for p in at.space)


def chosen_sampler(name: str, at: Setting, *, n_ended: int) -> str:
    """Return the sampler that proposes next: what `auto` comes to, and every other name for itself.

    Source: the rule of OptunaHub's AutoSampler, kept here, since that one is fetched from the network.

    Args:
        name: as requested.
        at: the request.
        n_ended: how many trials are complete or pruned.
    """
    if name != "auto":
        return name
    if at.n_objectives > 1 or any(p.kind == "categorical" for p in at.space):
        return "tpe"
    return "gp" if n_ended < AUTO_GP_TRIALS else "cmaes"


def auto_sentence(at: Setting) -> str:
    """Return what `auto` comes to for a request, and why."""
    if at.n_objectives > 1:
        return "Here that is TPE: there are two objectives."
    if with_choices := [p.name for p in at.space if p.kind == "categorical"]:
        return f"Here that is TPE: {_listed(with_choices)} {_has(with_choices)} choices."
    if at.n_trials <= AUTO_GP_TRIALS:
        return "Here that is a Gaussian process: all parameters are numbers."
    return (
        f"Here that is a Gaussian process, and CMA-ES after {AUTO_GP_TRIALS} trials: all parameters are "
        "numbers."
    )


def _n_levels(p: Parameter, n: int | None) -> float:
    total = n_values(p)
    return total if n is None or p.kind == "categorical" else min(total, n)


def _listed(names: Sequence[str]) -> str:
    first = ", ".join(names[:3])
    return first if len(names) <= 3 else f"{first} and {len(names) - 3} more"


def _has(names: Sequence[str]) -> str:
    return "has" if len(names) == 1 else "have"
