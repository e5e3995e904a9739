"""The section of Launch that says how much is spent."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.components.launch_fields import PREFIX, draw_whole
from tuning.spec import StudySpec

TIMESTEPS_STEP = 5_000
LABELS = {
    "budget.n_trials": "Trials",
    "budget.n_timesteps": "Steps a trial",
    "budget.n_evaluations": "Evaluations",
    "budget.n_eval_episodes": "Episodes each",
}


def fields(spec: StudySpec) -> dict[str, Any]:
    """Return the value of each field, by its key."""
    budget = spec.budget
    return {
        "trials": budget.n_trials,
        "timesteps": budget.n_timesteps,
        "evaluations": budget.n_evaluations,
        "episodes": budget.n_eval_episodes,
        "minutes": budget.timeout_s / 60 if budget.timeout_s else None,
    }


def data(get: Mapping[str, Any], faults: list[str]) -> dict[str, Any]:
    """Return this part of the request; a faulty field adds a sentence to `faults`."""
    minutes = get["minutes"]
    if minutes is not None and minutes <= 0:
        faults.append(f"Time limit, min: write more than 0, or nothing for no limit: received {minutes:g}.")
        minutes = None
    return {
        "budget": {
            "n_trials": get["trials"],
            "n_timesteps": get["timesteps"],
            "n_evaluations": get["evaluations"],
            "n_eval_episodes": get["episodes"],
            "timeout_s": None if minutes is None else minutes * 60,
        }
    }


def draw() -> None:
    """Draw how much is spent."""
    first, second, third, fourth, fifth = st.columns(5)
    with first:
        draw_whole("trials", "Trials", step=10, help="Complete and pruned ones; failed ones are repeated.")
    with second:
        draw_whole(
            "timesteps", "Steps a trial", step=TIMESTEPS_STEP, help="Env steps over all training envs."
        )
    with third:
        draw_whole("evaluations", "Evaluations", help="During each trial, the last one at its end.")
    with fourth:
        draw_whole("episodes", "Episodes each", help="Episodes of an evaluation, deterministic policy.")
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
