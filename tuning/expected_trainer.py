"""Whose code will train a request's trials, as far as it tells: known before anything runs, without torch.

`model.why_not_fast` of a built model has the last word: it also sees the environment's spaces.
"""

from collections.abc import Mapping
from typing import Any

from tuning.analysis.words import listed
from tuning.space.resolve import argument_value
from tuning.spec import StudySpec

COVERED_ALGORITHMS = ("PPO", "A2C")
COVERED_POLICY = "MlpPolicy"
COVERED_ACTIVATIONS = ("tanh", "relu")
_SDE, _ACTIVATION = "use_sde", "policy_kwargs.activation_fn"


def not_covered(spec: StudySpec, resolved: Mapping[str, Any]) -> str | None:
    """Return what of a resolved configuration the fast kernels do not cover, in a word or two, or None."""
    if spec.algorithm not in COVERED_ALGORITHMS:
        return f"{spec.algorithm}, for which there are none"
    sde, activation = (argument_value(spec, resolved, name) for name in (_SDE, _ACTIVATION))
    return _not_covered(spec.policy, sde, activation)


def slow_trials(spec: StudySpec) -> str | None:
    """Say that, and why, trials that could have used the fast kernels will not; None where they all do.

    Nothing is said where the request itself asks for SB3's own code, or where nothing else could train it.
    """
    if spec.trainer != "auto" or spec.algorithm not in COVERED_ALGORITHMS:
        return None
    found = [_not_covered(spec.policy, s, a) for s in _values(spec, _SDE) for a in _values(spec, _ACTIVATION)]
    reasons = list(dict.fromkeys(reason for reason in found if reason is not None))
    if not reasons:
        return None
    which = "some of the trials" if None in found else "these trials"
    said = f"SB3's own code will train {which}: the fast kernels do not cover {listed(reasons)}."
    if spec.policy == COVERED_POLICY:  # most of the time of a CNN is spent in torch, whoever calls it
        said += " That takes several times longer."
    return said


def _not_covered(policy: str, use_sde: Any, activation: Any) -> str | None:
    if policy != COVERED_POLICY:
        return policy
    if use_sde:
        return "gSDE"
    return None if activation in COVERED_ACTIVATIONS else f"the activation {activation}"


def _values(spec: StudySpec, target: str) -> list[Any]:
    """Return every value that an argument can take in a study."""
    for p in spec.search_space:
        if p.target == target:
            return [p.resolve(choice) for choice in p.choices or ()]
    return [spec.hyperparameters.get(target, spec.info.arguments[target].default)]
