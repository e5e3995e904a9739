"""SB3's VecNormalize around the envs of one training, and its statistics as plain arrays. Needs torch."""

from gymnasium import spaces
from stable_baselines3.common.preprocessing import is_image_space, is_image_space_channels_first
from stable_baselines3.common.running_mean_std import RunningMeanStd
from stable_baselines3.common.vec_env import VecEnv, VecNormalize, VecTransposeImage

from tuning.env_wrappers import normalized_parts
from tuning.normalization import WHOLE, Moments, Normalization
from tuning.spec_parts import EnvSpec


def normalized(
    train_env: VecEnv, eval_env: VecEnv, env: EnvSpec, *, gamma: float
) -> tuple[VecNormalize, VecEnv]:
    """Return the envs of a training with what `env` normalises.

    Evaluation sees observations by the statistics of training, which it shares and never changes, and its
    rewards as they are. A Monitor inside counts returns of either as they are.

    Args:
        train_env: to learn in.
        eval_env: to be judged in.
        env: says what is normalised.
        gamma: the configuration's discount, by which rewards are scaled.
    """
    keys = [key for key in normalized_parts(train_env.observation_space) if key != WHOLE] or None
    outer = VecNormalize(
        _channels_first(train_env),
        norm_obs=env.normalize_observations,
        norm_reward=env.normalize_rewards,
        gamma=gamma,
        norm_obs_keys=keys if env.normalize_observations else None,
    )
    if not env.normalize_observations:
        return outer, eval_env
    judged = VecNormalize(eval_env, training=False, norm_reward=False, norm_obs_keys=keys)
    judged.obs_rms = outer.obs_rms  # one object, which only training updates
    return outer, judged


def _channels_first(env: VecEnv) -> VecEnv:
    """Return an env whose images SB3 need not turn: a replay buffer stores what is inside VecNormalize."""
    space = env.observation_space
    parts = space.spaces.values() if isinstance(space, spaces.Dict) else [space]
    to_turn = any(
        isinstance(part, spaces.Box) and is_image_space(part) and not is_image_space_channels_first(part)
        for part in parts
    )
    return VecTransposeImage(env) if to_turn else env


def statistics(env: VecNormalize) -> Normalization:
    """Return the statistics so far."""
    observations: dict[str, Moments] = {}
    if env.norm_obs:
        parts = env.obs_rms if isinstance(env.obs_rms, dict) else {WHOLE: env.obs_rms}
        observations = {key: _moments(part) for key, part in parts.items()}
    return Normalization(
        observations=observations,
        returns=_moments(env.ret_rms),
        clip_observations=env.clip_obs,
        clip_rewards=env.clip_reward,
        epsilon=env.epsilon,
        gamma=env.gamma,
    )


def _moments(running: RunningMeanStd) -> Moments:
    return Moments(running.mean.copy(), running.var.copy(), float(running.count))
