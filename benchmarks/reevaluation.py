"""Do the statistics of re-evaluation tell the truth? Simulated candidates whose true means are known.

    nice python -m benchmarks.reevaluation            # the figures in docs/reevaluation.md, some minutes
    python -m benchmarks.reevaluation --quick         # a look
    python -m benchmarks.reevaluation --tuning        # the populations that the rules were chosen on

Six candidates share their seeds. The populations of the report have other parameters and other random seeds
than those the rules were chosen on. Coverage is of 95 % intervals. "Of the spread" means: of the mean
distance between the truly best and the truly worst candidate. Where all are equal there is none, and
figures are in units of a run's standard deviation instead.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
from scipy import stats

from benchmarks.reevaluation_problems import (
    POPULATIONS,
    REPORT,
    TUNING,
    K,
    Parameters,
    Simulated,
    one_candidate,
    simulate,
)
from tuning.analysis import comparison, racing, run_statistics
from tuning.analysis.expected import expected_score, held_out_mean
from tuning.reevaluation import Candidate, CandidateKind, Reevaluation

SEEDS = (3, 5, 10)
BINS = 10  # of claimed probabilities


def main() -> None:
    """Print every table."""
    options = _options()
    p = TUNING if options.tuning else REPORT
    random = np.random.default_rng(
        options.seed if options.seed is not None else 1 if options.tuning else 4_711
    )
    repeats = 200 if options.quick else options.repeats
    start = time.perf_counter()
    print(f"{p}\n{repeats} repeats of each line")
    for name, table in TABLES.items():
        if options.only in (None, name):
            table(p, random, repeats)
    print(f"\n{time.perf_counter() - start:.0f} s")


def coverage(p: Parameters, random: np.random.Generator, repeats: int) -> None:
    """Print how often intervals hold the true value."""
    print(
        "\nCoverage of 95 % intervals: t of the mean | IQM: percentile bootstrap | IQM: ours (median width)"
    )
    for n in (*SEEDS, 20):
        for noise in ("normal", "skewed", "collapsing"):
            draw, mean, middle = one_candidate(noise, p)
            rows = draw((2 * repeats, n), random)
            student = _share(rows, run_statistics.mean_interval, mean)
            plain = _share(rows, _percentile_interval, middle)
            ours = _share(rows, run_statistics.iqm_interval, middle)
            intervals = [run_statistics.iqm_interval(list(row)) for row in rows[:200]]
            widths = [i.high - i.low for i in intervals if i is not None]
            width = f"{np.median(widths):.2f}" if widths else "-"
            print(f"  n = {n:2d}  {noise:11s} {student} | {plain} | {ours} ({width})", flush=True)


def _share(
    rows: np.ndarray, interval: Callable[[list[float]], run_statistics.Interval | None], truth: float
) -> str:
    found = [interval(list(row)) for row in rows]
    held = [i.low <= truth <= i.high for i in found if i is not None]
    return f"{np.mean(held):.3f}" if held else "none "


def _percentile_interval(values: list[float]) -> run_statistics.Interval:
    """Return what rliable does, to compare with."""
    x = np.asarray(values)
    chosen = np.sort(x[np.random.default_rng(0).integers(0, len(x), (1000, len(x)))], axis=1)
    cut = int(run_statistics.TRIMMED * len(x))
    low, high = np.quantile(chosen[:, cut : len(x) - cut].mean(axis=1), [0.025, 0.975])
    return run_statistics.Interval(float(low), float(high))


def tied(p: Parameters, random: np.random.Generator, repeats: int) -> None:
    """Print how often the true best is in the tie set, and how large that is."""
    print(f"\nTie set: holds the true best | its mean size of {K} | paired t-tests instead: holds, size")
    for n in SEEDS:
        for name in POPULATIONS:
            s = simulate(name, 5 * repeats, n, random, p)
            ours, theirs = comparison.cannot_be_told(s.scores), _paired_tie_set(s.scores)
            print(f"  n = {n:2d}  {name:11s} {_holds(s, ours)}  | {_holds(s, theirs)}", flush=True)


def _holds(s: Simulated, kept: np.ndarray) -> str:
    return f"{kept[np.arange(len(kept)), s.best].mean():.3f} | {kept.sum(axis=1).mean():.2f}"


def _paired_tie_set(scores: np.ndarray) -> np.ndarray:
    d = scores[:, None, :, :] - scores[:, :, None, :]  # [i, j]: j less i
    with np.errstate(divide="ignore", invalid="ignore"):
        t = d.mean(axis=-1) / (d.std(axis=-1, ddof=1) / np.sqrt(d.shape[-1]))
    return np.asarray(~(stats.t.sf(t, d.shape[-1] - 1) < comparison.LEVEL / (K - 1)).any(axis=-1))


def honest_number(p: Parameters, random: np.random.Generator, repeats: int) -> None:
    """Print the bias of what the winner is said to be worth, its root mean square error, and where it lies.

    The last columns: how often the number, held out alone and ours, is below each run that the winner gave.
    """
    print(
        "\nThe winner's number, bias (error) in % of the spread: its own mean | shrunk | held out | ours"
        " | below the winner's worst run: held out, ours"
    )
    for n in SEEDS:
        for name in POPULATIONS:
            s = simulate(name, 4 * repeats, n, random, p)
            winners = s.scores.mean(axis=2).argmax(axis=1)
            truth = s.means[np.arange(len(winners)), winners]
            spread = float(np.ptp(s.means, axis=1).mean()) or 1.0
            numbers = {
                "own": [x[w].mean() for x, w in zip(s.scores, winners, strict=True)],
                "shrunk": [_shrunk(x, w) for x, w in zip(s.scores, winners, strict=True)],
                "held out": [held_out_mean(x) for x in s.scores],
                "ours": [expected_score(x, w) for x, w in zip(s.scores, winners, strict=True)],
            }
            said = []
            for found in numbers.values():
                off = 100 * (np.array(found, dtype=float) - truth) / spread
                said.append(f"{off.mean():6.1f} ({np.sqrt((off**2).mean()):4.0f})")
            worst = s.scores[np.arange(len(winners)), winners].min(axis=1) - 1e-9
            below = [f"{np.mean(np.array(numbers[key]) < worst):5.1%}" for key in ("held out", "ours")]
            print(f"  n = {n:2d}  {name:11s} {' | '.join([*said, ', '.join(below)])}", flush=True)


def _shrunk(scores: np.ndarray, winner: int) -> float:
    """Return the winner's mean drawn to the mean of all by empirical Bayes, to compare with."""
    means, n = scores.mean(axis=1), scores.shape[1]
    noise = float(scores.var(axis=1, ddof=1).mean()) / n
    real = max(0.0, float(means.var(ddof=1)) - noise)
    weight = real / (real + noise) if real + noise > 0 else 0.0
    return float(means.mean() + weight * (means[winner] - means.mean()))


