"""A study that is not ours, mapped by a person to what trains it: an algorithm and an environment."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from optuna.distributions import CategoricalDistribution, IntDistribution
from optuna.trial import FrozenTrial
from pydantic import ValidationError

from storage.paths import NAME_PATTERN, RunFolder
from storage.records import write_text
from storage.trials import completed
from tuning.access import require_writable
from tuning.algorithms import Algorithm, algorithm, algorithm_names
from tuning.analysis.saturation_axis import UnitAxis, unit_axes
from tuning.analysis.words import listed, three_digits
from tuning.launch import Run
from tuning.space.parameters import ACTIVATION_FN, NET_ARCH, OFF_POLICY_NET_ARCH, Parameter, shown
from tuning.space.resolve import POLICY_PREFIX
from tuning.spec import SpecError, StudySpec, build_spec, load_spec, stored_spec
from tuning.trainers import TrainerChoice

# Names that scripts give to what the algorithm calls otherwise.
_OTHER_NAMES = {"lr": "learning_rate", "n_rollout_steps": "n_steps", "entropy_coef": "ent_coef"}
_DISCOUNTS = ("gamma", "gae_lambda")
_NO_DISCOUNT_ABOVE = 0.5  # a range of discounts that ends below is one of 1 - x


@dataclass(frozen=True)
class MappedParameter:
    """One parameter of the study, and what it is taken to set."""

    name: str  # stored; any text
    parameter: Parameter | None  # None: nobody could guess, or it is left out
    note: str = ""  # why nobody could, or what the guess rests on


@dataclass(frozen=True)
class MappingDraft:
    """A guess at how a study is trained again, for a person to correct."""

    parameters: tuple[MappedParameter, ...]
    spec: StudySpec | None  # of those that could be guessed; None while it has faults
    faults: tuple[str, ...] = ()

    @property
    def unknown(self) -> tuple[str, ...]:
        """The parameters that set nothing: nobody could guess what, or they were left out."""
        return tuple(p.name for p in self.parameters if p.parameter is None)


def guess_mapping(
    run: Run,
    *,
    env_id: str,
    algorithm: str = "PPO",
    n_timesteps: int,
    policy: str = "MlpPolicy",
    n_train_envs: int = 1,
    trainer: TrainerChoice = "auto",
    overrides: Mapping[str, Mapping[str, Any] | None] | None = None,
) -> MappingDraft:
    """Guess the request that would train the study's configurations.

    Ranges are the union of what the trials declare. What a parameter sets is guessed from its name, as the
    presets here and RL Zoo name them: `learning_rate`, `n_steps_pow` (2^x), `one_minus_gamma` (1 - x).

    Args:
        run: the study.
        env_id: in which it trained.
        algorithm: that it tuned.
        n_timesteps: env steps of one of its trials.
        policy: of the algorithm.
        n_train_envs: that a trial trained in.
        trainer: that is to train them again.
        overrides: by stored name, `target` and `transform` to use instead of the guess; None leaves it out.
    """
    if algorithm not in algorithm_names():
        there_are = ", ".join(algorithm_names())
        return MappingDraft((), None, (f"There is no algorithm {shown(algorithm)}. There are: {there_are}.",))
    data = {
        "env": {"id": env_id},
        "algorithm": algorithm,
        "policy": policy,
        "trainer": trainer,
        "budget": {"n_timesteps": n_timesteps},
        "n_train_envs": n_train_envs,
    }
    return complete_mapping(run, data, overrides=overrides)


def complete_mapping(
    run: Run, data: Mapping[str, Any], *, overrides: Mapping[str, Mapping[str, Any] | None] | None = None
) -> MappingDraft:
    """Make a mapping of a spec's plain data; what it leaves out comes from the study.

    Args:
        run: the study.
        data: as in a spec file; without `search_space` that is guessed.
        overrides: see `guess_mapping`.
    """
    name = data.get("algorithm", "PPO")
    known = algorithm(name) if isinstance(name, str) and name in algorithm_names() else None
    parameters: tuple[MappedParameter, ...] = ()
    if known is not None and "search_space" not in data:
        parameters = _guessed(run.study.trials, known, overrides or {})
    elif isinstance(data.get("search_space"), Sequence):
        rows = data["search_space"]
        set_ = {row.get("name") for row in rows if isinstance(row, Mapping)}
        parameters = tuple(
            MappedParameter(n, None, "The mapping leaves it out.") for n in _names(run) if n not in set_
        )
    if known is not None and "hyperparameters" not in data and _replays_all(known, parameters):
        data = {**data, "hyperparameters": {"gradient_steps": -1}}
    budget = data.get("budget")
    n_complete = max(1, len(completed(run.study.trials)))
    whole = {
        "name": run.folder.id if NAME_PATTERN.fullmatch(run.folder.id) else "mapped",
        "search_space": [p.parameter.model_dump() for p in parameters if p.parameter],
        **data,
        "budget": {"n_trials": n_complete, **budget} if isinstance(budget, Mapping) else budget,
        "maximize": run.study.maximize,
    }
    if budget is None:
        del whole["budget"]
    try:
        spec = build_spec(whole)
    except SpecError as error:
        return MappingDraft(parameters, None, tuple(error.faults))
    return MappingDraft(parameters, spec)


def save_mapping(folder: RunFolder, spec: StudySpec) -> None:
    """Keep a mapping beside the study that it is for; one that was there is replaced.

    Raises:
        ReadOnly: this server only shows studies.
    """
    require_writable("map a study")
    write_text(folder.mapping, spec.model_dump_json(indent=1))


def mapped_spec(run: Run | RunFolder) -> StudySpec | None:
    """Return the request that trains a study's configurations: its own, else the mapping, else None.

    Raises:
        SpecError: the file that holds it is not what it was.
    """
    if isinstance(run, Run):
        if run.spec is not None:
            return run.spec
        run = run.folder
    if run.spec.is_file():
        return stored_spec(run)
    return load_spec(run.mapping) if run.mapping.is_file() else None


def known_spec(run: Run | RunFolder) -> StudySpec | None:
    """Return what trains a study's configurations, or None while nobody has said so readably."""
    try:
        return mapped_spec(run)
    except SpecError:
        return None


