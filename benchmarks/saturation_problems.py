"""Synthetic tuning problems whose truth about every range is fixed before any study runs.

A parameter has a place t on its declared range: 0 is the lower bound, 1 the upper one. The noiseless optimum
lies at `optimum`, which may be outside; *edge* means exactly that. Families of the tuning set chose the
detector's weights and thresholds; families of the report set did not exist for it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

N_STEPS = 4  # intermediate reports where a study prunes

# What is true of a range. Near: interior, but within the outer fifth.
EDGE_LOW, EDGE_HIGH, INTERIOR, NEAR, NARROW, FLAT = (
    "edge low",
    "edge high",
    "interior",
    "near",
    "narrow",
    "flat",
)


@dataclass(frozen=True)
class Axis:
    """One parameter: what Optuna samples, and where its values lie."""

    name: str
    kind: str  # float | log | int | log int | step | ordered | unordered | two
    truth: str
    optimum: float  # place on the range; flat: meaningless
    weight: float
    distribution: BaseDistribution
    low: float
    high: float

    def place(self, value: object) -> float:
        """Return the place of a value; choices and levels by mid-rank, as their own scale has no other."""
        match self.kind:
            case "log":
                return math.log(float(value) / self.low) / math.log(self.high / self.low)  # type: ignore[arg-type]
            case "log int":
                low, high = math.log(self.low - 0.5), math.log(self.high + 0.5)
                return (math.log(float(value)) - low) / (high - low)  # type: ignore[arg-type]
            case "ordered" | "unordered" | "two":
                assert isinstance(self.distribution, CategoricalDistribution)
                return (self.distribution.choices.index(value) + 0.5) / len(self.distribution.choices)  # type: ignore[arg-type]
            case "int" | "step":
                step = self.distribution.step or 1  # type: ignore[attr-defined]
                return (float(value) - self.low + step / 2) / (self.high - self.low + step)  # type: ignore[arg-type]
        return (float(value) - self.low) / (self.high - self.low)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Problem:
    """A noisy objective over a declared space, to be maximised."""

    family: str
    axes: tuple[Axis, ...]
    value: Callable[[np.ndarray], float]  # noiseless, of the places of all axes
    noise: float  # standard deviation
    prunes: bool
    breaks: Callable[[np.ndarray, np.random.Generator], bool]  # does training diverge here?


def problem(family: str, *, seed: int, index: int, null: bool = False) -> Problem:
    """Return one random problem of a family; `null`: no parameter matters, all is noise."""
    return _problem(family, np.random.default_rng([seed, index]), null=null)


def _problem(family: str, random: np.random.Generator, *, null: bool) -> Problem:
    axes = tuple(_axis(f"p{j}", random, null=null) for j in range(int(random.integers(4, 8))))
    value = FAMILIES[family](axes, random)
    if family in DISPLACED and not null:
        axes = _with_true_optima(axes, value)
    inside = np.array([value(random.random(len(axes))) for _ in range(400)])
    spread = float(np.std(inside)) if not null else 1.0
    noise = spread * float(random.choice([0.1, 0.25, 0.5, 0.8])) if not null else 1.0
    cliff = random.random()
    if cliff < 0.1 and not null:
        j = int(random.integers(len(axes)))
        side, depth = random.choice([-1, 1]), random.uniform(0.1, 0.3)
        if axes[j].truth in (INTERIOR, FLAT):  # training breaks near one bound, beside the optimum or not
            return Problem(
                family,
                axes,
                value,
                noise,
                bool(random.random() < 0.3),
                lambda t, r: (t[j] if side < 0 else 1 - t[j]) < depth and r.random() < 0.9,
            )
    share = 0.06 if cliff < 0.25 else 0.0
    return Problem(family, axes, value, noise, bool(random.random() < 0.3), lambda t, r: r.random() < share)


def _axis(name: str, random: np.random.Generator, *, null: bool) -> Axis:
    kind = str(
        random.choice(
            ["float", "log", "int", "log int", "step", "ordered", "unordered", "two"],
            p=[0.27, 0.27, 0.12, 0.07, 0.07, 0.1, 0.06, 0.04],
        )
    )
    truth = (
        FLAT
        if null
        else str(
            random.choice(
                [EDGE_LOW, EDGE_HIGH, INTERIOR, NEAR, NARROW, FLAT], p=[0.16, 0.16, 0.22, 0.14, 0.1, 0.22]
            )
        )
    )
    if kind in ("unordered", "two") and truth in (EDGE_LOW, EDGE_HIGH, NEAR, NARROW):
        truth = INTERIOR
    optimum = {
        EDGE_LOW: random.uniform(-0.6, -0.03),
        EDGE_HIGH: random.uniform(1.03, 1.6),
        INTERIOR: random.uniform(0.22, 0.78),
        NEAR: random.uniform(0.82, 0.93) if random.random() < 0.5 else random.uniform(0.07, 0.18),
        NARROW: random.uniform(0.25, 0.75),
        FLAT: 0.5,
    }[truth]
    weight = float(np.exp(random.normal(0, 0.8)))
    low, high = 0.0, 1.0
    distribution: BaseDistribution
    match kind:
        case "float":
            low = float(random.choice([-2.0, 0.0, 0.5]))
            high = low + float(random.choice([0.3, 1.0, 10.0]))
            distribution = FloatDistribution(low, high)
        case "log":
            low = 10.0 ** float(random.integers(-6, -1))
            high = low * 10.0 ** float(random.choice([1, 2, 3]))
            distribution = FloatDistribution(low, high, log=True)
        case "int":
            low, high = float(random.integers(0, 4)), float(random.integers(9, 30))
            distribution = IntDistribution(int(low), int(high))
        case "log int":
            low, high = 4.0, float(random.choice([64, 512]))
            distribution = IntDistribution(int(low), int(high), log=True)
        case "step":
            low, step = 0.5, 0.25
            high = low + step * float(random.integers(7, 16))
            distribution = FloatDistribution(low, high, step=step)
        case "ordered":
            n = int(random.integers(4, 8))
            low, high = 16.0, 16.0 * 2 ** (n - 1)
            distribution = CategoricalDistribution([16 * 2**i for i in range(n)])
        case "unordered":
            distribution = CategoricalDistribution(["relu", "tanh", "elu", "gelu"])
        case _:
            distribution = CategoricalDistribution([True, False])
    if kind in ("int", "log int", "step", "ordered") and truth in (EDGE_LOW, EDGE_HIGH):
        # at least one whole level beyond the last one, or the optimum would still be the last level
        n = (
            len(distribution.choices)
            if isinstance(distribution, CategoricalDistribution)
            else ((high - low) / (getattr(distribution, "step", 1) or 1) + 1)
        )
        reach = 1 / n
        optimum = min(optimum, -reach) if truth == EDGE_LOW else max(optimum, 1 + reach)
    return Axis(name, kind, truth, float(optimum), weight, distribution, low, high)


def _with_true_optima(axes: tuple[Axis, ...], value: Callable[[np.ndarray], float]) -> tuple[Axis, ...]:
    """Find the noiseless optimum by coordinate search far beyond the bounds, and say the truth by it."""
    place = np.array([a.optimum for a in axes])
    for width, n in ((1.3, 53), (0.3, 31), (0.3, 31), (0.03, 13)):
        for j in range(len(axes)):
            line = np.tile(place, (n, 1))
            line[:, j] = place[j] + np.linspace(-width, width, n)
            place = line[int(np.argmax([value(x) for x in line]))]
    found = []
    for axis, t in zip(axes, place, strict=True):
        truth = axis.truth
        if truth != FLAT and axis.kind not in ("unordered", "two"):
            outer = abs(t - 0.5) > 0.32
            truth = EDGE_LOW if t < 0 else EDGE_HIGH if t > 1 else NEAR if outer else truth
            truth = INTERIOR if truth in (EDGE_LOW, EDGE_HIGH) and 0 <= t <= 1 else truth
            truth = INTERIOR if truth == NEAR and not outer else truth
        found.append(replace(axis, truth=truth, optimum=float(t)))
    return tuple(found)


Builder = Callable[[tuple[Axis, ...], np.random.Generator], Callable[[np.ndarray], float]]


def _arrays(axes: tuple[Axis, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return optima, weights (0 where flat) and widths."""
    t = np.array([a.optimum for a in axes])
    w = np.array([0.0 if a.truth == FLAT else a.weight for a in axes])
    width = np.array([0.12 if a.truth == NARROW else 0.5 for a in axes])
    return t, w, width


