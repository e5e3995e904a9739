"""`StudySpec`: the validated, frozen request that everything else works from."""

import difflib
import json
import keyword
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from storage.paths import NAME_PATTERN
from tuning.algorithms import Algorithm, Argument, algorithm, algorithm_names
from tuning.space.parameters import Parameter, is_finite, shown
from tuning.spec_faults import capped, readable_faults
from tuning.spec_text import MAX_DEPTH, NotPlain, read_plain, write_plain
from tuning.trainers import TrainerChoice

MAX_SPEC_BYTES = 200_000


class SpecError(ValueError):
    """A request that cannot be run; `faults` has one readable sentence for each reason, with the remedy."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("\n".join(faults))


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_value(cls, value: Any, info: ValidationInfo) -> Any:
        field = cls.model_fields[info.field_name or ""]
        if isinstance(value, bool) and field.annotation in (int, float, float | None):
            raise ValueError(f"`{info.field_name}` must be a number: received {value}.")
        return value


class EnvSpec(_Frozen):
    """The environment: an id of the installed Gymnasium registry and its keyword arguments."""

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_./-]{0,127}$")
    kwargs: dict[str, JsonValue] = Field(default={}, max_length=100)

    @field_validator("kwargs", mode="before")
    @classmethod
    def _plain_kwargs(cls, value: Any) -> Any:
        _check_plain(value, "env.kwargs")
        for name in value if isinstance(value, dict) else ():
            if not name.isidentifier() or keyword.iskeyword(name) or not name.isascii():
                raise ValueError(
                    f"A name in `env.kwargs` must be one that Python takes for a keyword argument: "
                    f"received {shown(name)}."
                )
        return value


class SamplerSpec(_Frozen):
    """How configurations are proposed."""

    name: Literal["tpe", "random"] = "tpe"
    n_startup_trials: int = Field(default=10, ge=0, le=10_000)  # random trials before TPE models anything
    multivariate: bool = True  # TPE: model the parameters jointly


class PrunerSpec(_Frozen):
    """When a weak trial is cut short."""

    name: Literal["median", "none"] = "median"
    n_startup_trials: int = Field(default=10, ge=0, le=10_000)  # complete trials before anything is pruned
    warmup_fraction: float = Field(default=1 / 3, ge=0, le=1)  # of the training steps, without pruning


class Budget(_Frozen):
    """How much is spent, on the study and on each trial."""

    n_trials: int = Field(default=60, ge=1, le=100_000)  # complete + pruned
    timeout_s: float | None = Field(default=None, gt=0, allow_inf_nan=False)  # start no trial after this
    n_timesteps: int = Field(default=40_000, ge=1, le=10**10)  # env steps a trial, over all training envs
    n_evaluations: int = Field(default=2, ge=1, le=1000)  # a trial, the last one at the end of training
    n_eval_episodes: int = Field(default=10, ge=1, le=10_000)  # an evaluation


class Retention(_Frozen):
    """Which trials keep weights and resolved request: the best `top`, the defaults, every pinned one."""

    top: int = Field(default=20, ge=0, le=10_000)


class StudySpec(_Frozen):
    """Everything that decides what a study does. Two equal specs with one worker give equal values.

    In a file, `search_space` may name one of the algorithm's presets instead of listing parameters.
    """

    name: str = Field(default="study", pattern=f"^{NAME_PATTERN.pattern}$")
    env: EnvSpec
    algorithm: str = "PPO"
    policy: str = "MlpPolicy"
    trainer: TrainerChoice = "auto"
    # fixed ones; policy arguments as "policy_kwargs.x"
    hyperparameters: dict[str, JsonValue] = Field(default={}, max_length=100)
    search_space: tuple[Parameter, ...] = Field(max_length=100)
    sampler: SamplerSpec = SamplerSpec()
    pruner: PrunerSpec = PrunerSpec()
    budget: Budget = Budget()
    maximize: bool = True  # the mean return of the last evaluation
    n_train_envs: int = Field(default=1, ge=1, le=999)
    n_eval_envs: int = Field(default=5, ge=1, le=999)
    n_workers: int = Field(default=2, ge=1, le=256)
    seed: int = Field(default=0, ge=0, lt=2**32)
    defaults_first: bool = True  # trial 0 is the algorithm's own defaults, where the space holds them
    retention: Retention = Retention()

    @model_validator(mode="before")
    @classmethod
    def _expand_preset(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("search_space"), str):
            name = data.get("algorithm", "PPO")
            if isinstance(name, str) and name in algorithm_names():
                try:
                    preset = algorithm(name).preset(data["search_space"])
                except KeyError as error:
                    raise ValueError(str(error.args[0])) from None
                return {**data, "search_space": [p.model_dump() for p in preset.space]}
            return {**data, "search_space": []}  # the fault is the algorithm's
        return data

    @field_validator("algorithm")
    @classmethod
    def _known_algorithm(cls, name: str) -> str:
        if name not in algorithm_names():
            raise ValueError(
                f"There is no algorithm {shown(name)}. There are: {', '.join(algorithm_names())}."
            )
        return name

    @field_validator("hyperparameters", mode="before")
    @classmethod
    def _plain_hyperparameters(cls, value: Any) -> Any:
        _check_plain(value, "hyperparameters")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        known = algorithm(self.algorithm)
        faults = [*_space_faults(self, known), *_hyperparameter_faults(self, known)]
        if self.policy not in known.policies:
            faults.append(
                f"`policy` must be one of {', '.join(known.policies)}: received {shown(self.policy)}."
            )
        if not self.search_space:
            faults.append("`search_space` is empty: name a preset, or list at least one parameter.")
        if not faults:
            faults = _rollout_faults(self, known)
        if faults:
            raise ValueError("\n".join(faults))
        return self

    @property
    def info(self) -> Algorithm:
        """What is known about the spec's algorithm."""
        return algorithm(self.algorithm)

    def parameter(self, name: str) -> Parameter:
        """Return the search-space parameter stored under `name`; KeyError when there is none."""
        return {p.name: p for p in self.search_space}[name]

    def evaluation_marks(self) -> tuple[int, ...]:
        """Return the env steps past which a trial is evaluated; the last one is the whole budget."""
        total, n = self.budget.n_timesteps, self.budget.n_evaluations
        return tuple(sorted({max(1, round(total * k / n)) for k in range(1, n + 1)}))

    def default_configuration(self) -> dict[str, Any] | None:
        """Return the algorithm's own defaults as stored values, or None when they lie outside the space."""
        try:
            return {p.name: p.stored(self.info.arguments[p.target].default) for p in self.search_space}
        except (ValueError, TypeError, KeyError):
            return None

    def to_yaml(self) -> str:
        """Return the spec as YAML; `parse_spec` reads it back to an equal spec."""
        data = json.loads(self.model_dump_json())
        for group in (data["budget"], *data["search_space"]):  # elsewhere null is a value
            for name in [name for name, value in group.items() if value is None]:
                del group[name]
        return write_plain(data)

    def with_trials(self, n_trials: int) -> "StudySpec":
        """Return the same request with another number of trials."""
        return build_spec({**self.model_dump(), "budget": {**self.budget.model_dump(), "n_trials": n_trials}})


