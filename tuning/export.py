"""Take one configuration home: RL Zoo's YAML, a script for plain Stable-Baselines3, or JSON.

Everything that comes from a study is checked against what is known about the algorithm and written as a
literal of a JSON type, so that no text of a trial can become code.
"""

import json
import keyword
import math
import re
import shlex
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import gymnasium
import yaml
from optuna.trial import FrozenTrial

from storage.trials import RESOLVED, RUN, TIMESTEPS, imported
from tuning import environments
from tuning.algorithms import Argument
from tuning.analysis.outcomes import finite_ranked, reached
from tuning.analysis.words import duration
from tuning.noise_code import noise_argument, noise_imports, without_noise, zoo_noise
from tuning.normalization import reward_discount
from tuning.replay_size import replay_size
from tuning.space.resolve import POLICY_PREFIX, argument_value, resolve_configuration
from tuning.spec import StudySpec
from tuning.trainers import trainer_used
from tuning.wrapper_code import ZOO_ORDER, judged_lines, made_with, wrapper_imports, wrapper_lines, zoo_lines

ACTIVATION_CLASSES = {"tanh": "nn.Tanh", "relu": "nn.ReLU", "elu": "nn.ELU", "leaky_relu": "nn.LeakyReLU"}
MAX_DEPTH = 20
_CUT_BUFFER = "buffer_size: as many as are collected; raise it where training is longer"


class ExportError(ValueError):
    """A trial has no configuration that can be written out; the message says why."""


def best_trial(trials: Sequence[FrozenTrial], *, maximize: bool) -> FrozenTrial | None:
    """Return the complete trial with the best finite value, ties as `ranked` breaks them, or None."""
    ranked = finite_ranked(trials, maximize=maximize)
    return ranked[0] if ranked else None


def better_imported(
    trials: Sequence[FrozenTrial], best: FrozenTrial | None, *, maximize: bool
) -> FrozenTrial | None:
    """Return the best of the trials that the study imported where it beats `best`, the best of its own."""
    theirs = best_trial(imported(trials), maximize=maximize)
    if theirs is None or best is None or theirs.value == best.value:
        return theirs if best is None else None
    return theirs if best_trial([best, theirs], maximize=maximize) is theirs else None


def model_name(spec: StudySpec) -> str:
    """Return what a trained agent is called in file names: ppo-Pendulum-v1."""
    return f"{spec.algorithm.lower()}-{re.sub('[^A-Za-z0-9._-]+', '-', spec.env.id)}"


def card_name(spec: StudySpec, trial: int) -> str:
    """Return the name of a model card's folder: ppo-Pendulum-v1-trial-55."""
    return f"{model_name(spec)}-trial-{trial}"


def configuration(spec: StudySpec, trial: FrozenTrial) -> dict[str, Any]:
    """Return the keyword arguments that the algorithm got in a trial, in plain JSON.

    They are the ones recorded with the trial, or else resolved from its parameters.

    Raises:
        ExportError: the trial never had a complete configuration, or holds values that the algorithm refuses.
    """
    recorded = trial.user_attrs.get(RESOLVED)
    if isinstance(recorded, dict):
        resolved = recorded
    else:
        # What a mapping left out of a study that is not ours has no effect on training.
        known = {p.name: trial.params[p.name] for p in spec.search_space if p.name in trial.params}
        try:
            resolved = resolve_configuration(spec, known)
        except (ValueError, TypeError, KeyError) as error:
            raise ExportError(f"Trial {trial.number} has no complete configuration: {error}") from None
    _check(spec, trial, resolved)
    return resolved


def _steps(spec: StudySpec, trial: FrozenTrial) -> tuple[int, str]:
    """Return the env steps of one training, and what to say about them where the clock ended it."""
    budget = spec.budget
    if budget.trial_seconds is None:
        return budget.n_timesteps, ""
    limit, recorded = duration(budget.trial_seconds), trial.user_attrs.get(TIMESTEPS)
    if type(recorded) is int and spec.objective.n_seeds <= recorded <= 10**12:
        steps = recorded // spec.objective.n_seeds
        return steps, f"The clock ended the trial's training after {limit}, which were {steps} steps."
    return budget.n_timesteps, f"The clock ends a training after {limit}; the trial recorded no steps."


