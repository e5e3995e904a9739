"""Between plain JSON and Stable-Baselines3 objects: arguments, arrays, policies. Needs torch."""

import warnings
from importlib import import_module
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.vec_env import VecEnv

from storage.artifacts import KeptPolicy
from tuning.action_noise import with_action_noise
from tuning.algorithms import algorithm
from tuning.eager import leave_compiler_out
from tuning.env_wrappers import make_wrapped
from tuning.replay_size import replay_size
from tuning.spec_parts import EnvSpec
from tuning.trainers import TrainerChoice, TrainerUsed

ACTIVATIONS: dict[str, type[torch.nn.Module]] = {
    "tanh": torch.nn.Tanh,
    "relu": torch.nn.ReLU,
    "elu": torch.nn.ELU,
    "leaky_relu": torch.nn.LeakyReLU,
}


_SMALLEST_ROLLOUT = {"n_steps": 2}  # of a policy that only acts: SB3 refuses one step of one env


def sb3_arguments(resolved: dict[str, Any]) -> dict[str, Any]:
    """Return constructor arguments from a resolved configuration; activations become classes."""
    arguments = dict(resolved)
    policy_kwargs = dict(arguments.pop("policy_kwargs", {}))
    if isinstance(policy_kwargs.get("activation_fn"), str):
        policy_kwargs["activation_fn"] = ACTIVATIONS[policy_kwargs["activation_fn"]]
    if policy_kwargs:
        arguments["policy_kwargs"] = policy_kwargs
    return arguments


# By the class that SB3 trains with: the class that trains the same with fast kernels.
FAST_CLASSES = {
    "stable_baselines3.PPO": "tuning.fast_ppo.FastPPO",
    "stable_baselines3.A2C": "tuning.fast_ppo.FastA2C",
}


def build_model(
    name: str,
    policy: str,
    env: gym.Env[Any, Any] | VecEnv,
    resolved: dict[str, Any],
    *,
    seed: int,
    trainer: TrainerChoice = "sb3",
    n_timesteps: int | None = None,
) -> BaseAlgorithm:
    """Return an untrained model on the CPU.

    Args:
        name: of the algorithm.
        policy: one of the algorithm's.
        env: to learn in.
        resolved: the algorithm's keyword arguments, plain JSON.
        seed: of the weights, the actions and the envs.
        trainer: "auto" for the fast kernels where they apply; a policy that is only looked at needs none.
        n_timesteps: for which it will learn, if it is known; a replay buffer gets no larger than what is
            collected in them.
    """
    known = algorithm(name)
    class_path = known.class_path
    if trainer == "auto":
        class_path = FAST_CLASSES.get(class_path, class_path)
    leave_compiler_out()
    module, _, class_name = class_path.rpartition(".")
    cls = getattr(import_module(module), class_name)
    arguments = with_action_noise(sb3_arguments(resolved), getattr(env, "action_space", None))
    if n_timesteps is not None:
        n_envs = getattr(env, "num_envs", 1)
        size = replay_size(known, resolved, n_timesteps=n_timesteps, n_envs=n_envs)
        if size is not None:
            arguments["buffer_size"] = size
    with warnings.catch_warnings():
        # Said for every trial whose rollout is no multiple of the batch; SB3 cuts the last minibatch short.
        warnings.filterwarnings("ignore", message="You have specified a mini-batch size")
        model: BaseAlgorithm = cls(policy, env, seed=seed, device="cpu", verbose=0, **arguments)
    model.set_logger(Logger(None, []))  # SB3's own would leave a folder in /tmp for every training
    return model


def trainer_of(model: BaseAlgorithm, choice: TrainerChoice) -> TrainerUsed:
    """Say whose code trains a model that was built with this choice, and why not the fast kernels."""
    if choice == "sb3":
        return TrainerUsed("sb3")
    reason = getattr(model, "why_not_fast", f"no kernels for {type(model).__name__}")
    return TrainerUsed("fast") if reason is None else TrainerUsed("sb3", str(reason))


def policy_arrays(policy: BasePolicy) -> dict[str, np.ndarray]:
    """Return a policy's parameters and buffers as arrays, by their names in its state dict."""
    return {name: tensor.detach().cpu().numpy() for name, tensor in policy.state_dict().items()}


def rebuild_policy(kept: KeptPolicy) -> BasePolicy:
    """Rebuild a kept policy: construct it from its request, then fill in its arrays. No pickle is involved.

    Raises:
        ValueError, RuntimeError: the arrays do not fit the request.
    """
    request = kept.request
    resolved = dict(request["resolved"])
    if algorithm(request["algorithm"]).kind == "on-policy":
        resolved |= _SMALLEST_ROLLOUT  # a single env may be too few for its own
    env = make_wrapped(EnvSpec.model_validate(request["env"]))
    try:
        model = build_model(request["algorithm"], request["policy"], env, resolved, seed=0, n_timesteps=1)
    finally:
        env.close()
    model.policy.load_state_dict({name: torch.from_numpy(array) for name, array in kept.arrays.items()})
    return model.policy


def is_finite(policy: BasePolicy) -> bool:
    """Say whether every parameter is a finite number."""
    return all(bool(torch.isfinite(parameter).all()) for parameter in policy.parameters())
