"""What cannot be run although each field of a request holds by itself, as sentences with the remedy."""

import difflib
from typing import TYPE_CHECKING

from tuning.algorithms import Algorithm, Argument
from tuning.space.caps import cap_faults
from tuning.space.configurations import stored_fault
from tuning.space.derived import derived_faults
from tuning.space.parameters import Parameter, shown

if TYPE_CHECKING:
    from tuning.spec import StudySpec


def faults_between_fields(spec: "StudySpec") -> list[str]:
    """Return what is wrong between the fields of a request, one sentence each."""
    known = spec.info
    faults = [*_space_faults(spec, known), *_hyperparameter_faults(spec, known)]
    if spec.policy not in known.policies:
        faults.append(f"`policy` must be one of {', '.join(known.policies)}: received {shown(spec.policy)}.")
    else:
        faults += _policy_faults(spec, known)
    if not spec.search_space:
        faults.append("`search_space` is empty: name a preset, or list at least one parameter.")
    return faults or [*_rollout_faults(spec, known), *_first_faults(spec)]


def _policy_faults(spec: "StudySpec", known: Algorithm) -> list[str]:
    """Say which arguments are set that the chosen policy does not take."""
    faults = []
    for name in dict.fromkeys([*spec.hyperparameters, *(p.target for p in spec.search_space)]):
        takers = known.arguments[name].policies if name in known.arguments else ()
        if takers and spec.policy not in takers:
            faults.append(
                f"{spec.policy} of {known.name} has no `{name}`. Remove it, or set policy: {takers[0]}."
            )
    return faults


def _space_faults(spec: "StudySpec", known: Algorithm) -> list[str]:
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
                f"{p.name} sets `{p.target}`, which {known.name} does not have.{_hint(p.target, spec)}"
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
    faults += derived_faults({*targets, *spec.hyperparameters})
    return faults + cap_faults(spec.search_space, known.arguments, spec.hyperparameters)


def _remedy(p: Parameter, argument: Argument) -> str:
    if p.kind == "categorical":
        return f"Change that choice of {p.name}."
    if argument.kind == "float" or (argument.kind == "int" and p.kind == "int"):
        return f"Move the bound of {p.name} inside."
    return f"Set kind: {'int' if argument.kind == 'int' else 'categorical'} for {p.name}."


def _rollout_faults(spec: "StudySpec", known: Algorithm) -> list[str]:
    """Say so where the smallest rollout is a single env step: SB3 cannot normalise one advantage."""
    if known.kind != "on-policy" or not _may_normalise(spec, known):
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


def _may_normalise(spec: "StudySpec", known: Algorithm) -> bool:
    if any(p.target == "normalize_advantage" for p in spec.search_space):
        return True
    argument = known.arguments.get("normalize_advantage")
    return bool(spec.hyperparameters.get("normalize_advantage", argument.default if argument else True))


def _hyperparameter_faults(spec: "StudySpec", known: Algorithm) -> list[str]:
    faults = []
    for name, value in spec.hyperparameters.items():
        argument = known.arguments.get(name)
        if argument is None:
            faults.append(f"{known.name} has no hyperparameter {shown(name)}.{_hint(name, spec)}")
        elif fault := argument.fault(value):
            faults.append(fault)
    return faults


def _first_faults(spec: "StudySpec") -> list[str]:
    """Say which configurations that a person queued first the space cannot hold."""
    faults = []
    parameters = {p.name: p for p in spec.search_space}
    for number, configuration in enumerate(spec.first_configurations, start=1):
        where = f"`first_configurations`, number {number}"
        if not configuration:
            faults.append(f"{where} sets nothing. Remove it, or give a parameter a value.")
        for name, value in configuration.items():
            if name not in parameters:
                known = ", ".join(parameters)[:200]
                faults.append(
                    f"{where} sets {shown(name)}, which is not searched. Remove it, or take one of {known}."
                )
            elif fault := stored_fault(parameters[name], value):
                faults.append(f"{where}: {fault}")
    return faults


def _hint(name: str, spec: "StudySpec") -> str:
    fields, known = type(spec).model_fields, spec.info
    if name in fields:
        return f" `{name}` is a field of the spec: set it at the top level, or on Launch in its own place."
    close = difflib.get_close_matches(name, known.arguments, n=1, cutoff=0.5)
    return f" Did you mean `{close[0]}`?" if close else " `python -m tuning presets` lists what can be set."
