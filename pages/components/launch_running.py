"""The section of Launch that says how the study is run on this machine."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.components.launch_fields import draw_choice, draw_whole
from tuning.spec import StudySpec

LABELS = {
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


def fields(spec: StudySpec) -> dict[str, Any]:
    """Return the value of each field, by its key."""
    return {
        "trainer": spec.trainer,
        "train-envs": spec.n_train_envs,
        "eval-envs": spec.n_eval_envs,
        "workers": spec.n_workers,
        "seed": spec.seed,
        "keep": spec.retention.top,
    }


def data(get: Mapping[str, Any], faults: list[str]) -> dict[str, Any]:
    """Return this part of the request; a faulty field adds a sentence to `faults`."""
    return {
        "trainer": get["trainer"],
        "n_train_envs": get["train-envs"],
        "n_eval_envs": get["eval-envs"],
        "n_workers": get["workers"],
        "seed": get["seed"],
        "retention": {"top": get["keep"]},
    }


def draw(n_cores: int) -> None:
    """Draw how it is run."""
    first, second, third, fourth = st.columns(4)
    with first:
        draw_whole("workers", "Workers", help=f"Trials at the same time. This machine has {n_cores} cores.")
    with second:
        draw_whole("train-envs", "Training envs", help="In each trial; a rollout is n_steps times this.")
    with third:
        draw_whole("eval-envs", "Evaluation envs", help="Separate from training, stepped together.")
    with fourth:
        draw_whole("seed", "Seed", help="Same seed, same spec, one worker: same values.")
    left, right = st.columns(2)
    with left:
        draw_whole("keep", "Keep the weights of the best", help="Trials; pinned ones are kept too.")
    with right:
        draw_choice("trainer", "Trainer", TRAINERS, help=TRAINER_HELP)