def calibration(p: Parameters, random: np.random.Generator, repeats: int) -> None:
    """Print what P(best) claims against how often it is true."""
    print(
        "\nP(best) of the likeliest: claimed | true | calibration error over all | plain bootstrap: the same"
    )
    for n in SEEDS:
        everything: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {"ours": [], "bootstrap": []}
        for name in POPULATIONS:
            s = simulate(name, repeats, n, random, p)
            ours = np.array([comparison.p_best(x) for x in s.scores])
            theirs = np.array([_bootstrap_p_best(x, random) for x in s.scores])
            print(f"  n = {n:2d}  {name:11s} {_claims(ours, s.best)} | {_claims(theirs, s.best)}", flush=True)
            if name != "tied":
                everything["ours"].append((ours, s.best))
                everything["bootstrap"].append((theirs, s.best))
        both = [
            _claims(np.concatenate([a for a, _ in found]), np.concatenate([b for _, b in found]))
            for found in everything.values()
        ]
        print(f"  n = {n:2d}  {'all but tied':11s} {both[0]} | {both[1]}", flush=True)


def _bootstrap_p_best(scores: np.ndarray, random: np.random.Generator) -> np.ndarray:
    k, n = scores.shape
    chosen = random.integers(0, n, (500, k, n))
    means = np.take_along_axis(np.broadcast_to(scores, (500, k, n)), chosen, axis=2).mean(axis=2)
    return np.bincount(means.argmax(axis=1), minlength=k) / 500