def _quadratic(axes: tuple[Axis, ...], random: np.random.Generator) -> Callable[[np.ndarray], float]:
    t, w, width = _arrays(axes)
    return lambda x: float(-np.sum(w * np.minimum(((x - t) / width) ** 2, 9.0)))


def _bumps(axes: tuple[Axis, ...], random: np.random.Generator) -> Callable[[np.ndarray], float]:
    """A product of bell curves: nothing helps while one parameter is far off."""
    t, w, width = _arrays(axes)
    return lambda x: float(1000 * np.exp(-0.5 * np.sum(w * ((x - t) / (1.3 * width)) ** 2)))


def _rotated(axes: tuple[Axis, ...], random: np.random.Generator) -> Callable[[np.ndarray], float]:
    """A quadratic whose parameters depend on one another."""
    t, w, width = _arrays(axes)
    n = len(axes)
    a = random.normal(size=(n, n)) * 0.45
    matrix = np.eye(n) + (a + a.T) / 2 * (1 - np.eye(n))
    values, vectors = np.linalg.eigh(matrix)
    matrix = (vectors * np.maximum(values, 0.15)) @ vectors.T
    root = np.sqrt(w) / width

    def value(x: np.ndarray) -> float:
        z = np.clip((x - t) * root, -4, 4)
        return float(-(z @ matrix @ z))

    return value


