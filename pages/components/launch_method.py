"""The section of Launch that says who proposes configurations and when a weak trial is cut short."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.components.launch_fields import PREFIX, draw_choice, draw_toggle, draw_whole
from tuning.spec import StudySpec

LABELS = {
    "sampler.n_startup_trials": "Random trials first",
    "pruner.n_startup_trials": "Complete trials first",
}


def fields(spec: StudySpec) -> dict[str, Any]:
    """Return the value of each field, by its key."""
    return {
        "sampler": spec.sampler.name,
        "sampler-startup": spec.sampler.n_startup_trials,
        "multivariate": spec.sampler.multivariate,
        "random-share": round(100 * spec.sampler.random_share, 2),
        "pruner": spec.pruner.name,
        "pruner-startup": spec.pruner.n_startup_trials,
        "warmup": round(100 * spec.pruner.warmup_fraction, 2),
    }


def data(get: Mapping[str, Any], faults: list[str]) -> dict[str, Any]:
    """Return this part of the request; a faulty field adds a sentence to `faults`."""
    warmup = get["warmup"]
    if not 0 <= warmup <= 100:
        faults.append(f"Never before, % of a trial: write 0 to 100: received {warmup:g}.")
        warmup = 0
    share = get["random-share"]
    if not 0 <= share <= 100:
        faults.append(f"Random throughout, % of the trials: write 0 to 100: received {share:g}.")
        share = 0
    return {
        "sampler": {
            "name": get["sampler"],
            "n_startup_trials": get["sampler-startup"],
            "multivariate": get["multivariate"],
            "random_share": share / 100,
        },
        "pruner": {
            "name": get["pruner"],
            "n_startup_trials": get["pruner-startup"],
            "warmup_fraction": 1 / 3 if abs(warmup - 100 / 3) < 0.01 else warmup / 100,
        },
    }


def draw() -> None:
    """Draw the sampler and the pruner with their settings."""
    left, right = st.columns(2)
    with left:
        draw_choice(
            "sampler", "Sampler", {"tpe": "TPE", "random": "Random"}, help="Who proposes configurations."
        )
        if st.session_state[PREFIX + "sampler"] == "tpe":
            draw_whole("sampler-startup", "Random trials first", help="Before TPE models anything.")
            draw_toggle(
                "multivariate", "Model parameters jointly", help="Sees interactions between parameters."
            )
            st.number_input(
                "Random throughout, % of the trials",
                key=PREFIX + "random-share",
                persist_state="session",
                help="Drawn at random however far the study is: evidence that no sampler has steered.",
            )
    with right:
        draw_choice("pruner", "Pruner", {"median": "Median", "none": "None"}, help="Cuts weak trials short.")
        if st.session_state[PREFIX + "pruner"] == "median":
            draw_whole("pruner-startup", "Complete trials first", help="Before anything is pruned.")
            st.number_input(
                "Never before, % of a trial",
                key=PREFIX + "warmup",
                persist_state="session",
                help="Part of the training steps without pruning.",
            )
