"""Do the fast trainer and SB3's own learn equally well? Many pairs of runs, each pair with the same seeds.

    nice python -m benchmarks.trainers_learn_alike            # the table in docs/speed.md
    python -m benchmarks.trainers_learn_alike --pairs 3       # a look

A pair begins with the same weights and the same random numbers, and rounding soon leads it different ways. So
what is compared is the mean of many runs: the difference in the return of the last evaluation, with its 90 %
interval (Student's t). The measure is what tuning is worth there, the gap between SB3's default
hyperparameters and tuned ones after the same number of steps. The trainers count as alike when the whole
interval lies within 5 % of that gap: two one-sided tests at the level of 5 %.

Every run goes through `tuning.training.train`, as a study's trial does. Configurations and the numbers of
steps and pairs were chosen before, so that the spread allows an answer, by a few runs of the fast
trainer alone.
"""

import argparse
import platform
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import stable_baselines3
import torch
from scipy import stats

from storage.paths import RunFolder
from tuning import environments
from tuning.reporter import Reporter
from tuning.trainers import TrainerChoice
from tuning.training import Seeds, Training, train
from tuning.training_callback import Diverged
from tuning.watchdog import Control

CONFIDENCE = 0.9
MARGIN = 0.05  # of the gap between default and tuned
N_DEFAULT_RUNS = 6
EVALUATION_SEED = 1_000_000  # of all runs: they meet the same evaluation episodes
N_WORKERS = 2


@dataclass(frozen=True)
class Problem:
    """An environment, what was tuned for it, and how long it is trained."""

    env_id: str
    n_timesteps: int
    n_pairs: int
    n_eval_episodes: int
    n_train_envs: int  # of all runs
    tuned: dict[str, Any]
    source: str


PROBLEMS = (
    Problem(
        "Pendulum-v1",
        n_timesteps=60_000,
        n_pairs=20,
        n_eval_episodes=50,
        n_train_envs=4,
        tuned={"n_steps": 1024, "gamma": 0.9, "learning_rate": 1e-3},
        source="RL Zoo, without gSDE",
    ),
    Problem(
        "CartPole-v1",
        n_timesteps=18_000,  # by 20,000 all runs reach the maximum of 500, and nothing is compared
        n_pairs=30,
        n_eval_episodes=50,
        n_train_envs=8,
        tuned={
            "n_steps": 128,
            "gamma": 0.99,
            "learning_rate": 1e-3,
            "clip_range": 0.1,
            "max_grad_norm": 2.0,
        },
        source="a few tries",
    ),
    Problem(
        "Acrobot-v1",
        n_timesteps=30_000,
        n_pairs=20,
        n_eval_episodes=50,
        n_train_envs=16,
        tuned={"n_steps": 64, "gae_lambda": 0.94, "learning_rate": 1e-3},
        source="RL Zoo's discount of advantages, and a few tries",
    ),
)


@dataclass(frozen=True)
class Run:
    """One training to be done."""

    problem: Problem
    trainer: TrainerChoice
    seed: int
    tuned: bool


@dataclass(frozen=True)
class Comparison:
    """What the runs on one environment say."""

    difference: float  # mean of fast minus SB3's, in return
    low: float  # of its 90 % interval
    high: float
    deviation: float  # of the differences
    gap: float  # tuned minus default, both by SB3

    @property
    def alike(self) -> bool:
        """Whether the whole interval lies within 5 % of the gap."""
        return max(abs(self.low), abs(self.high)) <= MARGIN * self.gap


def compare(fast: Sequence[float], sb3: Sequence[float], default: Sequence[float]) -> Comparison:
    """Compare paired final returns.

    Args:
        fast: of the fast trainer, one for each seed.
        sb3: of SB3's, of the same seeds.
        default: of SB3's with default hyperparameters; other seeds will do.
    """
    differences = np.subtract(fast, sb3)
    n, mean, deviation = len(differences), float(np.mean(differences)), float(np.std(differences, ddof=1))
    half = float(stats.t.ppf(0.5 + CONFIDENCE / 2, n - 1)) * deviation / n**0.5
    gap = float(np.mean(sb3)) - float(np.mean(default))
    return Comparison(mean, mean - half, mean + half, deviation, gap)


