"""The request for a re-evaluation: which candidates, how, how often, for how long; and the start."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st
from optuna.trial import FrozenTrial

from pages.components import frame, reevaluation_mapping
from storage.trials import own
from tuning import jobs
from tuning.access import ReadOnly
from tuning.analysis.look import count, duration, three_digits, whole
from tuning.analysis.outcomes import finite_ranked
from tuning.analysis.words import listed
from tuning.budget_words import run_words
from tuning.first_trials import known_tuned
from tuning.launch import Run
from tuning.reevaluation import MOST_CANDIDATES, MOST_SEEDS, Mode
from tuning.reevaluation_jobs import start_reevaluation
from tuning.reevaluation_plan import (
    PlannedReevaluation,
    ReevaluationError,
    plan_reevaluation,
    reevaluation_seconds,
)
from tuning.retraining_plan import PlanError

ADDRESS = "reevaluation"  # the name in the URL of the one that is looked at

_MODES: dict[str, Mode] = {"Retrain with new seeds": "retrain", "Same weights, more episodes": "weights"}
_ABOUT: dict[Mode, str] = {
    "retrain": "Trains each configuration again, with seeds that it never had. This says how good the "
    "configuration is, and how much of its rank was luck.",
    "weights": "Plays more episodes with the agents that the search kept. This says how good these trained "
    "agents are, in minutes; whether their configurations would do as well again it cannot say.",
}
_BEST, _PICKED = "The best of the study", "Picked by hand"
_BUDGETS = {"1x": 1, "2x": 2, "4x": 4}
_SEEDS, _EPISODES, _TOP = 10, 50, 5


@dataclass(frozen=True)
class _Keys:
    """The names under which the session keeps one study's form."""

    mode: str
    which: str
    top: str
    trials: str
    defaults: str
    tuned: str
    seeds: str
    episodes: str
    budget: str
    racing: str
    problem: str


def draw(run: Run, *, primary: bool) -> None:
    """Draw the form, what it would train and how long that takes, and the button that starts it.

    What goes wrong with the start is for the page to show (`draw_problem`), also where there is no form.

    Args:
        run: the study, which has something to measure again.
        primary: the start is the page's main button.
    """
    keys = _keys(run)
    labels = list(_MODES)
    chosen = st.segmented_control("How", labels, default=labels[0], required=True, key=keys.mode)
    mode = _MODES.get(str(chosen), "retrain")
    st.caption(_ABOUT[mode])
    _draw_candidates(run, keys)
    _draw_amounts(run, mode, keys)
    try:
        planned = _planned(run, keys)
    except ReevaluationError as error:
        st.error(frame.escape(str(error)), icon=":material/block:")
        planned = None
    if planned is not None:
        draw_promise(run, planned)
    st.button(
        "Start the re-evaluation",
        type="primary" if primary else "secondary",
        icon=":material/play_arrow:",
        key=f"reevaluation-start-{run.folder.id}",
        disabled=planned is None,
        on_click=_start,
        args=(run, keys),
    )


def draw_promise(run: Run, planned: PlannedReevaluation) -> None:
    """Say what a re-evaluation would train, and how long that takes."""
    q = planned.question
    about = f"About {duration(reevaluation_seconds(run, planned))}"
    if q.racing and q.mode == "retrain":
        about += ", less where racing gives candidates up"
    if run.status.state.alive:
        about += ", longer while the study runs"
    st.markdown(f"{frame.escape(planned.words)} **{about}.**")
    if merged := _merged_words(planned):
        st.caption(merged)
    if q.mode == "retrain":
        n = len(planned.plan.runs)
        budget = f"{whole(n * q.n_timesteps)} steps in all"
        if q.study_seconds is not None:
            budget = f"{count(n, 'run')} of {run_words(q)}"
        st.caption(f"{budget}, on {count(planned.plan.n_workers, 'worker')}.")


def _merged_words(planned: PlannedReevaluation) -> str:
    """Return which candidates stand for others, as Markdown; empty where none does."""
    parts = [
        f"{frame.escape(c.name)} stands for {_trials_named(c.merged)}"
        for c in planned.question.candidates
        if c.merged
    ]
    return f"Nearly equal configurations are measured once: {'; '.join(parts)}." if parts else ""


def _trials_named(numbers: Sequence[int]) -> str:
    return f"trial{'s' if len(numbers) > 1 else ''} {listed([str(n) for n in numbers])}"


def draw_problem(run: Run, *, once: bool = False) -> None:
    """Show what went wrong with the last press, until the next one, or only this once."""
    key = _keys(run).problem
    if problem := st.session_state.get(key):
        st.error(frame.escape(problem), icon=":material/error:")
        if once:
            del st.session_state[key]


def has_problem(run: Run) -> bool:
    """Say whether the last press failed."""
    return bool(st.session_state.get(_keys(run).problem))


def start(run: Run, planned: PlannedReevaluation) -> None:
    """Start it and look at it, or keep the reason why it did not start."""
    problem = _keys(run).problem
    st.session_state.pop(problem, None)
    try:
        folder = start_reevaluation(run.folder, planned)
    except (jobs.AlreadyRunning, jobs.StartFailed, ReevaluationError, PlanError, ReadOnly, OSError) as error:
        st.session_state[problem] = str(error)
    else:
        st.query_params[ADDRESS] = folder.id


