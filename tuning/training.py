"""Train one configuration with one pair of seeds: what a study's trial and a retraining have in common."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecEnv, VecNormalize

from storage.artifacts import save_policy
from storage.paths import RunFolder
from tuning.env_wrappers import make_wrapped
from tuning.normalization import Normalization, reward_discount
from tuning.policy import build_model, policy_arrays, trainer_of
from tuning.reporter import Reporter
from tuning.spec_parts import EnvSpec
from tuning.trainers import TrainerChoice, TrainerUsed
from tuning.training_callback import Diverged, Evaluation, OnEvaluation, TrainingCallback
from tuning.training_clock import TimeIsUp
from tuning.vec_env import LightVecEnv
from tuning.vec_normalize import normalized, statistics
from tuning.watchdog import Control

OnStart = Callable[[TrainerUsed], None]
MAX_TIMESTEPS = 10**10  # what SB3 is told where the time decides


@dataclass(frozen=True)
class Seeds:
    """The seeds of one training; env i of a vectorised env gets the seed plus i."""

    train: int
    evaluation: int


@dataclass(frozen=True)
class Training:
    """What to train, and how it is judged."""

    env: EnvSpec
    algorithm: str
    policy: str
    resolved: dict[str, Any]  # the algorithm's keyword arguments, plain JSON
    seeds: Seeds
    n_train_envs: int
    n_timesteps: int  # env steps over all training envs
    marks: Sequence[int]  # env steps (seconds) past which to evaluate; the last one is the end of training
    n_eval_envs: int
    n_eval_episodes: int  # an evaluation
    trainer: TrainerChoice = "auto"
    seconds: float | None = None  # of training, evaluations not counted; it ends then, whatever `n_timesteps`


@dataclass(frozen=True)
class Trained:
    """A trained model, its last evaluation, and whose code trained it."""

    model: BaseAlgorithm
    evaluation: Evaluation
    trainer: TrainerUsed
    normalization: Normalization | None  # None where the envs were not normalised
    seconds: float  # wall-clock time of the training, evaluations not counted


def train(
    training: Training,
    *,
    on_evaluation: OnEvaluation,
    reporter: Reporter,
    control: Control,
    on_start: OnStart | None = None,
) -> Trained:
    """Train one configuration in a single `learn()`, evaluated on envs of its own.

    Args:
        training: what to train.
        on_evaluation: called with each evaluation; may raise to end the training.
        reporter: hears how far it is.
        control: says when to stop.
        on_start: called once the model is built, before the first step, with whose code trains it.

    Raises:
        Diverged: weights, output or returns are no longer finite.
        TrainingStopped: the process was told to end its work.
        Exception: whatever `on_evaluation`, the environment or the algorithm raised.
    """
    seeds, t = training.seeds, training
    train_env = make_envs(t.env, t.n_train_envs, seed=seeds.train)
    eval_env = make_envs(t.env, min(t.n_eval_envs, t.n_eval_episodes), seed=seeds.evaluation)
    if t.env.normalizes:
        train_env, eval_env = normalized(
            train_env, eval_env, t.env, gamma=reward_discount(t.algorithm, t.resolved)
        )
    try:
        torch.set_num_threads(1)  # more threads only get in the way of the other workers
        model = build_model(
            t.algorithm,
            t.policy,
            train_env,
            t.resolved,
            seed=seeds.train,
            trainer=t.trainer,
            n_timesteps=t.n_timesteps if t.seconds is None else None,
        )
        trainer = trainer_of(model, t.trainer)
        if on_start is not None:
            on_start(trainer)
        callback = TrainingCallback(
            on_evaluation,
            eval_env=eval_env,
            eval_seed=seeds.evaluation,
            marks=t.marks,
            n_episodes=t.n_eval_episodes,
            reporter=reporter,
            control=control,
            seconds=t.seconds,
        )
        total = t.n_timesteps if t.seconds is None else MAX_TIMESTEPS
        try:
            # SB3 would sum up its log after each rollout, and nobody reads it: an interval never reached.
            model.learn(total, callback=callback, log_interval=total)
        except TimeIsUp:
            callback.on_training_end()
        except ValueError as error:
            if "Expected parameter" in str(error):  # torch's distributions refuse NaN this way
                raise Diverged("the policy's output became NaN") from error
            raise
        finally:
            # SB3 gives the callback all its local variables, itself and the model among them: a cycle, in
            # which a replay buffer would lie on beside the next training's.
            callback.locals.clear()
        assert callback.newest is not None
        used = statistics(train_env) if isinstance(train_env, VecNormalize) else None
        return Trained(model, callback.newest, trainer, used, callback.clock.seconds)
    finally:
        train_env.close()
        eval_env.close()


def keep_policy(folder: RunFolder, number: int, training: Training, trained: Trained) -> None:
    """Keep a trained policy in the folder of its study or job, with all that is needed to rebuild it.

    Args:
        folder: of the study or job.
        number: of the trial, or of the run in the job's plan.
        training: what was trained.
        trained: what came of it.

    Raises:
        OSError: the disk is full, for one.
    """
    request = {
        "env": training.env.record(),
        "algorithm": training.algorithm,
        "policy": training.policy,
        "resolved": training.resolved,
        "n_train_envs": training.n_train_envs,
        "train_seed": training.seeds.train,
        "eval_seed": training.seeds.evaluation,
        "trainer": trained.trainer.record(),
        "timesteps": trained.model.num_timesteps,
        "value": trained.evaluation.result.mean,
    }
    kept = None if trained.normalization is None else trained.normalization.arrays()
    save_policy(folder, number, policy_arrays(trained.model.policy), request, kept)


def make_envs(env: EnvSpec, n_envs: int, *, seed: int) -> VecEnv:
    """Return vectorised envs in this process, each with a Monitor, not normalised; env i gets seed + i."""
    make = partial(make_wrapped, env)
    return make_vec_env(make, n_envs=n_envs, seed=seed, vec_env_cls=LightVecEnv)
