"""Does the detector of narrow search spaces tell the truth? Synthetic studies whose truth is fixed before.

    python -m benchmarks.saturation report       # the figures in docs/saturation.md; GP takes longest
    python -m benchmarks.saturation report --studies 20 --samplers tpe,random     # a quick look
    python -m benchmarks.saturation tune         # fit the detector's weights to the tuning families
    python -m benchmarks.saturation speed

*Edge* means that the noiseless optimum lies outside the declared bound. A verdict is right when it says so on
the right side. "Near" optima lie inside, in the outer 18 % of the range: to call them an edge is wrong, and
precision is given with and without them. `tune` and `report` never see the same family of functions.
"""

import math
import operator
import os
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import optuna
import typer
from joblib import Parallel, delayed
from optuna.trial import FrozenTrial, TrialState
from scipy.optimize import minimize
from scipy.special import expit

from benchmarks import saturation_problems as problems
from benchmarks.saturation_problems import EDGE_HIGH, EDGE_LOW, FLAT, INTERIOR, NARROW, NEAR, Problem
from tuning.analysis.saturation import ParameterSaturation, saturation_info
from tuning.analysis.saturation_axis import UnitAxis, unit_axes
from tuning.analysis.saturation_belief import features
from tuning.analysis.saturation_range import new_choices
from tuning.analysis.verdicts import Verdict

BUDGETS = (50, 100)
STUDIES = {"tpe": 100, "random": 100, "cma-es": 100, "gp": 40}
NAIVE = ("best in outer tenth", "half of top 10 there", "half of last 10 at bound", "best is an extreme")

app = typer.Typer(add_completion=False, no_args_is_help=True)


@dataclass(frozen=True)
class Row:
    """One parameter of one study after one budget: the truth, and what was said."""

    study: int
    family: str
    kind: str
    truth: str
    budget: int
    verdict: str
    side: str | None
    confidence: str | None
    naive: tuple[str | None, ...]  # the side each naive rule names
    holds_optimum: bool | None  # does the suggested range hold it? None without one
    features: tuple[tuple[str, tuple[float, ...]], ...]  # per side, for `tune`


def judge(problem: Problem, trials: Sequence[FrozenTrial], budget: int, study: int) -> list[Row]:
    """Return one row for each parameter."""
    info = saturation_info(trials, maximize=True)
    axes = unit_axes(trials)
    found = {p.name: p for p in info.parameters}
    rows = []
    for axis in problem.axes:
        p = found.get(axis.name)
        if p is None:
            continue
        rows.append(
            Row(
                study=study,
                family=problem.family,
                kind=axis.kind,
                truth=axis.truth,
                budget=budget,
                verdict=p.verdict.value,
                side=p.side,
                confidence=p.confidence,
                naive=_naive(axes[axis.name], trials),
                holds_optimum=_holds(axis, axes[axis.name], p),
                features=_features(p),
            )
        )
    return rows


def _features(p: ParameterSaturation) -> tuple[tuple[str, tuple[float, ...]], ...]:
    found = []
    for side, end in (("low", p.evidence.low), ("high", p.evidence.high)):
        if end.model is not None:
            found.append((side, features(end.model.past_end, end.model.gain)))
    return tuple(found)


def _holds(truth: problems.Axis, axis: UnitAxis, p: ParameterSaturation) -> bool | None:
    if p.suggested is None or p.verdict != Verdict.EDGE:
        return None
    if axis.numbers:
        reach = new_choices(axis.numbers) / len(axis.numbers)
        return -reach <= truth.optimum <= 1 + reach
    half = 0.0 if axis.levels is None else (axis.declared.step or 1.0) / 2  # the optimum rounds to a level
    optimum = axis.value(truth.optimum)
    return optimum >= p.suggested[0] - half if p.side == "low" else optimum <= p.suggested[1] + half


def _naive(axis: UnitAxis, trials: Sequence[FrozenTrial]) -> tuple[str | None, ...]:
    """Ask four rules that people use: where is the best trial, where are the best and the last ten?"""
    complete = [
        t for t in trials if t.state == TrialState.COMPLETE and t.value is not None and math.isfinite(t.value)
    ]
    if not axis.has_ends or not complete:
        return (None,) * len(NAIVE)
    place = {t.number: axis.unit(t.params[axis.name]) or 0.0 for t in trials if axis.name in t.params}
    best_first = [place[t.number] for t in sorted(complete, key=lambda t: -(t.value or 0.0))]
    last = [place[t.number] for t in trials[-10:] if t.number in place]
    seen = [place[t.number] for t in complete]

    def most(places: Sequence[float], margins: tuple[float, float]) -> str | None:
        low, high = (sum(p <= margins[0] for p in places), sum(p >= 1 - margins[1] for p in places))
        return "low" if 2 * low >= len(places) else "high" if 2 * high >= len(places) else None

    extreme = "low" if best_first[0] == min(seen) else "high" if best_first[0] == max(seen) else None
    touch = (max(1e-6, 0.5 / axis.levels if axis.levels else 0.0) + 1e-9,) * 2
    return most(best_first[:1], axis.zones), most(best_first[:10], axis.zones), most(last, touch), extreme