def final_return(run: Run) -> float:
    """Train in this process and return the mean return of the last evaluation."""
    p = run.problem
    training = Training(
        env=environments.require(p.env_id),
        algorithm="PPO",
        policy="MlpPolicy",
        resolved=p.tuned if run.tuned else {},
        seeds=Seeds(train=run.seed, evaluation=EVALUATION_SEED),
        n_train_envs=p.n_train_envs,
        n_timesteps=p.n_timesteps,
        marks=[p.n_timesteps],
        n_eval_envs=10,
        n_eval_episodes=p.n_eval_episodes,
        trainer=run.trainer,
    )
    with tempfile.TemporaryDirectory() as folder:
        reporter = Reporter(RunFolder(Path(folder)), 0, p.n_timesteps)
        try:
            trained = train(training, on_evaluation=lambda _: None, reporter=reporter, control=Control())
        except Diverged as error:
            raise RuntimeError(f"{run} diverged: it has no final return") from error
    expected = "fast" if run.trainer == "auto" else "sb3"
    assert trained.trainer.name == expected, trained.trainer.words
    return float(trained.evaluation.result.mean)


def measure(problem: Problem, *, n_pairs: int, first_seed: int) -> Comparison:
    """Run all trainings of one environment on two processes, print their returns, and compare them."""
    seeds = range(first_seed, first_seed + 100 * n_pairs, 100)  # each env of a run has a seed of its own
    runs = [Run(problem, trainer, seed, True) for seed in seeds for trainer in ("auto", "sb3")]
    runs += [Run(problem, "sb3", seed, False) for seed in seeds[:N_DEFAULT_RUNS]]
    start = time.perf_counter()
    returns = _in_processes(runs)
    fast, sb3, default = returns[: 2 * n_pairs : 2], returns[1 : 2 * n_pairs : 2], returns[2 * n_pairs :]
    took = time.perf_counter() - start
    print(f"\n{problem.env_id}: {problem.n_timesteps:,} steps, {n_pairs} pairs, {took:.0f} s")
    print(f"  tuned: {problem.source}, {problem.n_train_envs} envs, {problem.tuned}")
    for name, values in (("fast", fast), ("SB3", sb3), ("SB3, default", default)):
        print(f"  {name:12} mean {np.mean(values):8.1f}  sd {np.std(values, ddof=1):6.1f}  ", end="")
        print(" ".join(f"{value:.0f}" for value in values), flush=True)
    return compare(fast, sb3, default)


def _in_processes(runs: Sequence[Run]) -> list[float]:
    return list(joblib.Parallel(n_jobs=N_WORKERS)(joblib.delayed(final_return)(run) for run in runs))


def main() -> None:
    """Print a line for each environment, and whether the trainers are alike in all."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--pairs", type=int, help="of runs in each environment; else as fixed beforehand")
    options.add_argument("--first-seed", type=int, default=0)
    options.add_argument("--only", help="one environment")
    o = options.parse_args()
    print(
        f"Python {platform.python_version()}, torch {torch.__version__}, SB3 {stable_baselines3.__version__}"
    )
    comparisons = {
        p.env_id: measure(p, n_pairs=o.pairs or p.n_pairs, first_seed=o.first_seed)
        for p in PROBLEMS
        if o.only in (None, p.env_id)
    }
    print("\n| environment | fast minus SB3 | 90 % interval | tuned minus default | of it | within 5 % |")
    print("|---|---|---|---|---|---|")
    for env_id, c in comparisons.items():
        of_gap = f"{c.low / c.gap:+.1%} to {c.high / c.gap:+.1%}"
        print(
            f"| {env_id} | {c.difference:+.1f} | {c.low:+.1f} to {c.high:+.1f} | {c.gap:.0f} | {of_gap} "
            f"| {'yes' if c.alike else 'NO'} |"
        )


if __name__ == "__main__":
    main()