def _names(run: Run) -> list[str]:
    return list(dict.fromkeys(name for t in run.study.trials for name in t.params))


def _guessed(
    trials: Sequence[FrozenTrial], known: Algorithm, overrides: Mapping[str, Mapping[str, Any] | None]
) -> tuple[MappedParameter, ...]:
    axes = unit_axes(trials)
    found = []
    for name in dict.fromkeys(name for t in trials for name in t.distributions):
        if name in overrides and overrides[name] is None:
            found.append(MappedParameter(name, None, "Left out."))
        elif name not in axes:
            found.append(MappedParameter(name, None, "It never varied: fix its value instead."))
        else:
            found.append(_guess(name, axes[name], trials, known, overrides.get(name) or {}))
    return tuple(found)


def _replays_all(known: Algorithm, parameters: Sequence[MappedParameter]) -> bool:
    """Say whether RL Zoo would do as many gradient steps as env steps: where it searches train_freq alone."""
    targets = {p.parameter.target for p in parameters if p.parameter}
    return (
        known.kind == "off-policy"
        and "train_freq" in targets
        and not targets & {"gradient_steps", "subsample_steps"}
    )


def _guess(
    name: str, axis: UnitAxis, trials: Sequence[FrozenTrial], known: Algorithm, override: Mapping[str, Any]
) -> MappedParameter:
    target, transform, note = _meaning(name, axis, known)
    target, transform = override.get("target") or target, override.get("transform") or transform
    if override:
        note = ""
    if target is None:
        return MappedParameter(name, None, f"Nobody could guess what it sets in {known.name}.")
    row = {"name": name, "target": target, "transform": transform or "identity", **_range(name, axis, trials)}
    try:
        return MappedParameter(name, Parameter.model_validate(row), note)
    except ValidationError as error:
        said = str(error.errors(include_url=False)[0]["msg"]).removeprefix("Value error, ")
        return MappedParameter(name, None, said)


def _meaning(name: str, axis: UnitAxis, known: Algorithm) -> tuple[str | None, str | None, str]:
    """Return target, transform and what the guess rests on, by the name and the range."""
    plain = _OTHER_NAMES.get(name, name)
    if plain in _DISCOUNTS and axis.ordered and axis.high <= _NO_DISCOUNT_ABOVE:
        ends = f"{three_digits(axis.low)} to {three_digits(axis.high)}"
        return plain, "1 - x", f"Taken for 1 - {plain}, as it ranges from {ends}."
    power = re.fullmatch(r"(?:exponent_(.+)|(.+)_pow|log2_(.+))", plain)
    minus = re.fullmatch(r"one_minus_(.+)", plain)
    if power and (argument := next(g for g in power.groups() if g)) in known.arguments:
        return argument, "2^x", ""
    if minus and minus[1] in known.arguments:
        return minus[1], "1 - x", ""
    if plain in known.arguments:
        return plain, "identity", ""
    start = known.arguments.get(plain.removesuffix("_init"))
    if start is not None and start.kind == "auto_float":
        return start.name, "auto_x", f"Taken for what a learned {start.name} starts from."
    if f"{POLICY_PREFIX}{plain}" in known.arguments:
        texts = axis.declared.keys and all(key.startswith('"') for key in axis.declared.keys)
        if plain in ("net_arch", "activation_fn") and texts:
            nets = plain == "net_arch" and known.kind != "on-policy"
            transform = "off_policy_net_arch" if nets else plain
            return f"{POLICY_PREFIX}{plain}", transform, _words_known(transform)
        return f"{POLICY_PREFIX}{plain}", "identity", ""
    return None, None, ""


def _words_known(name: str) -> str:
    if name == "activation_fn":
        return f"Its choices are read as {listed(ACTIVATION_FN)}."
    sizes = (
        {word: both["pi"] for word, both in NET_ARCH.items()} if name == "net_arch" else OFF_POLICY_NET_ARCH
    )
    nets = listed([f"{word} {layers}" for word, layers in sizes.items()])
    return f"Its choices are read as RL Zoo does: {nets}."


def _range(name: str, axis: UnitAxis, trials: Sequence[FrozenTrial]) -> dict[str, Any]:
    declared = [t.distributions[name] for t in trials if name in t.distributions]
    if isinstance(declared[0], CategoricalDistribution):
        choices: list[Any] = []
        for distribution in declared:
            if isinstance(distribution, CategoricalDistribution):
                choices += [c for c in distribution.choices if c not in choices]
        return {"kind": "categorical", "choices": choices}
    whole = isinstance(declared[0], IntDistribution)
    step = axis.declared.step
    return {
        "kind": "int" if whole else "float",
        "low": axis.declared.low,
        "high": axis.declared.high,
        "log": axis.declared.log,
        "step": None if axis.declared.log or (whole and step == 1) else step,
    }