def _draw_candidates(run: Run, keys: _Keys) -> None:
    which = st.segmented_control("Candidates", [_BEST, _PICKED], default=_BEST, required=True, key=keys.which)
    if which == _PICKED:
        trials = _trials(run)
        st.multiselect(
            "Trials",
            list(trials),
            format_func=lambda number: f"Trial {number} ({three_digits(trials[number])})",
            key=keys.trials,
            placeholder="Pick trials, the best are first",
            help=f"With the value that the search measured. Up to {MOST_CANDIDATES} candidates in all.",
        )
    else:
        st.number_input(  # without limits: beyond them it would keep its last value, and the button use that
            "How many of the best",
            value=_TOP,
            step=1,
            key=keys.top,
            width=240,
            help="Nearly equal configurations count once; the best of them stands for the others.",
        )
    with st.container(horizontal=True):
        st.toggle(
            "SB3 defaults",
            value=True,
            key=keys.defaults,
            help="The algorithm's own defaults as a candidate: was tuning worth it at all?",
        )
        if _knows_tuned(run):
            st.toggle(
                "Known tuned values",
                value=True,
                key=keys.tuned,
                help="What RL Zoo publishes for this environment as a candidate.",
            )


def _draw_amounts(run: Run, mode: Mode, keys: _Keys) -> None:
    if mode == "weights":
        st.number_input("Episodes", value=_EPISODES, step=10, key=keys.episodes, help="Played by each agent.")
        return
    seeds, episodes, budget = st.columns(3)
    seeds.number_input(
        "Seeds",
        value=_SEEDS,
        step=1,
        key=keys.seeds,
        help=f"Training runs of each candidate, 1 to {MOST_SEEDS}; all candidates share them. 3 is a "
        "screening: enough to drop poor ones, too few for an honest interval.",
    )
    episodes.number_input(
        "Episodes", value=_EPISODES, step=10, key=keys.episodes, help="That each run is judged by at its end."
    )
    chosen = budget.segmented_control(
        "Budget",
        list(_BUDGETS),
        default="1x",
        required=True,
        key=keys.budget,
        help="Steps of a run, as a multiple of the study's own.",
    )
    if chosen != "1x":
        st.caption(
            "A ranking found on a small budget does not always transfer to a larger one: this tests it. The "
            "page compares both rankings when the candidates were also measured at the study's own budget."
        )
    st.toggle(
        "Racing",
        value=True,
        key=keys.racing,
        help="Candidates that cannot win any more are not trained further. The page says which, and what it "
        "saved.",
    )


def _start(run: Run, keys: _Keys) -> None:
    try:
        planned = _planned(run, keys)
    except ReevaluationError as error:
        st.session_state[keys.problem] = str(error)
        return
    start(run, planned)


def _planned(run: Run, keys: _Keys) -> PlannedReevaluation:
    """Plan what the form holds now.

    Raises:
        ReevaluationError: it makes no sense.
    """
    held = st.session_state
    mode = _MODES.get(str(held.get(keys.mode)), "retrain")
    picked = held.get(keys.which) == _PICKED
    steps = _BUDGETS.get(str(held.get(keys.budget, "1x")), 1)
    trials = [int(number) for number in held.get(keys.trials, [])] if picked else None
    tuned = bool(held.get(keys.tuned, False))
    defaults = bool(held.get(keys.defaults, True))
    if trials == []:
        raise ReevaluationError("No trial is picked. Pick one or more, or take the best of the study.")
    return plan_reevaluation(
        run,
        mode=mode,
        top=int(held.get(keys.top, _TOP)),
        trials=trials,
        defaults=defaults,
        tuned=tuned,
        n_seeds=int(held.get(keys.seeds, _SEEDS)) if mode == "retrain" else 1,
        n_episodes=int(held.get(keys.episodes, _EPISODES)),
        n_timesteps=steps * _own_steps(run) if steps > 1 and mode == "retrain" else None,
        racing=bool(held.get(keys.racing, True)) and mode == "retrain",
    )


def _own_steps(run: Run) -> int:
    spec = reevaluation_mapping.known_spec(run)
    assert spec is not None
    return spec.budget.n_timesteps


def _knows_tuned(run: Run) -> bool:
    """Say whether somebody's tuned values are known for the environment."""
    spec = reevaluation_mapping.known_spec(run)
    return spec is not None and known_tuned(spec) is not None


def _trials(run: Run) -> dict[int, float]:
    """Return the values of the study's complete trials by number, the best first."""
    ranked: list[FrozenTrial] = finite_ranked(own(run.study.trials), maximize=run.study.maximize)
    return {t.number: t.value for t in ranked if t.value is not None}


def _keys(run: Run) -> _Keys:
    stem = f"reevaluation-{run.folder.id}"
    return _Keys(
        **{
            part: f"{stem}-{part}"
            for part in (
                *("mode", "which", "top", "trials", "defaults", "tuned"),
                *("seeds", "episodes", "budget", "racing", "problem"),
            )
        }
    )
