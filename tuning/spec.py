"""`StudySpec`: the validated, frozen request that everything else works from."""

import json
from pathlib import Path
from typing import Any, Self

from pydantic import Field, JsonValue, ValidationError, field_validator, model_validator

from storage.paths import NAME_PATTERN, RunFolder
from tuning.algorithms import Algorithm, algorithm, algorithm_names
from tuning.method_faults import method_faults
from tuning.space.parameters import Parameter, shown
from tuning.spec_base import Frozen, check_plain
from tuning.spec_consistency import faults_between_fields
from tuning.spec_faults import capped, readable_faults
from tuning.spec_parts import Budget, EnvSpec, Objective, PrunerSpec, Retention, SamplerSpec
from tuning.spec_text import NotPlain, read_plain, write_plain
from tuning.trainers import TrainerChoice

MAX_SPEC_BYTES = 200_000


class SpecError(ValueError):
    """A request that cannot be run; `faults` has one readable sentence for each reason, with the remedy."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("\n".join(faults))


class StudySpec(Frozen):
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
    objective: Objective = Objective()
    maximize: bool = True  # the mean return
    n_train_envs: int = Field(default=1, ge=1, le=999)
    n_eval_envs: int = Field(default=5, ge=1, le=999)
    n_workers: int = Field(default=2, ge=1, le=256)
    seed: int = Field(default=0, ge=0, lt=2**32)
    defaults_first: bool = True  # trial 0 is the algorithm's own defaults, where the space holds them
    tuned_first: bool = True  # then what others tuned for the environment, where the space holds that
    # then these, as stored values by parameter name; the sampler chooses what one leaves out
    first_configurations: tuple[dict[str, JsonValue], ...] = Field(default=(), max_length=100)
    retention: Retention = Retention()

    @model_validator(mode="before")
    @classmethod
    def _usual_policy(cls, data: Any) -> Any:
        """Fill in the policy that nobody named: not every algorithm has an MlpPolicy."""
        if isinstance(data, dict) and "policy" not in data and data.get("algorithm") in algorithm_names():
            return {**data, "policy": algorithm(data["algorithm"]).policies[0]}
        return data

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
                expanded = {**data, "search_space": [p.model_dump() for p in preset.space]}
                given = data.get("hyperparameters", {})
                if preset.fixed and isinstance(given, dict):
                    expanded["hyperparameters"] = preset.fixed | given
                return expanded
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
        check_plain(value, "hyperparameters")
        return value

    @field_validator("first_configurations", mode="before")
    @classmethod
    def _plain_configurations(cls, value: Any) -> Any:
        for configuration in value if isinstance(value, list | tuple) else ():
            check_plain(configuration, "first_configurations")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        faults = [*faults_between_fields(self), *method_faults(self)]
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
        """Return the env steps past which a training is evaluated; the last one is the whole budget.

        They are seconds where a trial has a time budget.
        """
        total, n = self.budget.trial_seconds or self.budget.n_timesteps, self.budget.n_evaluations
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
        parts = (data["budget"], data["objective"], data["pruner"])
        for group in (*parts, *data["search_space"]):  # elsewhere null is a value
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


def stored_spec(folder: RunFolder) -> StudySpec:
    """Read the request of a study that exists.

    It was written out whole: what it lacks did not exist in its time, and what changes its trials stays off.

    Raises:
        SpecError: it is absent, unreadable or invalid.
    """
    data = read_spec_data(folder.spec)
    sampler = data.get("sampler")
    if isinstance(sampler, dict):
        data["sampler"] = {"random_share": 0.0, **sampler}
    return build_spec(data)


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