def _cut_replay_size(spec: StudySpec, resolved: dict[str, Any], steps: int) -> int | None:
    """Return the size of the replay buffer that training takes where it is less than what is asked for."""
    size = replay_size(spec.info, resolved, n_timesteps=steps, n_envs=spec.n_train_envs)
    asked = argument_value(spec, resolved, "buffer_size")
    return size if size is not None and size < asked else None


def to_yaml(spec: StudySpec, trial: FrozenTrial) -> str:
    """Return the configuration as an entry of an RL Zoo hyperparameter file, with resolved values.

    Raises:
        ExportError: see `configuration`.
    """
    resolved = configuration(spec, trial)
    lines = [_comment(_title(spec, trial))]
    if spec.env.kwargs:
        pairs = (f"{key}:{_literal(value)}" for key, value in spec.env.kwargs.items())
        lines.append(_comment(f"Train with: --env-kwargs {shlex.join(pairs)}"))
    if spec.env.normalize_observations and spec.env.frame_stack > 1:
        lines.append(_comment(ZOO_ORDER))
    steps, by_the_clock = _steps(spec, trial)
    if by_the_clock:
        lines.append(_comment(by_the_clock))
    size = _cut_replay_size(spec, resolved, steps)
    if size is not None:
        lines.append(_comment(_CUT_BUFFER))
        resolved = {**resolved, "buffer_size": size}
    lines += [
        f"{_scalar(spec.env.id)}:",
        f"  n_envs: {spec.n_train_envs}",
        f"  n_timesteps: !!float {_scientific(steps)}",
        f"  policy: {_scalar(spec.policy)}",
        *zoo_lines(spec.env),
    ]
    for name, value in {**without_noise(resolved), **zoo_noise(resolved)}.items():
        if name != "policy_kwargs" and value is not None:  # RL Zoo refuses null, and it is the default
            lines.append(f"  {name}: {_scalar(value)}")
    if resolved.get("policy_kwargs"):
        lines.append(f'  policy_kwargs: "{_policy_kwargs(resolved["policy_kwargs"])}"')
    return "\n".join(lines) + "\n"


def to_python(spec: StudySpec, trial: FrozenTrial) -> str:
    """Return a script that trains this configuration with plain SB3 and the trial's own seeds.

    Raises:
        ExportError: see `configuration`.
        EnvironmentsError: EDGEWISE_ENV_PACKAGES is malformed.
    """
    resolved = configuration(spec, trial)
    module, _, class_name = spec.info.class_path.rpartition(".")
    train_seed, eval_seed = _seeds(spec, trial)
    n_eval_envs = min(spec.n_eval_envs, spec.budget.n_eval_episodes)
    env = f"ENV_ID, env_kwargs={_literal(spec.env.kwargs)}, " if spec.env.kwargs else "ENV_ID, "
    saved = f"{spec.name}-trial-{trial.number}"
    steps, by_the_clock = _steps(spec, trial)
    noise_first, noise_classes = noise_imports(resolved)
    has_activation = "activation_fn" in resolved.get("policy_kwargs", {})
    lines = [
        *_docstring(spec, trial),
        "",
        *noise_first,
        "import torch",
        f"from {module} import {class_name}",
        "from stable_baselines3.common.env_util import make_vec_env",
        "from stable_baselines3.common.evaluation import evaluate_policy",
        *noise_classes,
        *wrapper_imports(spec.env, spec.policy),
    ]
    if has_activation:
        lines.append("from torch import nn")
    packages = () if spec.env.id in gymnasium.registry else environments.package_names()
    lines += [""] * bool(packages)
    lines += [f"import {name}  # registers the environment" for name in packages]
    lines += [
        "",
        f"ENV_ID = {_literal(spec.env.id)}",
        f"SEED = {train_seed}",
        "",
        "torch.set_num_threads(1)  # small networks train faster on one thread",
        f"env = make_vec_env({env}n_envs={spec.n_train_envs}, seed=SEED{made_with(spec.env)})",
        *wrapper_lines(spec.env, spec.policy, gamma=reward_discount(spec.algorithm, resolved)),
        f"model = {class_name}(",
        f"    {_literal(spec.policy)},",
        "    env,",
    ]
    size = _cut_replay_size(spec, resolved, steps)
    if size is not None:
        resolved = {**resolved, "buffer_size": size}
        lines.append(f"    # {_CUT_BUFFER}")
    for name, value in without_noise(resolved).items():
        written = _policy_kwargs(value) if name == "policy_kwargs" else _literal(value)
        lines.append(f"    {name}={written},")
    lines += [
        *noise_argument(resolved),
        "    seed=SEED,",
        '    device="cpu",',
        "    verbose=1,",
        ")",
        *([_comment(by_the_clock)] if by_the_clock else []),
        f"model.learn(total_timesteps={steps:_})",
        "",
        f"eval_env = make_vec_env({env}n_envs={n_eval_envs}, seed={eval_seed}{made_with(spec.env)})",
        *judged_lines(spec.env, spec.policy),
        f"mean, std = evaluate_policy(model, eval_env, n_eval_episodes={spec.budget.n_eval_episodes})",
        'print(f"mean return {mean:.1f}, standard deviation {std:.1f}")',
        f"model.save({_literal(saved)})",
    ]
    if spec.env.normalize_observations:
        lines.append(f"env.save({_literal(f'{saved}-vecnormalize.pkl')})  # the model needs its statistics")
    return "\n".join(lines) + "\n"


