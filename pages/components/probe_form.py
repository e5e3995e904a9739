"""The request for a probe: which values, how many configurations and seeds, how many steps; and the start."""

from dataclasses import dataclass

import streamlit as st

from pages.components import frame
from tuning import jobs
from tuning.analysis.look import count, duration, three_digits
from tuning.analysis.saturation import ParameterSaturation
from tuning.analysis.verdicts import Side, Verdict
from tuning.budget_words import study_words
from tuning.launch import Run
from tuning.probe import MOST_CONFIGURATIONS, MOST_SEEDS, PlannedProbe, plan_probe, probe_seconds
from tuning.probe_jobs import start_probe
from tuning.probe_values import ProbeError
from tuning.retraining_plan import PlanError

_FRACTIONS = {"All": 1.0, "Half": 0.5, "A quarter": 0.25}
_ALL = "All"
_ABOUT_A_BOUND = (Verdict.EDGE, Verdict.WATCH, Verdict.HERDED)
_BOUNDS: dict[str, Side] = {"Lower": "low", "Upper": "high"}
_WORDS = {"low": "lower", "high": "upper"}


@dataclass(frozen=True)
class _Keys:
    """The names under which the session keeps one form."""

    side: str
    configurations: str
    seeds: str
    steps: str
    problem: str

    def values(self, side: Side) -> str:
        """Those beyond one bound are none beyond the other."""
        return f"{self.side}-{side}"


def draw_request(run: Run, p: ParameterSaturation, *, busy_with: str | None, again: bool) -> None:
    """Draw what a probe would train, editable, and the button that starts it; or why there can be none.

    Args:
        run: the study.
        p: the parameter; where its verdict is in doubt about no bound, the form asks which one is meant.
        busy_with: the parameter that a probe of this study is busy with, if one is.
        again: there has been a probe of this parameter.
    """
    keys = _keys(run, p.name)
    defaults, faults = _defaults(run, p)
    if not defaults:
        st.caption(f"No probe here. {frame.escape(faults[0])}")
        return
    with st.container(horizontal=True, vertical_alignment="center", key=f"probe-request-{p.name}"):
        with st.popover(
            "Probe again" if again else _label(p, list(defaults)),
            icon=":material/experiment:",
            disabled=busy_with is not None,
            key=f"probe-{p.name}",
        ):
            side = _draw_side(list(defaults), keys)
            for fault in faults:
                st.caption(frame.escape(fault))
            _draw_form(run, p, side, defaults[side], keys)
        st.caption(_promise(run, defaults[side], busy_with), width="stretch")
    if problem := st.session_state.get(keys.problem):
        st.error(frame.escape(problem), icon=":material/error:")


def _defaults(run: Run, p: ParameterSaturation) -> tuple[dict[Side, PlannedProbe], list[str]]:
    """Return what a probe of each bound that may be meant would train, likeliest first, and the faults."""
    found: dict[Side, PlannedProbe] = {}
    faults = []
    for side in _sides(p):
        try:
            found[side] = plan_probe(run, p.name, side, inside=_inside(p))
        except ProbeError as error:
            faults.append(str(error))
    return found, faults


def _sides(p: ParameterSaturation) -> tuple[Side, ...]:
    if p.side is not None and p.verdict in _ABOUT_A_BOUND:
        return (p.side,)
    if p.side is not None:  # its natural limit is near, or training breaks there
        return ("low", "high") if p.side == "high" else ("high", "low")
    low, high = (end.belief or 0.0 for end in (p.evidence.low, p.evidence.high))
    return ("low", "high") if low > high else ("high", "low")


def _draw_side(sides: list[Side], keys: _Keys) -> Side:
    """Ask which bound to look beyond, where there is a choice."""
    if len(sides) == 1:
        return sides[0]
    words = {side: word for word, side in _BOUNDS.items()}
    chosen = st.segmented_control(
        "Which bound?", list(_BOUNDS), default=words[sides[0]], required=True, key=keys.side
    )
    return _BOUNDS.get(str(chosen), sides[0])


