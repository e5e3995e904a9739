"""The launch form's fields, from a spec and back to one. The search space's table is kept apart."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st
import yaml

from tuning.algorithms import algorithm, algorithm_names
from tuning.spec import StudySpec

PREFIX = "launch-"
TIMESTEPS_STEP = 5_000
# What the form calls the fields of a spec.
LABELS = {
    "name": "Name",
    "budget.n_trials": "Trials",
    "budget.n_timesteps": "Steps a trial",
    "budget.n_evaluations": "Evaluations",
    "budget.n_eval_episodes": "Episodes each",
    "sampler.n_startup_trials": "Random trials first",
    "pruner.n_startup_trials": "Complete trials first",
    "n_train_envs": "Training envs",
    "n_eval_envs": "Evaluation envs",
    "n_workers": "Workers",
    "seed": "Seed",
    "retention.top": "Keep the weights of the best",
}

TRAINERS = {"auto": "Fast kernels where they apply", "sb3": "Stable-Baselines3 only"}
TRAINER_HELP = (
    "Fast kernels train the same PPO and A2C as Stable-Baselines3, several times faster on small nets: each "
    "update equals SB3's up to rounding, and the saved model is an ordinary one. What the kernels do "
    "not cover (gSDE, images, other activations than tanh and relu) runs on Stable-Baselines3's own code. "
    "Each trial says which of the two trained it."
)


def fields_from_spec(spec: StudySpec) -> dict[str, Any]:
    """Return the value of each field, by its key in the session."""
    fields = {
        "name": spec.name,
        "env": spec.env.id,
        "env-kwargs": json.dumps(spec.env.kwargs) if spec.env.kwargs else "",
        "algorithm": spec.algorithm,
        "trainer": spec.trainer,
        "hyperparameters": "\n".join(f"{k}: {json.dumps(v)}" for k, v in spec.hyperparameters.items()),
        "trials": spec.budget.n_trials,
        "timesteps": spec.budget.n_timesteps,
        "evaluations": spec.budget.n_evaluations,
        "episodes": spec.budget.n_eval_episodes,
        "minutes": spec.budget.timeout_s / 60 if spec.budget.timeout_s else None,
        "sampler": spec.sampler.name,
        "sampler-startup": spec.sampler.n_startup_trials,
        "multivariate": spec.sampler.multivariate,
        "pruner": spec.pruner.name,
        "pruner-startup": spec.pruner.n_startup_trials,
        "warmup": round(100 * spec.pruner.warmup_fraction, 2),
        "train-envs": spec.n_train_envs,
        "eval-envs": spec.n_eval_envs,
        "workers": spec.n_workers,
        "seed": spec.seed,
        "defaults-first": spec.defaults_first,
        "keep": spec.retention.top,
    }
    return {PREFIX + key: value for key, value in fields.items()}


def data_from_fields(fields: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the request without its search space, for `build_spec`, and a sentence for each faulty field."""
    faults: list[str] = []
    get = {str(key).removeprefix(PREFIX): value for key, value in fields.items()}
    warmup = get["warmup"]
    if not 0 <= warmup <= 100:
        faults.append(f"Never before, % of a trial: write 0 to 100: received {warmup:g}.")
        warmup = 0
    minutes = get["minutes"]
    if minutes is not None and minutes <= 0:
        faults.append(f"Time limit, min: write more than 0, or nothing for no limit: received {minutes:g}.")
        minutes = None
    data = {
        "name": get["name"],
        "env": {
            "id": get["env"] or "",
            "kwargs": _mapping(get["env-kwargs"], "Environment arguments", "g: 9.81", faults),
        },
        "algorithm": get["algorithm"],
        "trainer": get["trainer"],
        "hyperparameters": _mapping(get["hyperparameters"], "Fixed hyperparameters", "vf_coef: 0.5", faults),
        "budget": {
            "n_trials": get["trials"],
            "n_timesteps": get["timesteps"],
            "n_evaluations": get["evaluations"],
            "n_eval_episodes": get["episodes"],
            "timeout_s": None if minutes is None else minutes * 60,
        },
        "sampler": {
            "name": get["sampler"],
            "n_startup_trials": get["sampler-startup"],
            "multivariate": get["multivariate"],
        },
        "pruner": {
            "name": get["pruner"],
            "n_startup_trials": get["pruner-startup"],
            "warmup_fraction": 1 / 3 if abs(warmup - 100 / 3) < 0.01 else warmup / 100,
        },
        "n_train_envs": get["train-envs"],
        "n_eval_envs": get["eval-envs"],
        "n_workers": get["workers"],
        "seed": get["seed"],
        "defaults_first": get["defaults-first"],
        "retention": {"top": get["keep"]},
    }
    return data, faults


def in_form_words(fault: str) -> str:
    """Return a fault of a spec with the field called as the form calls it."""
    for place, label in LABELS.items():
        if fault.startswith(f"`{place}`"):
            return label + fault.removeprefix(f"`{place}`")
    return fault


def advice_in_form_words(text: str) -> str:
    """Return a piece of advice with fields called as the form calls them."""
    for place, label in LABELS.items():
        field = place.rpartition(".")[2]
        if "_" in field:  # else it is a word that sentences use
            text = re.sub(rf"\b{field}\b", f'"{label}"', text)
    return text