def _claims(p: np.ndarray, best: np.ndarray) -> str:
    claimed, true = p.ravel(), (np.arange(K) == best[:, None]).ravel()
    bins = np.minimum((claimed * BINS).astype(int), BINS - 1)
    error = sum(
        abs(claimed[bins == b].mean() - true[bins == b].mean()) * (bins == b).mean() for b in np.unique(bins)
    )
    return f"{p.max(axis=1).mean():.2f} | {(p.argmax(axis=1) == best).mean():.2f} | {error:.3f}"


def raced(p: Parameters, random: np.random.Generator, repeats: int) -> None:
    """Print what racing saves of 10 seeds, and how often it gives up the true best."""
    print(
        "\nRacing, 10 seeds: saved | true best given up | true best in the tie set afterwards | mean size"
        " | the winner's number: bias (error) in % of the spread, below the winner's worst run"
    )
    question = _question(10)
    keys = [c.key for c in question.candidates]
    for name in POPULATIONS:
        s = simulate(name, repeats, 10, random, p)
        after = np.full(s.means.shape, 10)
        kept = np.zeros(s.means.shape, dtype=bool)
        off, below = np.zeros(repeats), np.zeros(repeats, dtype=bool)
        for r, scores in enumerate(s.scores):
            gone = racing.dropped(question, {k: row.tolist() for k, row in zip(keys, scores, strict=True)})
            after[r] = [gone.get(k, 10) for k in keys]
            left = after[r] == 10
            kept[r, left] = comparison.cannot_be_told(scores[left])
            winner = int(scores[left].mean(axis=1).argmax())
            number = expected_score(scores[left], winner)
            off[r] = number - s.means[r, left][winner]
            below[r] = number < scores[left][winner].min() - 1e-9
        off *= 100 / (float(np.ptp(s.means, axis=1).mean()) or 1.0)
        lost = (after[np.arange(repeats), s.best] < 10).mean()
        number_said = f"{off.mean():6.1f} ({np.sqrt((off**2).mean()):4.0f}), {below.mean():.1%}"
        saved = f"{1 - after.mean() / 10:.0%} | {lost:.1%}"
        print(f"  {name:11s} {saved} | {_holds(s, kept)} | {number_said}", flush=True)


def _question(n_seeds: int) -> Reevaluation:
    kinds: list[CandidateKind] = [*["trial"] * (K - 1), "defaults"]
    candidates = [
        Candidate(key=f"{kind} {i}", kind=kind, name=f"{kind} {i}", resolved={}, n_train_envs=1)
        for i, kind in enumerate(kinds)
    ]
    return Reevaluation(
        mode="retrain",
        candidates=tuple(candidates),
        n_seeds=n_seeds,
        n_episodes=1,
        n_timesteps=1,
        study_timesteps=1,
        maximize=True,
        racing=True,
    )


TABLES = {
    "coverage": coverage,
    "ties": tied,
    "number": honest_number,
    "p-best": calibration,
    "racing": raced,
}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reevaluation", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="200 repeats")
    parser.add_argument("--tuning", action="store_true", help="the populations that the rules were chosen on")
    parser.add_argument("--only", choices=TABLES, help="one table, on other random numbers than among all")
    parser.add_argument("--repeats", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=None)
    return parser.parse_args()


if __name__ == "__main__":
    main()