def run_one(
    families: tuple[str, ...], sampler: str, index: int, *, seed: int, null: bool = False
) -> list[Row]:
    """Run one study and judge it after each budget."""
    warnings.filterwarnings("ignore")
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    problem = problems.problem(families[index % len(families)], seed=seed, index=index, null=null)
    study = problems.run_study(problem, sampler, max(BUDGETS), seed=seed * 10_000 + index)
    trials = study.trials
    return [row for budget in BUDGETS for row in judge(problem, trials[:budget], budget, index)]


def run_many(
    families: tuple[str, ...], sampler: str, n: int, *, seed: int, jobs: int, null: bool = False
) -> list[Row]:
    """Run `n` studies in worker processes, one thread each."""
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))
    tasks = (delayed(run_one)(families, sampler, i, seed=seed, null=null) for i in range(n))
    return [row for rows in Parallel(n_jobs=jobs)(tasks) for row in rows]


def figures(rows: Sequence[Row], said: Callable[[Row], str | None]) -> str:
    """Return precision, recall and the false rates of a rule that names a side or nothing."""

    def side(row: Row) -> str | None:
        return {EDGE_LOW: "low", EDGE_HIGH: "high"}.get(row.truth)

    edges = [r for r in rows if side(r)]
    fired = [r for r in rows if said(r)]
    right = [r for r in fired if said(r) == side(r)]
    wrong = [r for r in fired if side(r) and said(r) != side(r)]
    far = [r for r in fired if r.truth != NEAR]
    parts = [
        f"precision {_share(len(right), len(fired))} (without near {_share(len(right), len(far))})",
        f"recall {_share(len(right), len(edges))}",
    ]
    for name, truths in (("flat", (FLAT,)), ("interior", (INTERIOR, NARROW)), ("near", (NEAR,))):
        of = [r for r in rows if r.truth in truths]
        parts.append(f"{name} {sum(said(r) is not None for r in of)}/{len(of)}")
    return "  ".join([*parts, f"wrong side {len(wrong)}"])


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2f}" if whole else " -  "


def confident(row: Row) -> str | None:
    """Return the side of a confident edge verdict."""
    return row.side if row.verdict == Verdict.EDGE and row.confidence == "confident" else None


def likely(row: Row) -> str | None:
    """Return the side of any edge verdict."""
    return row.side if row.verdict == Verdict.EDGE else None


@app.command()
def report(
    samplers: Annotated[str, typer.Option(help="comma-separated")] = ",".join(STUDIES),
    studies: Annotated[int, typer.Option(help="for each sampler; 0: the default of each")] = 0,
    seed: int = 2026,
    jobs: Annotated[int, typer.Option(help="worker processes")] = 2,
) -> None:
    """Print the figures on the report families, the global null and the closed loop."""
    print(f"families: {', '.join(problems.REPORT_FAMILIES)}")
    everything: list[Row] = []
    for sampler in samplers.split(","):
        rows = run_many(problems.REPORT_FAMILIES, sampler, studies or STUDIES[sampler], seed=seed, jobs=jobs)
        everything += rows
        for budget in BUDGETS:
            some = [r for r in rows if r.budget == budget]
            n_edges = sum(r.truth in (EDGE_LOW, EDGE_HIGH) for r in some)
            print(f"\n{sampler}, N = {budget}: {len(some)} parameters, {n_edges} edges")
            print(f"  {'confident':32s}{figures(some, confident)}")
            print(f"  {'likely or better':32s}{figures(some, likely)}")
            for k, name in enumerate(NAIVE):
                rule = operator.itemgetter(k)
                print(
                    f"  {'naive: ' + name:32s}{figures(some, lambda r, rule=rule: rule(r.naive))}", flush=True
                )
    last = [r for r in everything if r.budget == max(BUDGETS)]
    for what, key in (("kind", "kind"), ("family", "family")):
        print(f"\nlikely or better by {what}, N = {max(BUDGETS)}, all samplers")
        for value in sorted({getattr(r, key) for r in last}):
            print(f"  {value:12s}{figures([r for r in last if getattr(r, key) == value], likely)}")
    loop = [
        r for r in everything if likely(r) and likely(r) == {EDGE_LOW: "low", EDGE_HIGH: "high"}.get(r.truth)
    ]
    held = sum(bool(r.holds_optimum) for r in loop)
    print(
        f"\nclosed loop: the suggested range holds the optimum in {held} of {len(loop)} right edge verdicts"
        f" ({_share(held, len(loop))})"
    )
    for sampler in ("tpe", "random"):
        null = run_many(
            problems.REPORT_FAMILIES, sampler, studies or 100, seed=seed + 1, jobs=jobs, null=True
        )
        for budget in BUDGETS:
            some = [r for r in null if r.budget == budget]
            fired = {r.study for r in some if likely(r)}
            n = len({r.study for r in some})
            print(f"global null, {sampler}, N = {budget}: an edge verdict in {len(fired)} of {n} studies")