def build_spec(data: Any) -> StudySpec:
    """Validate plain data (a dict of JSON values) into a spec.

    Raises:
        SpecError: one sentence for each fault.
    """
    try:
        spec = StudySpec.model_validate(data)
    except ValidationError as error:
        faults = readable_faults(error)
        faults += [fault for fault in _hidden_faults(data, error) if fault not in faults]
        raise SpecError(capped(faults)) from None
    except RecursionError:
        raise SpecError(["The spec is nested too deeply. Flatten it."]) from None
    if len(spec.model_dump_json(indent=1).encode()) > MAX_SPEC_BYTES:  # as a study's folder would hold it
        raise SpecError([f"The spec is longer than {MAX_SPEC_BYTES} bytes when written out. Shorten it."])
    return spec


def parse_spec(text: str) -> StudySpec:
    """Validate YAML or JSON text into a spec. Aliases and tags are refused, so that a small text stays small.

    Raises:
        SpecError: one sentence for each fault.
    """
    return build_spec(_parse(text))


def load_spec(path: Path) -> StudySpec:
    """Read a spec file.

    Raises:
        SpecError: it is absent, unreadable or invalid.
    """
    return parse_spec(_read(path))


def read_spec_data(path: Path) -> dict[str, Any]:
    """Read the plain data of a spec file, which need not be a whole spec.

    Raises:
        SpecError: it is absent, unreadable or no mapping.
    """
    return _parse(_read(path))


def _parse(text: str) -> dict[str, Any]:
    if len(text.encode("utf-8", "surrogatepass")) > MAX_SPEC_BYTES:
        raise SpecError([f"The spec is longer than {MAX_SPEC_BYTES} bytes. Is it the right file?"])
    try:
        data = read_plain(text)
    except NotPlain as error:
        raise SpecError([str(error)]) from None
    if not isinstance(data, dict):
        raise SpecError(["The spec must be a mapping with at least `env` and `search_space`."])
    return data


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MAX_SPEC_BYTES + 1).decode("utf-8")
    except OSError as error:
        raise SpecError([f"{path} cannot be read: {error.strerror}."]) from None
    except UnicodeDecodeError:
        raise SpecError([f"{path} is not UTF-8 text. Is it the right file?"]) from None


def _check_plain(value: Any, place: str, *, depth: int = 0) -> None:
    """Raise ValueError where a value is not what JSON can hold and give back."""
    if depth > MAX_DEPTH:
        raise ValueError(f"`{place}` is nested more than {MAX_DEPTH} levels deep. Flatten it.")
    if isinstance(value, dict):
        for key, part in value.items():
            if not isinstance(key, str):
                raise ValueError(f"A name in `{place}` must be text: received {shown(key)}. Quote it.")
            _check_plain(key, place)
            _check_plain(part, place, depth=depth + 1)
    elif isinstance(value, list):
        for part in value:
            _check_plain(part, place, depth=depth + 1)
    elif isinstance(value, str):
        if not value.isascii() and value.encode("utf-8", "replace").decode() != value:  # half an emoji
            raise ValueError(f"`{place}` must hold text that UTF-8 can write: received {shown(value)}.")
    elif not is_finite(value):
        raise ValueError(f"`{place}` must hold finite numbers: received {shown(value)}.")
    elif not isinstance(value, int | float | None):
        raise ValueError(
            f"`{place}` must hold text, numbers, true, false, null, lists or mappings: "
            f"received {shown(value)}."
        )