def to_json(spec: StudySpec, trial: FrozenTrial) -> str:
    """Return the configuration with all that is needed to train it again, as JSON.

    Raises:
        ExportError: see `configuration`.
    """
    train_seed, eval_seed = _seeds(spec, trial)
    record = {
        "study": spec.name,
        "trial": trial.number,
        "value": reached(trial),
        "env": spec.env.record(),
        "algorithm": spec.algorithm,
        "policy": spec.policy,
        "n_envs": spec.n_train_envs,
        "n_timesteps": _steps(spec, trial)[0],
        **({} if spec.budget.trial_seconds is None else {"trial_seconds": spec.budget.trial_seconds}),
        "hyperparameters": configuration(spec, trial),
        "stored": {name: trial.params[name] for name in sorted(trial.params)},
        "train_seed": train_seed,
        "eval_seed": eval_seed,
    }
    return _json(trial, record)


def values_json(study: str, trial: FrozenTrial) -> str:
    """Return a trial's stored values as JSON: all that is known of a study that is not ours.

    Raises:
        ExportError: it holds a value that JSON does not know.
    """
    record = {
        "study": study,
        "trial": trial.number,
        "value": reached(trial),
        "params": {name: trial.params[name] for name in sorted(trial.params)},
    }
    return _json(trial, record)


def _json(trial: FrozenTrial, record: dict[str, Any]) -> str:
    try:
        return json.dumps(record, indent=2, allow_nan=False) + "\n"
    except (ValueError, TypeError) as error:
        raise ExportError(f"Trial {trial.number} holds a value that JSON does not know: {error}.") from None


def _comment(text: str) -> str:
    """Return text as one line of comment: YAML ends lines at more characters than a line feed."""
    return "# " + "".join(c if c.isprintable() else " " for c in text)


def _title(spec: StudySpec, trial: FrozenTrial) -> str:
    value = reached(trial)
    got = "" if value is None else f", mean return {value:.6g} in the search"
    return f"{spec.algorithm} on {spec.env.id}: trial {trial.number} of {spec.name}{got}"


def _docstring(spec: StudySpec, trial: FrozenTrial) -> list[str]:
    """Return the lines of the script's docstring."""
    title = f'"""{_title(spec, trial)}.'
    used = trainer_used(trial)
    if used is None or used.name == "sb3":
        return [f'{title}"""']
    return [
        title,
        "",
        "Fast kernels trained the trial: the same algorithm with the same random numbers. Their rounding is",
        "not Stable-Baselines3's, and the difference grows in training, so this script's number may differ.",
        '"""',
    ]


def _seeds(spec: StudySpec, trial: FrozenTrial) -> tuple[int, int]:
    """Return training and evaluation seed: the trial's own, else the study's and one far from it."""
    run = trial.user_attrs.get(RUN)
    recorded = run if isinstance(run, dict) else {}
    seeds = (recorded.get("train_seed"), recorded.get("eval_seed"))
    if all(type(seed) is int and 0 <= seed < 2**32 for seed in seeds):
        return seeds  # type: ignore[return-value]  # just checked
    return spec.seed, (spec.seed + 10_000) % 2**32