def _plateau(axes: tuple[Axis, ...], random: np.random.Generator) -> Callable[[np.ndarray], float]:
    """Fails flat when far, saturates when near: what an agent's return does over its learning rate."""
    t, w, width = _arrays(axes)
    total = max(float(np.sum(w)), 1e-9)

    def value(x: np.ndarray) -> float:
        far = np.sum(w * np.abs((x - t) / width) ** 1.5) / total
        return float(-1200 + 1000 / (1 + np.exp(4 * (far - 1.0))) - 30 * far)

    return value


def _ridges(axes: tuple[Axis, ...], random: np.random.Generator) -> Callable[[np.ndarray], float]:
    """Asymmetric: steep on one side, shallow on the other; the worst parameter counts extra."""
    t, w, width = _arrays(axes)
    steep = np.exp(random.normal(0, 0.5, (2, len(axes))))

    def value(x: np.ndarray) -> float:
        d = (x - t) / width
        cost = w * np.where(d < 0, steep[0], steep[1]) * np.abs(d) ** 1.2
        return float(-np.sum(cost) - 1.5 * np.max(cost, initial=0.0))

    return value


def _valley(axes: tuple[Axis, ...], random: np.random.Generator) -> Callable[[np.ndarray], float]:
    """A curved valley (Rosenbrock's idea): the best place of each parameter moves with its neighbour."""
    t, w, width = _arrays(axes)
    bend = random.uniform(-0.6, 0.6, len(axes))
    live = np.flatnonzero(w)

    def value(x: np.ndarray) -> float:
        d = (x - t) / width
        cost = 0.0
        for k, j in enumerate(live):
            shift = bend[j] * np.tanh(d[live[k - 1]]) ** 2 if k else 0.0
            cost += w[j] * np.log1p(2 * (d[j] - shift) ** 2)
        return float(-cost)

    return value


def _learning(axes: tuple[Axis, ...], random: np.random.Generator) -> Callable[[np.ndarray], float]:
    """Final return after a fixed budget: one parameter sets the speed, others the level that is reached."""
    t, w, width = _arrays(axes)
    fast = int(np.argmax(w))

    def value(x: np.ndarray) -> float:
        d = (x - t) / width
        speed = 3.5 * np.exp(-0.4 * w[fast] * d[fast] ** 2)
        level = 1.0 / (1.0 + 0.25 * (np.sum(w * d**2) - w[fast] * d[fast] ** 2))
        return float(-1400 + 1250 * level * (1 - np.exp(-speed)))

    return value


