"""A study's wrappers in Python for plain Stable-Baselines3, in the order that `env_wrappers` holds to."""

from tuning.spec_parts import EnvSpec

_VEC_ENV = "stable_baselines3.common.vec_env"
# RL Zoo makes its wrapper by name, normalises, and then stacks.
ZOO_ORDER = "RL Zoo normalises before it stacks frames; here the stack was normalised. Results may differ."


def wrapper_imports(env: EnvSpec, policy: str, *, to_play: bool = False) -> list[str]:
    """Return the lines that import what `wrapper_lines` use, or with `to_play` what `playing_lines` do."""
    lines = []
    normalizes = env.normalize_observations if to_play else env.normalizes
    turns = normalizes and not to_play and _reads_images(policy)
    if env.time_feature:
        lines.append("from sb3_contrib.common.wrappers import TimeFeatureWrapper")
    if env.normalize_observations and _reads_dicts(policy):
        lines.append("from gymnasium.spaces import Box")
    tests = ["is_image_space"] * (normalizes and _reads_dicts(policy))
    if tests := tests + ["is_image_space_channels_first"] * turns:
        lines.append(f"from stable_baselines3.common.preprocessing import {', '.join(tests)}")
    names = ["VecFrameStack"] * (env.frame_stack > 1) + ["VecNormalize"] * normalizes
    names += ["VecTransposeImage"] * turns
    if names:
        lines.append(f"from {_VEC_ENV} import {', '.join(names)}")
    return lines


def made_with(env: EnvSpec) -> str:
    """Return the further argument of `make_vec_env`."""
    return ", wrapper_class=TimeFeatureWrapper" if env.time_feature else ""


def wrapper_lines(env: EnvSpec, policy: str, *, gamma: float) -> list[str]:
    """Return the lines that wrap the training's `env`."""
    lines = _stack(env, "env")
    if env.normalizes:
        lines += _channels_first(policy)
        lines += _keys(env, policy, "env")
        options = (
            f"norm_obs={env.normalize_observations}, norm_reward={env.normalize_rewards}, gamma={gamma!r}"
        )
        lines.append(f"env = VecNormalize(env, {options}{_with_keys(env, policy)})")
    return lines


def judged_lines(env: EnvSpec, policy: str) -> list[str]:
    """Return the lines that wrap `eval_env`, which sees by the statistics of the training's `env`."""
    lines = _stack(env, "eval_env")
    if env.normalize_observations:
        lines += [
            f"eval_env = VecNormalize(eval_env, training=False, norm_reward=False{_with_keys(env, policy)})",
            "eval_env.obs_rms = env.obs_rms  # of training, and not changed by being judged",
        ]
    return lines


def playing_lines(env: EnvSpec, policy: str, statistics: str) -> list[str]:
    """Return the lines that wrap an `env` to play in, normalised by a file of `normalization` arrays."""
    lines = _stack(env, "env")
    if env.normalize_observations:
        lines += _keys(env, policy, "env")
        lines += [
            f"env = VecNormalize(env, training=False, norm_reward=False{_with_keys(env, policy)})",
            f'with np.load("{statistics}") as kept:  # plain arrays',
        ]
        if _reads_dicts(policy):
            lines += [
                "    for key in keys:",
                "        moments = env.obs_rms[key]",
                '        moments.mean, moments.var = kept[f"mean.{key}"], kept[f"var.{key}"]',
            ]
        else:
            lines.append('    env.obs_rms.mean, env.obs_rms.var = kept["mean"], kept["var"]')
    return lines


def zoo_lines(env: EnvSpec) -> list[str]:
    """Return the entries of an RL Zoo hyperparameter file; RL Zoo adds the configuration's gamma itself."""
    lines = []
    if env.time_feature:
        lines.append("  env_wrapper: sb3_contrib.common.wrappers.TimeFeatureWrapper")
    if env.normalizes:
        options = f"norm_obs={env.normalize_observations}, norm_reward={env.normalize_rewards}"
        lines.append(f'  normalize: "dict({options})"')
    if env.frame_stack > 1:
        lines.append(f"  frame_stack: {env.frame_stack}")
    return lines


def _stack(env: EnvSpec, name: str) -> list[str]:
    return [f"{name} = VecFrameStack({name}, n_stack={env.frame_stack})"] if env.frame_stack > 1 else []


def _keys(env: EnvSpec, policy: str, name: str) -> list[str]:
    if not env.normalize_observations or not _reads_dicts(policy):
        return []
    return [
        f"parts = {name}.observation_space.spaces",
        "keys = [k for k, p in parts.items() if isinstance(p, Box) and p.shape and not is_image_space(p)]",
    ]


def _channels_first(policy: str) -> list[str]:
    """SB3 turns images outside of VecNormalize, and a replay buffer stores what is inside of it."""
    turned = "    env = VecTransposeImage(env)  # else the replay buffer gets them as they are"
    if _reads_dicts(policy):
        return [
            "images = [p for p in env.observation_space.spaces.values() if is_image_space(p)]",
            "if any(not is_image_space_channels_first(image) for image in images):",
            turned,
        ]
    if _reads_images(policy):
        return ["if not is_image_space_channels_first(env.observation_space):", turned]
    return []


def _with_keys(env: EnvSpec, policy: str) -> str:
    return ", norm_obs_keys=keys" if env.normalize_observations and _reads_dicts(policy) else ""


def _reads_dicts(policy: str) -> bool:
    return policy.startswith("MultiInput")


def _reads_images(policy: str) -> bool:
    return policy.startswith("Cnn") or _reads_dicts(policy)
