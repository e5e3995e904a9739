"""The section of Launch that says how much is spent."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.components import cached, frame
from pages.components.launch_fields import PREFIX, draw_choice, draw_number, draw_whole
from storage.paths import runs_root
from tuning.evaluation_noise import noise_sentence
from tuning.spec import StudySpec

TIMESTEPS_STEP = 5_000
DEFAULT_SECONDS = 60.0
LABELS = {
    "budget.n_trials": "Trials",
    "budget.n_timesteps": "Steps a trial",
    "budget.trial_seconds": "Seconds a trial",
    "budget.n_evaluations": "Evaluations",
    "budget.n_eval_episodes": "Episodes each",
}
MEASURES = {"steps": "Env steps", "seconds": "Seconds"}


def fields(spec: StudySpec) -> dict[str, Any]:
    """Return the value of each field, by its key."""
    budget = spec.budget
    return {
        "trials": budget.n_trials,
        "measure": "steps" if budget.trial_seconds is None else "seconds",
        "timesteps": budget.n_timesteps,
        "seconds": budget.trial_seconds or DEFAULT_SECONDS,
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
            "trial_seconds": get["seconds"] if get["measure"] == "seconds" else None,
            "n_evaluations": get["evaluations"],
            "n_eval_episodes": get["episodes"],
            "timeout_s": None if minutes is None else minutes * 60,
        }
    }


def draw() -> None:
    """Draw how much is spent."""
    first, second, third, fourth, fifth, sixth = st.columns([1, 1.1, 1.2, 1, 1, 1])
    with first:
        draw_whole("trials", "Trials", step=10, help="Complete and pruned ones; failed ones are repeated.")
    with second:
        draw_choice(
            "measure",
            "Measured in",
            MEASURES,
            help="What ends a training. Steps compare configurations on equal experience, and a seed "
            "repeats. Seconds compare what fits into the same wall-clock time on this machine: large "
            "networks and many updates pay for themselves there. Evaluations do not count.",
        )
    with third:
        if st.session_state[PREFIX + "measure"] == "seconds":
            help = "Of a training; evaluations do not count."
            draw_number("seconds", "Seconds a trial", help=help, step=10.0)
        else:
            help = "Env steps of a training, over all training envs."
            draw_whole("timesteps", "Steps a trial", step=TIMESTEPS_STEP, help=help)
    with fourth:
        draw_whole("evaluations", "Evaluations", help="During each training, the last one at its end.")
    with fifth:
        draw_whole("episodes", "Episodes each", help="Episodes of an evaluation, deterministic policy.")
    with sixth:
        st.number_input(
            "Time limit, min",
            value=None,
            step=10.0,
            key=PREFIX + "minutes",
            placeholder="none",
            persist_state="session",
            help="No trial starts after this time. Empty: no limit.",
        )


def draw_outcome(spec: StudySpec) -> None:
    """Say how noisy an evaluation of so many episodes is."""
    said = noise_sentence(cached.episode_noise(spec.env.id, runs_root()), spec.budget.n_eval_episodes)
    st.caption(f":material/ecg: {frame.escape(said)}")