def _waves(axes: tuple[Axis, ...], random: np.random.Generator) -> Callable[[np.ndarray], float]:
    """A cone with ripples: small false optima everywhere, one true one."""
    t, w, width = _arrays(axes)
    phase, pitch = random.uniform(0, 6.28, len(axes)), random.uniform(5, 9, len(axes))

    def value(x: np.ndarray) -> float:
        d = (x - t) / width
        cone = np.sqrt(np.sum(w * d**2) + 0.05)
        ripple = np.sum(w * (np.sin(pitch * x + phase))) / max(np.sum(w), 1e-9)
        return float(-cone - 0.12 * ripple)

    return value


def _worst(axes: tuple[Axis, ...], random: np.random.Generator) -> Callable[[np.ndarray], float]:
    """Only the two parameters that are furthest off count, as where one broken part spoils the whole."""
    t, w, width = _arrays(axes)

    def value(x: np.ndarray) -> float:
        cost = np.sort(w * np.abs((x - t) / width))
        return float(-100 * np.sqrt(cost[-1] + 0.5 * cost[-2]) - 5 * np.sum(cost))

    return value


def _draw(axes: tuple[Axis, ...], random: np.random.Generator) -> Callable[[np.ndarray], float]:
    """A bowl plus a draw of a smooth random field (random Fourier features), which moves the optimum."""
    t, w, width = _arrays(axes)
    n = 60
    frequency = random.normal(0, 2.5, (n, len(axes))) * (w > 0)
    phase, height = random.uniform(0, 2 * np.pi, n), random.normal(0, 0.5 / np.sqrt(n / 2), n)

    def value(x: np.ndarray) -> float:
        bowl = np.sum(w * np.abs((x - t) / width) ** 1.6)
        return (
            float(-bowl + float(np.mean(w[w > 0])) * (height @ np.cos(frequency @ x + phase)))
            if w.any()
            else 0.0
        )

    return value


FAMILIES: dict[str, Builder] = {
    "quadratic": _quadratic,
    "bumps": _bumps,
    "rotated": _rotated,
    "plateau": _plateau,
    "ridges": _ridges,
    "valley": _valley,
    "learning": _learning,
    "waves": _waves,
    "worst": _worst,
    "draw": _draw,
}
DISPLACED = ("waves", "draw")  # their optimum is not where the builder aimed
TUNING_FAMILIES = ("quadratic", "bumps", "rotated", "plateau", "ridges", "waves")
REPORT_FAMILIES = ("valley", "learning", "worst", "draw")


def run_study(problem: Problem, sampler: str, n_trials: int, *, seed: int) -> optuna.Study:
    """Let a sampler search the problem; a trial that breaks fails or is NaN, some studies prune."""
    study = optuna.create_study(
        direction="maximize",
        sampler=build_sampler(sampler, seed),
        pruner=optuna.pruners.MedianPruner(10, 1) if problem.prunes else optuna.pruners.NopPruner(),
    )
    random = np.random.default_rng([seed, 7])
    ends = N_STEPS if problem.prunes else 1

    def objective(trial: optuna.Trial) -> float:
        places = np.array([a.place(trial._suggest(a.name, a.distribution)) for a in problem.axes])
        if problem.breaks(places, random):
            if random.random() < 0.5:
                raise ArithmeticError("training diverged")
            return math.nan
        value = problem.value(places)
        start = value - 3 * problem.noise - abs(value) * 0.5
        for step in range(1, ends):
            trial.report(start + (value - start) * step / ends + random.normal(0, problem.noise), step)
            if trial.should_prune():
                raise optuna.TrialPruned
        return value + random.normal(0, problem.noise)

    study.optimize(objective, n_trials=n_trials, catch=(ArithmeticError,))
    return study


def build_sampler(name: str, seed: int) -> optuna.samplers.BaseSampler:
    """Return a sampler as a person would configure it."""
    match name:
        case "tpe":
            return optuna.samplers.TPESampler(seed=seed, n_startup_trials=10)
        case "random":
            return optuna.samplers.RandomSampler(seed=seed)
        case "gp":
            return optuna.samplers.GPSampler(seed=seed)
        case "cma-es":
            return optuna.samplers.CmaEsSampler(seed=seed, warn_independent_sampling=False)
    raise ValueError(f"There is no sampler {name!r}.")
