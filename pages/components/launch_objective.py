"""The section of Launch that says what makes a trial good."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.components import frame
from pages.components.launch_fields import PREFIX, draw_choice, draw_number, draw_whole
from tuning.analysis.words import count
from tuning.spec import StudySpec

LABELS = {
    "objective.last_k": "Last evaluations",
    "objective.n_seeds": "Trainings a trial",
    "objective.second": "Second objective",
    "objective.threshold": "Mean return to reach",
}
SECOND = {"none": "None", "training_time": "Training time", "steps_to_threshold": "Steps to a mean return"}


def fields(spec: StudySpec) -> dict[str, Any]:
    """Return the value of each field, by its key."""
    objective = spec.objective
    return {
        "last-k": objective.last_k,
        "n-seeds": objective.n_seeds,
        "second": objective.second or "none",
        "reach": objective.threshold,
    }


def data(get: Mapping[str, Any], faults: list[str]) -> dict[str, Any]:
    """Return this part of the request; a faulty field adds a sentence to `faults`."""
    second = None if get["second"] == "none" else get["second"]
    return {
        "objective": {
            "last_k": get["last-k"],
            "n_seeds": get["n-seeds"],
            "second": second,
            "threshold": get["reach"] if second == "steps_to_threshold" else None,
        }
    }


def draw() -> None:
    """Draw what makes a trial good."""
    first, second, third, fourth = st.columns(4)
    with first:
        draw_whole(
            "last-k",
            "Last evaluations",
            help="A trial's value is the mean return of its last so many evaluations. 1: that of the policy "
            "it ends with. More: less noise, and less luck for a training that is unstable at its end.",
        )
    with second:
        draw_whole(
            "n-seeds",
            "Trainings a trial",
            help="With seeds of their own, one after the other; the trial's value is their mean. Reliable, "
            "and so many times as long.",
        )
    with third:
        draw_choice(
            "second",
            "Second objective",
            SECOND,
            help="To be as small as possible beside the return: the study looks for trade-offs, and History "
            "shows those that nothing beats in both.",
        )
    with fourth:
        if st.session_state[PREFIX + "second"] == "steps_to_threshold":
            draw_number(
                "reach",
                "Mean return to reach",
                help="The env steps until an evaluation first reaches it; a training that never does counts "
                "as twice its steps.",
                may_be_empty=True,
            )


def draw_outcome(spec: StudySpec) -> None:
    """Say what several trainings a trial cost."""
    n, budget = spec.objective.n_seeds, spec.budget
    if n > 1:
        said = (
            f"{count(n, 'training')} a trial: {count(n * budget.n_trials, 'training')} in all, so the study "
        )
        said += f"takes {n} times as long as with one, unless the pruner ends weak trials between trainings."
        st.caption(f":material/timer: {frame.escape(said)}")