def draw_budget() -> None:
    """Draw how much is spent."""
    first, second, third, fourth, fifth = st.columns(5)
    with first:
        _whole("trials", "Trials", step=10, help="Complete and pruned ones; failed ones are repeated.")
    with second:
        _whole("timesteps", "Steps a trial", step=TIMESTEPS_STEP, help="Env steps over all training envs.")
    with third:
        _whole("evaluations", "Evaluations", help="During each trial, the last one at its end.")
    with fourth:
        _whole("episodes", "Episodes each", help="Episodes of an evaluation, deterministic policy.")
    with fifth:
        st.number_input(
            "Time limit, min",
            value=None,
            step=10.0,
            key=PREFIX + "minutes",
            placeholder="none",
            persist_state="session",
            help="No trial starts after this time. Empty: no limit.",
        )


def draw_method() -> None:
    """Draw the sampler and the pruner with their settings."""
    left, right = st.columns(2)
    with left:
        _choice("sampler", "Sampler", {"tpe": "TPE", "random": "Random"}, help="Who proposes configurations.")
        if st.session_state[PREFIX + "sampler"] == "tpe":
            _whole("sampler-startup", "Random trials first", help="Before TPE models anything.")
            _toggle("multivariate", "Model parameters jointly", help="Sees interactions between parameters.")
    with right:
        _choice("pruner", "Pruner", {"median": "Median", "none": "None"}, help="Cuts weak trials short.")
        if st.session_state[PREFIX + "pruner"] == "median":
            _whole("pruner-startup", "Complete trials first", help="Before anything is pruned.")
            st.number_input(
                "Never before, % of a trial",
                key=PREFIX + "warmup",
                persist_state="session",
                help="Part of the training steps without pruning.",
            )


def draw_running(n_cores: int) -> None:
    """Draw how it is run."""
    first, second, third, fourth = st.columns(4)
    with first:
        _whole("workers", "Workers", help=f"Trials at the same time. This machine has {n_cores} cores.")
    with second:
        _whole("train-envs", "Training envs", help="In each trial; a rollout is n_steps times this.")
    with third:
        _whole("eval-envs", "Evaluation envs", help="Separate from training, stepped together.")
    with fourth:
        _whole("seed", "Seed", help="Same seed, same spec, one worker: same values.")
    left, middle, right = st.columns(3)
    with left:
        _toggle(
            "defaults-first",
            "Try the algorithm's defaults first",
            help="Trial 0, where the space holds them: everything later is compared with it.",
        )
    with middle:
        _whole("keep", "Keep the weights of the best", help="Trials; pinned ones are kept too.")
    with right:
        _choice("trainer", "Trainer", TRAINERS, help=TRAINER_HELP)


def draw_fixed() -> None:
    """Draw the hyperparameters that are set and not searched."""
    known = algorithm(st.session_state[PREFIX + "algorithm"])
    st.text_area(
        "Fixed hyperparameters",
        key=PREFIX + "hyperparameters",
        placeholder="vf_coef: 0.5\nuse_sde: true",
        persist_state="session",
        help="One `name: value` a line. What is neither here nor in the search space keeps SB3's default.",
    )
    st.caption("There are: " + ", ".join(f"`{name}`" for name in known.arguments) + ".")


def draw_kwargs() -> None:
    """Draw the keyword arguments of the environment."""
    st.text_area(
        "Environment arguments",
        key=PREFIX + "env-kwargs",
        placeholder='{"g": 9.81}',
        persist_state="session",
        help="Keyword arguments of the environment, as JSON or one `name: value` a line.",
    )


def draw_algorithm(on_change: Callable[[], None]) -> None:
    """Draw the choice of the algorithm; `on_change` is called when another one was chosen."""
    names = {name: name for name in algorithm_names()}
    _choice("algorithm", "Algorithm", names, help="From Stable-Baselines3.", on_change=on_change)


def _whole(key: str, label: str, *, help: str, step: int = 1) -> None:
    """Draw a whole number. The spec has its limits: a field with limits keeps its last value beyond them."""
    st.number_input(
        label,
        step=step,
        key=PREFIX + key,
        help=help,
        format="%d",
        persist_state="session",
    )


def _choice(
    key: str,
    label: str,
    options: dict[str, str],
    *,
    help: str,
    on_change: Callable[[], None] | None = None,
) -> None:
    st.selectbox(
        label,
        list(options),
        format_func=lambda name: options.get(name, name),
        key=PREFIX + key,
        help=help,
        on_change=on_change,
        persist_state="session",
    )


def _toggle(key: str, label: str, *, help: str) -> None:
    st.toggle(label, key=PREFIX + key, help=help, persist_state="session")


def _mapping(text: str | None, what: str, example: str, faults: list[str]) -> dict[str, Any]:
    """Return the `name: value` lines (or the JSON object) of a text field."""
    if text is None or not text.strip():
        return {}
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
            raise ValueError
        value = yaml.safe_load(text)
        json.dumps(value, allow_nan=False)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        value = None
    if not isinstance(value, dict):
        faults.append(f"{what}: write one `name: value` a line, such as `{example}`, or a JSON object.")
        return {}
    return {str(name): _number(item) for name, item in value.items()}


def _number(value: Any) -> Any:
    """Read `3e-4` as a number, as people mean it; YAML 1.1 takes it for text."""
    if isinstance(value, str):
        try:
            return float(value) if "e" in value.lower() and value[:1] in "+-.0123456789" else value
        except ValueError:
            return value
    return value
