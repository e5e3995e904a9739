"""What a new study tries before its sampler proposes anything, and what of that its space cannot hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from storage.trials import BASELINE, PROPOSED_BY
from tuning.algorithms import Tuned
from tuning.space.configurations import stored_value
from tuning.space.parameters import Parameter, Scalar

if TYPE_CHECKING:
    from tuning.spec import StudySpec

BY_HAND = "by hand"
DEFAULTS = "SB3 defaults"
SEARCHED_PART = "for what is searched"


@dataclass(frozen=True)
class FirstTrial:
    """One configuration to queue."""

    who: str  # who proposed it, for people: "SB3 defaults", "RL Zoo", "by hand"
    stored: dict[str, Scalar]  # what is missing, the sampler chooses
    is_baseline: bool = False  # its weights are kept, and everything is compared with it

    @property
    def attributes(self) -> dict[str, Any]:
        """User attributes of the queued trial."""
        return {BASELINE if self.is_baseline else PROPOSED_BY: self.who}


@dataclass(frozen=True)
class Outside:
    """A value that the space does not hold."""

    parameter: Parameter
    value: Any  # as the algorithm would receive it
    words: str  # "gamma 0.9 lies outside 0.97 … 0.9999"


@dataclass(frozen=True)
class LeftOut:
    """A configuration that was asked for and is not queued, with the values that keep it out."""

    who: str
    outside: tuple[Outside, ...]

    @property
    def words(self) -> str:
        """Why it is left out, in one sentence."""
        return f"{self.who}: {'; '.join(value.words for value in self.outside)}."


def first_trials(spec: "StudySpec") -> tuple[list[FirstTrial], list[LeftOut]]:
    """Return the configurations to queue, in the order they run, and those that the space cannot hold.

    First the algorithm's defaults, then what others tuned for the environment, then what a person wrote
    down; each is only queued once.
    """
    found: list[FirstTrial] = []
    left_out = []
    if spec.defaults_first:
        label = DEFAULTS if not spec.hyperparameters else f"{DEFAULTS} {SEARCHED_PART}"
        stored, outside = _stored(spec, {})
        if outside:
            left_out.append(LeftOut(label, outside))
        else:
            found.append(FirstTrial(label, stored, is_baseline=True))
    tuned = known_tuned(spec) if spec.tuned_first else None
    if tuned is not None:
        stored, outside = _stored(spec, tuned.arguments)
        who = tuned.name if _is_whole(spec, tuned) else f"{tuned.name} {SEARCHED_PART}"
        if outside:
            left_out.append(LeftOut(who, outside))
        elif all(stored != other.stored for other in found):
            found.append(FirstTrial(who, stored))
    found += [FirstTrial(BY_HAND, dict(stored)) for stored in spec.first_configurations]  # type: ignore[arg-type]
    return found, left_out


def known_tuned(spec: "StudySpec") -> Tuned | None:
    """Return what others tuned for the study's environment by default, in its wrappers, or None."""
    if spec.env.kwargs:
        return None
    return spec.info.tuned_for(spec.env.id, policy=spec.policy, wrappers=spec.env.wrappers)


def unset_words(spec: "StudySpec", tuned: Tuned) -> str:
    """Return which tuned values the study neither searches nor fixes: "use_sde true"; empty for none."""
    searched = {p.target for p in spec.search_space}
    missing = []
    for name, value in tuned.arguments.items():
        default = spec.info.arguments[name].default if name in spec.info.arguments else None
        if name not in searched and spec.hyperparameters.get(name, default) != value:
            missing.append(f"{name} {str(value).lower() if isinstance(value, bool) else value}")
    return ", ".join(missing)


def _is_whole(spec: "StudySpec", tuned: Tuned) -> bool:
    return not unset_words(spec, tuned)


def _stored(spec: "StudySpec", arguments: Mapping[str, Any]) -> tuple[dict[str, Scalar], tuple[Outside, ...]]:
    """Return the stored values of some arguments, defaults for the others, and what lies outside."""
    stored: dict[str, Scalar] = {}
    outside = []
    for parameter in spec.search_space:
        argument = spec.info.arguments.get(parameter.target)
        value = arguments.get(parameter.target, argument.default if argument else None)
        try:
            stored[parameter.name] = stored_value(parameter, value)
        except ValueError as error:
            outside.append(Outside(parameter, value, str(error)))
    return stored, tuple(outside)