@app.command()
def tune(
    studies: int = 240,
    seed: int = 1,
    jobs: Annotated[int, typer.Option(help="worker processes")] = 2,
) -> None:
    """Fit the detector's weights to the tuning families, leaving each out in turn to see their worth."""
    rows: list[Row] = []
    for k, (sampler, share) in enumerate((("tpe", 1.0), ("random", 0.35), ("cma-es", 0.35), ("gp", 0.1))):
        rows += run_many(problems.TUNING_FAMILIES, sampler, round(studies * share), seed=seed + k, jobs=jobs)
        print(f"{sampler}: {len(rows)} rows", flush=True)
    x, y, family = [], [], []
    n_edges = sum(r.truth in (EDGE_LOW, EDGE_HIGH) for r in rows)
    for row in rows:
        for side, values in row.features:
            x.append(values)
            y.append(row.truth == f"edge {side}")
            family.append(row.family)
    held_out = np.empty(len(y))
    xs, ys, families = np.array(x), np.array(y, dtype=float), np.array(family)
    for name in problems.TUNING_FAMILIES:
        out = families == name
        held_out[out] = expit(_with_one(xs[out]) @ fit_logistic(xs[~out], ys[~out]))
    print(
        "intercept, weights (past the end, gain):",
        fit_logistic(xs, ys).round(3).tolist(),
    )
    for threshold in (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9):
        fired = held_out >= threshold
        print(
            f"  belief >= {threshold:.2f}: precision {ys[fired].mean():.3f}, "
            f"recall {ys[fired].sum() / n_edges:.3f}"
        )


def fit_logistic(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return intercept and weights of a lightly penalised logistic regression."""
    design = _with_one(x)

    def cost(weights: np.ndarray) -> tuple[float, np.ndarray]:
        z = design @ weights
        value = float(np.sum(np.logaddexp(0, z) - y * z) + 0.5 * weights[1:] @ weights[1:])
        return value, design.T @ (expit(z) - y) + np.concatenate([[0.0], weights[1:]])

    found: np.ndarray = minimize(cost, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B").x
    return found


def _with_one(x: np.ndarray) -> np.ndarray:
    return np.hstack([np.ones((len(x), 1)), x])


@app.command()
def speed(sizes: Annotated[str, typer.Option(help="trials x parameters")] = "100x5,500x10,2000x10") -> None:
    """Time one verdict on all parameters; the median of five."""
    for trials, parameters in (map(int, size.split("x")) for size in sizes.split(",")):
        random = np.random.default_rng(0)
        space = {f"p{j}": optuna.distributions.FloatDistribution(0.0, 1.0) for j in range(parameters)}
        found = [_trial(number, random, space) for number in range(trials)]
        took = []
        for _ in range(5):
            start = time.perf_counter()
            saturation_info(found, maximize=True)
            took.append(time.perf_counter() - start)
        print(f"{trials} trials x {parameters} parameters: {np.median(took):.2f} s")


def _trial(
    number: int, random: np.random.Generator, space: dict[str, optuna.distributions.FloatDistribution]
) -> FrozenTrial:
    params = {name: float(random.random()) for name in space}
    value = -sum((v - 0.2 * k) ** 2 for k, v in enumerate(params.values())) + 0.2 * random.normal()
    trial = optuna.trial.create_trial(params=params, distributions=dict(space), value=value)
    trial.number = number
    return trial


if __name__ == "__main__":
    app()