def _draw_form(run: Run, p: ParameterSaturation, side: Side, default: PlannedProbe, keys: _Keys) -> None:
    q = default.question
    st.text_input(
        f"Values of {frame.escape(p.name)} to try",
        value=", ".join(f"{value:.6g}" for value in q.values),
        key=keys.values(side),
        help="One to five numbers with commas between them. The values that the configurations have now are "
        "trained as well, with the same seeds.",
    )
    left, right = st.columns(2)
    left.number_input(
        "Configurations",
        value=len(q.configurations),
        step=1,
        key=keys.configurations,
        help=f"The best distinct ones of the study, 1 to {MOST_CONFIGURATIONS}.",
    )
    right.number_input(
        "Seeds",
        value=q.n_seeds,
        step=1,
        key=keys.seeds,
        help=f"New ones, the same for each configuration and value, 1 to {MOST_SEEDS}. "
        "More of them narrow the interval.",
    )
    st.segmented_control(
        "Share of the study's steps",
        list(_FRACTIONS),
        default=_ALL,
        required=True,
        key=keys.steps,
        help="A shorter training takes less time, but what is better early need not be better in the end.",
    )
    try:
        planned = _planned(run, p, side, keys)
    except ProbeError as error:
        st.error(frame.escape(str(error)), icon=":material/block:")
        planned = None
    if planned is not None:
        st.markdown(f"{frame.escape(planned.words)} {_time(run, planned)}")
        if planned.question.n_timesteps < planned.question.study_timesteps:
            st.caption(
                f"Trials of the study train {study_words(planned.question)}. With less, the "
                "answer holds for the shorter training."
            )
    st.button(
        "Start the probe",
        icon=":material/play_arrow:",
        key=f"probe-start-{p.name}",
        disabled=planned is None,
        on_click=_start,
        args=(run, p, side, keys),
    )


def _start(run: Run, p: ParameterSaturation, side: Side, keys: _Keys) -> None:
    st.session_state.pop(keys.problem, None)
    try:
        start_probe(run.folder, _planned(run, p, side, keys))
    except (jobs.AlreadyRunning, jobs.StartFailed, ProbeError, PlanError, OSError) as error:
        st.session_state[keys.problem] = str(error)


def _planned(run: Run, p: ParameterSaturation, side: Side, keys: _Keys) -> PlannedProbe:
    """Plan what the form holds now.

    Raises:
        ProbeError: it makes no sense.
    """
    assert run.spec is not None
    fraction = _FRACTIONS.get(str(st.session_state[keys.steps]), 1.0)
    return plan_probe(
        run,
        p.name,
        side,
        values=_numbers(str(st.session_state[keys.values(side)])),
        inside=_inside(p),
        n_configurations=int(st.session_state[keys.configurations]),
        n_seeds=int(st.session_state[keys.seeds]),
        n_timesteps=max(1, round(fraction * run.spec.budget.n_timesteps)),
    )


def _numbers(text: str) -> list[float]:
    parts = [part for part in text.replace(";", ",").split(",") if part.strip()]
    try:
        return [float(part) for part in parts]
    except ValueError:
        raise ProbeError(f"Give numbers with commas between them: received {text[:60]!r}.") from None


def _promise(run: Run, default: PlannedProbe, busy_with: str | None) -> str:
    if busy_with is not None:
        return f"A probe of {frame.escape(busy_with)} is running. One at a time."
    values = " and ".join(three_digits(value) for value in default.question.values)
    return (
        f"Trains the best configurations again, at {values} and as they were, in pairs that share their "
        f"seeds: {count(len(default.plan.runs), 'run')}. {_time(run, default)}"
    )


def _time(run: Run, planned: PlannedProbe) -> str:
    about = f"About {duration(probe_seconds(run, planned))}"
    return f"{about}, longer while the study runs." if run.status.state.alive else f"{about}."


def _label(p: ParameterSaturation, sides: list[Side]) -> str:
    if len(sides) > 1:
        return "Probe beyond a bound"
    if not _inside(p):
        return "Probe beyond the bound" if p.side in sides else f"Probe beyond the {_WORDS[sides[0]]} bound"
    return "Probe the upper half" if p.side == "high" else "Probe the lower half"


def _inside(p: ParameterSaturation) -> bool:
    """Whether the first value lies inside the range, since hardly anything is known there."""
    return p.verdict in (Verdict.WATCH, Verdict.HERDED)


def _keys(run: Run, name: str) -> _Keys:
    stem = f"probe-{run.folder.id}-{name}"
    return _Keys(*(f"{stem}-{part}" for part in ("side", "configurations", "seeds", "steps", "problem")))