def _space_faults(spec: StudySpec, known: Algorithm) -> list[str]:
    faults = []
    names = [p.name for p in spec.search_space]
    targets = [p.target for p in spec.search_space]
    for name in sorted({n for n in names if names.count(n) > 1}):
        faults.append(f"The search space names {name} more than once. Keep one of them.")
    for target in sorted({t for t in targets if targets.count(t) > 1}):
        both = ", ".join(p.name for p in spec.search_space if p.target == target)
        if len(set(both.split(", "))) > 1:
            faults.append(f"{both} all set `{target}`. Keep one of them.")
    for p in spec.search_space:
        argument = known.arguments.get(p.target)
        if argument is None:
            faults.append(
                f"{p.name} sets `{p.target}`, which {known.name} does not have.{_hint(p.target, known)}"
            )
            continue
        ends = p.choices if p.kind == "categorical" else (p.low, p.high)
        for end in ends or ():
            stored = int(end) if p.kind == "int" and isinstance(end, float) else end
            fault = argument.fault(p.resolve(stored))
            if fault:
                where = f" (for {p.name}={stored})" if p.transform != "identity" else ""
                faults.append(f"{fault.removesuffix('.')}{where}. {_remedy(p, argument)}")
        if p.target in spec.hyperparameters:
            faults.append(f"`{p.target}` is both fixed and searched (as {p.name}). Remove one of the two.")
    return faults


def _remedy(p: Parameter, argument: Argument) -> str:
    if p.kind == "categorical":
        return f"Change that choice of {p.name}."
    if argument.kind == "float" or (argument.kind == "int" and p.kind == "int"):
        return f"Move the bound of {p.name} inside."
    return f"Set kind: {'int' if argument.kind == 'int' else 'categorical'} for {p.name}."


def _rollout_faults(spec: StudySpec, known: Algorithm) -> list[str]:
    """Say so where the smallest rollout is a single env step: SB3 cannot normalise one advantage."""
    if "n_steps" not in known.arguments or not _may_normalise(spec, known):
        return []
    fixed = spec.hyperparameters.get("n_steps", known.arguments["n_steps"].default)
    p = next((p for p in spec.search_space if p.target == "n_steps"), None)
    ends = [fixed] if p is None else [p.resolve(end) for end in p.choices or (p.low,)]
    if min(ends) * spec.n_train_envs > 1:
        return []
    what = "`n_steps`" if p is None else p.name
    return [
        f"A rollout must hold at least 2 env steps: received n_steps={min(ends):g} with n_train_envs=1. "
        f"Raise {what} or `n_train_envs`."
    ]


def _may_normalise(spec: StudySpec, known: Algorithm) -> bool:
    if any(p.target == "normalize_advantage" for p in spec.search_space):
        return True
    return bool(
        spec.hyperparameters.get("normalize_advantage", known.arguments["normalize_advantage"].default)
    )


def _hyperparameter_faults(spec: StudySpec, known: Algorithm) -> list[str]:
    faults = []
    for name, value in spec.hyperparameters.items():
        argument = known.arguments.get(name)
        if argument is None:
            faults.append(f"{known.name} has no hyperparameter {shown(name)}.{_hint(name, known)}")
        elif fault := argument.fault(value):
            faults.append(fault)
    return faults


def _hint(name: str, known: Algorithm) -> str:
    if name in StudySpec.model_fields:
        return f" `{name}` is a field of the spec: set it at the top level, or on Launch in its own place."
    close = difflib.get_close_matches(name, known.arguments, n=1, cutoff=0.5)
    return f" Did you mean `{close[0]}`?" if close else " `python -m tuning presets` lists what can be set."


def _hidden_faults(data: Any, error: ValidationError) -> list[str]:
    """Return the faults between fields that do hold by themselves; pydantic looks no further than fields."""
    places = [item["loc"] for item in error.errors(include_url=False)]
    if not isinstance(data, dict) or () in places:
        return []
    wrong = {place[0] for place in places}
    rest = {key: value for key, value in data.items() if key not in wrong}
    rest.setdefault("env", {"id": "Pendulum-v1"})  # needed, and nothing depends on which
    rows = data.get("search_space")
    if "search_space" in wrong and isinstance(rows, list | tuple):
        wrong_rows = {place[1] for place in places if place[0] == "search_space" and len(place) > 1}
        rest["search_space"] = [row for index, row in enumerate(rows) if index not in wrong_rows]
    if not rest.get("search_space"):
        return []  # it would only be said to be missing
    try:
        StudySpec.model_validate(rest)
    except ValidationError as hidden:
        return readable_faults(hidden)
    return []
