"""One trial: sample a configuration, train it, evaluate it, keep its policy."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import optuna
import torch
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecEnv

from storage.artifacts import pinned_trials, save_policy
from storage.paths import RunFolder
from storage.trials import EVALUATIONS, RESOLVED, TIMESTEPS
from tuning import environments
from tuning.policy import build_model, policy_arrays
from tuning.reporter import Reporter
from tuning.space.resolve import resolve_configuration
from tuning.spec import StudySpec
from tuning.trial_callback import Diverged, TrialCallback
from tuning.watchdog import Control


@dataclass(frozen=True)
class Seeds:
    """The seeds of one trial; env i of a vectorised env gets the seed plus i."""

    train: int
    evaluation: int


def run_objective(
    trial: optuna.Trial,
    spec: StudySpec,
    folder: RunFolder,
    *,
    seeds: Seeds,
    reporter: Reporter,
    control: Control,
) -> float:
    """Train one configuration and return the mean undiscounted return of its last evaluation.

    Raises:
        optuna.TrialPruned: the pruner gave up on it.
        Diverged: weights or returns are no longer finite.
        TrialStopped: the process was told to end its work.
        Exception: whatever the environment or the algorithm raised.
    """
    stored = {parameter.name: parameter.suggest(trial) for parameter in spec.search_space}
    resolved = resolve_configuration(spec, stored)
    trial.set_user_attr(RESOLVED, resolved)
    budget = spec.budget
    train_env = make_envs(spec, spec.n_train_envs, seed=seeds.train)
    eval_env = make_envs(spec, min(spec.n_eval_envs, budget.n_eval_episodes), seed=seeds.evaluation)
    try:
        torch.set_num_threads(1)  # more threads only get in the way of the other workers
        model = build_model(spec.algorithm, spec.policy, train_env, resolved, seed=seeds.train)
        callback = TrialCallback(
            trial,
            eval_env=eval_env,
            eval_seed=seeds.evaluation,
            marks=spec.evaluation_marks(),
            n_episodes=budget.n_eval_episodes,
            reporter=reporter,
            control=control,
        )
        try:
            model.learn(budget.n_timesteps, callback=callback)
        except ValueError as error:
            if "Expected parameter" in str(error):  # torch's distributions refuse NaN this way
                raise Diverged("the policy's output became NaN") from error
            raise
        finally:
            if callback.records:  # once: each writing repeats the whole list in the journal
                trial.set_user_attr(EVALUATIONS, callback.records)
        assert callback.result is not None
        trial.set_user_attr(TIMESTEPS, model.num_timesteps)
        reporter.phase("save")
        if spec.retention.top or trial.number in pinned_trials(folder):
            request = _request(spec, resolved, seeds, model.num_timesteps, callback.result.mean)
            save_policy(folder, trial.number, policy_arrays(model.policy), request)
        return callback.result.mean
    finally:
        train_env.close()
        eval_env.close()


def make_envs(spec: StudySpec, n_envs: int, *, seed: int) -> VecEnv:
    """Return vectorised envs in this process, each with a Monitor; env i is seeded with seed + i."""
    return make_vec_env(
        partial(environments.make, spec.env.id, dict(spec.env.kwargs)), n_envs=n_envs, seed=seed
    )


def _request(
    spec: StudySpec, resolved: dict[str, Any], seeds: Seeds, timesteps: int, value: float
) -> dict[str, Any]:
    return {
        "env": {"id": spec.env.id, "kwargs": spec.env.kwargs},
        "algorithm": spec.algorithm,
        "policy": spec.policy,
        "resolved": resolved,
        "n_train_envs": spec.n_train_envs,
        "train_seed": seeds.train,
        "eval_seed": seeds.evaluation,
        "timesteps": timesteps,
        "value": value,
    }
