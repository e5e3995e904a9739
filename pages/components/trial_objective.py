"""What a trial's value is made of, where that is more than one evaluation."""

import streamlit as st
from optuna.trial import FrozenTrial

from storage.trials import SEED_VALUES, is_drawn_at_random, n_reached, second_objective
from tuning.analysis.words import listed, three_digits
from tuning.launch import Run


def draw(run: Run, trial: FrozenTrial) -> None:
    """Say what each of the trial's trainings came to, and its second objective, where it has any."""
    values = trial.user_attrs.get(SEED_VALUES)
    if isinstance(values, list) and values and all(isinstance(v, int | float) for v in values):
        st.caption(f"Mean of {len(values)} trainings: {listed([three_digits(v) for v in values])}.")
    if run.spec is not None and run.spec.objective.last_k > 1 and trial.values:
        st.caption(f"Mean of the last {run.spec.objective.last_k} evaluations.")
    second = second_objective(trial)
    if second is not None and run.spec is not None:
        if run.spec.objective.second == "training_time":
            st.caption(f"Trained for {three_digits(second)} s, evaluations not counted.")
        elif run.spec.objective.threshold is not None:
            goal = f"a mean return of {three_digits(run.spec.objective.threshold)}"
            st.caption(_steps_words(second, goal, n_reached(trial)))
    if is_drawn_at_random(trial):
        st.caption("Drawn at random, as a share of this study's trials is.")


def _steps_words(steps: float, goal: str, reached: tuple[int, int] | None) -> str:
    missed = 0 if reached is None else reached[1] - reached[0]
    if not missed:
        return f"{three_digits(steps)} env steps to {goal}."
    if not reached or not reached[0]:
        return f"Never reached {goal}: that counts as twice the steps of a training, {three_digits(steps)}."
    return (
        f"{three_digits(steps)} env steps to {goal} on average. {missed} of {reached[1]} trainings never "
        "reached it and count as twice their steps."
    )