def _check(spec: StudySpec, trial: FrozenTrial, resolved: dict[str, Any]) -> None:
    policy = resolved.get("policy_kwargs", {})
    if not isinstance(policy, dict):
        raise ExportError(f"`policy_kwargs` of trial {trial.number} must be a mapping.")
    named = {k: v for k, v in resolved.items() if k != "policy_kwargs"}
    for name, value in {**named, **{f"{POLICY_PREFIX}{k}": v for k, v in policy.items()}}.items():
        argument = spec.info.arguments.get(name)
        if argument is None:
            raise ExportError(
                f"Trial {trial.number} sets {str(name)[:80]!r}, which {spec.algorithm} does not have."
            )
        if fault := _value_fault(argument, value):
            raise ExportError(f"Trial {trial.number} cannot be trained again. {fault}")


def _value_fault(argument: Argument, value: Any) -> str | None:
    if argument.kind == "activation_fn" and value not in ACTIVATION_CLASSES:
        known = ", ".join(ACTIVATION_CLASSES)
        return f"`{argument.name}` must be one of {known}: received {str(value)[:60]!r}."
    if argument.kind == "net_arch" and not _is_net_arch(value):
        return f"`{argument.name}` must hold layer sizes: received {str(value)[:60]!r}."
    return argument.fault(value)


def _is_net_arch(value: Any) -> bool:
    nets = list(value.values()) if isinstance(value, dict) else [value]
    return all(isinstance(n, list) and all(type(size) is int and size > 0 for size in n) for n in nets) and (
        not isinstance(value, dict) or set(value) <= {"pi", "vf", "qf"}
    )


def _policy_kwargs(value: dict[str, Any]) -> str:
    """Return policy arguments as the Python expression that RL Zoo evaluates and the script holds."""
    parts = []
    for name, entry in value.items():
        text = ACTIVATION_CLASSES[entry] if name == "activation_fn" else _literal(entry, as_call=True)
        parts.append(f"{name}={text}")
    return f"dict({', '.join(parts)})"


def _literal(value: Any, *, as_call: bool = False, depth: int = 0) -> str:
    """Return a Python literal for a JSON value; with `as_call` mappings are written `dict(pi=...)`.

    Raises:
        ExportError: the value is of another type, nested too deeply, or not finite.
    """
    if depth > MAX_DEPTH:
        raise ExportError("A value is nested too deeply to be written out.")
    if type(value) is str and value.isascii() and value.isprintable() and not {'"', "\\"} & set(value):
        return f'"{value}"'  # as formatters write it; repr prefers single quotes
    if value is None or type(value) in (bool, int, str) or (type(value) is float and math.isfinite(value)):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(_literal(v, as_call=as_call, depth=depth + 1) for v in value)}]"
    if isinstance(value, dict) and all(type(key) is str for key in value):
        entries = {key: _literal(entry, as_call=as_call, depth=depth + 1) for key, entry in value.items()}
        if as_call and all(key.isidentifier() and not keyword.iskeyword(key) for key in value):
            return f"dict({', '.join(f'{key}={entry}' for key, entry in entries.items())})"
        return "{" + ", ".join(f"{key!r}: {entry}" for key, entry in entries.items()) + "}"
    raise ExportError(f"A value of type {type(value).__name__} cannot be written out: {str(value)[:60]!r}.")


def _scalar(value: Any) -> str:
    """Return one YAML value on one line; floats keep a point, without which YAML 1.1 reads 1e-05 as text."""
    text: str = yaml.safe_dump(value, default_flow_style=True, width=10**6, allow_unicode=False)
    return text.removesuffix("\n").removesuffix("\n...")


def _scientific(n: int) -> str:
    """Return a whole number as RL Zoo writes budgets: 4e4, 4.096e4."""
    sign, digits, exponent = Decimal(n).normalize().as_tuple()
    assert sign == 0
    assert isinstance(exponent, int)
    first, rest = str(digits[0]), "".join(map(str, digits[1:]))
    return f"{first}{'.' + rest if rest else ''}e{exponent + len(rest)}"
