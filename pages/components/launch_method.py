"""The section of Launch that says who proposes configurations and when a weak trial is cut short."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pages.components import frame, plot
from pages.components.launch_fields import PREFIX, draw_choice, draw_number, draw_toggle, draw_whole
from tuning import pruner_choice, sampler_choice
from tuning.analysis.prune_schedule_figure import prune_schedule_figure, schedule_sentence
from tuning.sampler_choice import Setting
from tuning.space.parameters import Parameter
from tuning.spec import StudySpec
from tuning.spec_parts import PrunerSpec

LABELS = {
    "sampler.name": "Sampler",
    "sampler.n_startup_trials": "Random trials first",
    "sampler.grid_levels": "Values a parameter",
    "pruner.name": "Pruner",
    "pruner.n_startup_trials": "Complete trials first",
    "pruner.percentile": "Keep the best, %",
    "pruner.reduction_factor": "One goes on in",
    "pruner.patience": "Evaluations without a gain",
    "pruner.p_threshold": "p-value",
    "pruner.threshold": "Worst return allowed",
}
THIRD = 1 / 3


def fields(spec: StudySpec) -> dict[str, Any]:
    """Return the value of each field, by its key."""
    sampler, pruner = spec.sampler, spec.pruner
    return {
        "sampler": sampler.name,
        "sampler-startup": sampler.n_startup_trials,
        "multivariate": sampler.multivariate,
        "group": sampler.group,
        "grid-levels": sampler.grid_levels,
        "random-share": round(100 * sampler.random_share, 2),
        "pruner": pruner.name,
        "pruner-startup": pruner.n_startup_trials,
        "warmup": round(100 * pruner.warmup_fraction, 2),
        "percentile": pruner.percentile,
        "reduction": pruner.reduction_factor,
        "patience": pruner.patience,
        "p-threshold": pruner.p_threshold,
        "worst": pruner.threshold,
    }


def data(get: Mapping[str, Any], faults: list[str]) -> dict[str, Any]:
    """Return this part of the request; a faulty field adds a sentence to `faults`."""
    warmup = _percent(get["warmup"], "Never before, % of a trial", faults)
    share = _percent(get["random-share"], "Random throughout, % of the trials", faults)
    two = get["second"] != "none"
    return {
        "sampler": {
            "name": get["sampler"],
            "n_startup_trials": get["sampler-startup"],
            "multivariate": get["multivariate"],
            "group": get["group"],
            "grid_levels": get["grid-levels"],
            "random_share": share / 100,
        },
        "pruner": {
            "name": "none" if two else get["pruner"],  # its field is off then, and says why
            "n_startup_trials": get["pruner-startup"],
            "warmup_fraction": THIRD if abs(warmup - 100 / 3) < 0.01 else warmup / 100,
            "percentile": get["percentile"],
            "reduction_factor": get["reduction"],
            "patience": get["patience"],
            "p_threshold": get["p-threshold"],
            "threshold": get["worst"],
        },
    }


def draw(space: Sequence[Parameter]) -> None:
    """Draw the sampler and the pruner with their settings.

    Args:
        space: what is searched, which decides who can search it.
    """
    left, right = st.columns(2)
    with left:
        _draw_sampler(space)
    with right:
        _draw_pruner()


def draw_outcome(spec: StudySpec, *, theme: str) -> None:
    """Draw where in a trial the chosen pruner can end it."""
    if spec.pruner.name == "none":
        return
    schedule = pruner_choice.prune_schedule(spec)
    plot.draw(
        prune_schedule_figure(schedule, theme=theme),
        "prune-schedule",
        caption=schedule_sentence(schedule),
        alt="The evaluations of a trial, and after which of them it can be ended",
    )


def _draw_sampler(space: Sequence[Parameter]) -> None:
    at = Setting(
        tuple(space),
        _get("trials"),
        n_objectives=1 if _get("second") == "none" else 2,
        grid_levels=_get("grid-levels"),
    )
    faults = {name: sampler_choice.sampler_fault(name, at) for name in sampler_choice.LABELS}
    name = _get("sampler")
    options = {n: label for n, label in sampler_choice.LABELS.items() if not faults[n] or n == name}
    draw_choice("sampler", "Sampler", options, help="Who proposes configurations.")
    st.caption(sampler_choice.USES[name])
    if name == "auto" and space:
        st.caption(frame.escape(sampler_choice.auto_sentence(at)))
    if name in sampler_choice.WITH_STARTUP:
        label = "Population" if name == "nsga2" else "Random trials first"
        help = "A generation's trials; the first one is random." if name == "nsga2" else "Before it models."
        draw_whole("sampler-startup", label, help=help)
    if name in ("tpe", "auto"):
        draw_toggle("multivariate", "Model parameters jointly", help="Sees interactions between parameters.")
    if name == "tpe" and _get("multivariate"):
        help = "For spaces in which some parameters are absent from some trials; else it changes nothing."
        draw_toggle("group", "In groups that occur together", help=help)
    if name == "grid":
        draw_whole(
            "grid-levels", "Values a parameter", help="Of numbers that have more; choices are all taken."
        )
    if name in sampler_choice.FINITE and not faults[name]:
        n = sampler_choice.n_points(name, at)
        st.caption(
            f"{n:,.0f} combinations. The study ends when all were tried, or after {at.n_trials} trials."
        )
    if name not in sampler_choice.WITHOUT_MODEL:
        draw_number(
            "random-share",
            "Random throughout, % of the trials",
            help="Drawn at random however far the study is: evidence about the whole space that no sampler "
            "has steered, for Saturation and Slices.",
            step=5.0,
        )
    _draw_reasons({sampler_choice.LABELS[n]: fault for n, fault in faults.items() if n not in options})


def _draw_pruner() -> None:
    two = _get("second") != "none"
    asked = {"n_seeds": _get("n-seeds"), "second": None if not two else _get("second")}
    faults = {
        name: pruner_choice.pruner_fault(
            PrunerSpec(name=name, p_threshold=_p_value(), threshold=0.0),  # type: ignore[arg-type]
            **asked,
        )
        for name in pruner_choice.LABELS
    }
    if two:
        st.selectbox("Pruner", ["None"], disabled=True, key="pruner-is-off")
        st.caption(frame.escape(str(faults["median"])))
        return
    name = _get("pruner")
    options = {n: label for n, label in pruner_choice.LABELS.items() if not faults[n] or n == name}
    draw_choice("pruner", "Pruner", options, help="Cuts weak trials short.")
    st.caption(pruner_choice.USES[name])
    if name in pruner_choice.WITH_STARTUP:
        draw_whole("pruner-startup", "Complete trials first", help="Before anything is pruned.")
    if name in pruner_choice.WITH_WARMUP:
        help = "Part of a training without pruning: who starts fast may end slow."
        draw_number("warmup", "Never before, % of a trial", help=help, step=5.0)
    match name:
        case "percentile":
            help = "A trial behind this share of the complete ones ends."
            draw_number("percentile", "Keep the best, %", help=help, step=5.0)
        case "successive_halving" | "hyperband":
            help = "At each rung, one trial in so many; the next rung is so many times as far."
            draw_whole("reduction", "One goes on in", help=help)
        case "patient":
            draw_whole("patience", "Evaluations without a gain", help="That a trial may have before it ends.")
        case "wilcoxon":
            draw_number("p-threshold", "p-value", help="Below it a trial ends.", step=0.05)
        case "threshold":
            help = "An evaluation that is worse ends the trial."
            draw_number("worst", "Worst return allowed", help=help, may_be_empty=True)
    _draw_reasons({pruner_choice.LABELS[n]: fault for n, fault in faults.items() if n not in options})


def _draw_reasons(faults: Mapping[str, str | None]) -> None:
    """Say why what is not among the options cannot be chosen."""
    if faults:
        lines = "\n".join(f"- **{label}**: {frame.escape(str(fault))}" for label, fault in faults.items())
        st.caption(f"Cannot be chosen here:\n{lines}")


def _percent(value: float, label: str, faults: list[str]) -> float:
    if 0 <= value <= 100:
        return value
    faults.append(f"{label}: write 0 to 100: received {value:g}.")
    return 0.0


def _p_value() -> float:
    asked = _get("p-threshold")
    return asked if 0 < asked < 1 else PrunerSpec().p_threshold


def _get(key: str) -> Any:
    return st.session_state[PREFIX + key]
