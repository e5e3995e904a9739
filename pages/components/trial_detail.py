"""One trial in full: what it was given, how it learned, what it came to, what went wrong."""

import json
from typing import Any

import pandas as pd
import streamlit as st
from optuna.trial import FrozenTrial, TrialState

from pages.components import (
    best_configuration,
    frame,
    lineage_line,
    note_field,
    plot,
    table_csv,
    trial_objective,
    try_configuration,
)
from storage.artifacts import kept_trials, pinned_trials
from storage.live import Curve, read_curve
from storage.paths import RunFolder
from storage.trials import (
    DIVERGED,
    EVALUATIONS,
    FAILURE,
    PRUNED,
    RESOLVED,
    RETRY_OF,
    RUN,
    TIMESTEPS,
    TRAINER,
    report_unit,
)
from tuning.access import is_read_only
from tuning.analysis import curve
from tuning.analysis.look import duration, three_digits, whole
from tuning.analysis.outcomes import (
    baseline_name,
    error_line,
    evaluations_of,
    last_report,
    proposer,
    value_of,
)
from tuning.first_trials import BY_HAND
from tuning.launch import Run
from tuning.lineage import trial_home
from tuning.pins import set_pin
from tuning.space.resolve import argument_value
from tuning.spec import StudySpec
from tuning.trainers import trainer_used

_RECEIVED = "received"
_PIN_PROBLEM = "pin-problem"  # session: why the last press changed nothing
_MOST_TEXT = 20_000  # characters of what somebody else recorded


def draw(run: Run, trial: FrozenTrial, *, theme: str) -> None:
    """Draw the trial's outcome, its curve, its parameters, and what is kept of it."""
    _draw_numbers(trial, "Return" if run.spec else "Value")
    trial_objective.draw(run, trial)
    if words := lineage_line.home_words(run.folder, trial):
        st.info(frame.escape(words), icon=":material/account_tree:")
    _draw_outcome(trial)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        _draw_curve(run, trial, theme)
    with right:
        if run.spec is None:
            _draw_values(trial)
        else:
            _draw_parameters(run.spec, trial)
            _draw_pin(run.spec, run, trial)
    note_field.draw(run.folder, "Note on this trial", place="trial", trial=trial.number)
    note_field.draw_kept(run.study.notes.get(trial.number))
    if run.spec is None:
        _draw_attributes(trial)
    else:
        with st.expander("Evaluations, seeds and every argument", icon=":material/list_alt:"):
            _draw_evaluations(trial)
            _draw_record(trial)
    if RESOLVED in trial.user_attrs or (run.spec is None and trial.params):
        box = st.expander(
            "This configuration to take home",
            icon=":material/download:",
            key="trial-configuration",
            on_change="rerun",
        )
        if box.open:
            with box:
                best_configuration.draw(run, trial, key="trial")
    if trial.params:
        try_configuration.draw(run, trial)


def _draw_numbers(trial: FrozenTrial, label: str) -> None:
    evaluations = evaluations_of(trial)
    value, report = value_of(trial), last_report(trial)
    with st.container(horizontal=True, gap="medium"):
        if value is not None:
            std = evaluations[-1].std if evaluations else None
            spread = None if std is None else f"± {three_digits(std)} between episodes"
            st.metric(
                label, three_digits(value), spread, delta_color="off", delta_arrow="off", width="content"
            )
        elif report is not None:
            at = f"at {whole(report[0])} {report_unit(trial).removeprefix('env ')}"
            st.metric(
                "Last report",
                three_digits(report[1]),
                at,
                delta_color="off",
                delta_arrow="off",
                width="content",
            )
        if trial.duration is not None:
            st.metric("Duration", duration(trial.duration.total_seconds()), width="content")
        steps = trial.user_attrs.get(TIMESTEPS)
        if isinstance(steps, int):
            st.metric("Env steps", whole(steps), width="content")
    if trainer := trainer_used(trial):
        st.caption(f"Trained by {frame.escape(trainer.words)}.")


def _draw_outcome(trial: FrozenTrial) -> None:
    name = baseline_name(trial)
    if name is not None:
        st.info(f"Not sampled: {frame.escape(name)}.", icon=":material/flag:")
    who = proposer(trial)
    if who is not None:
        words = "Queued by hand." if who == BY_HAND else f"Not sampled: tuned by others, {who}."
        st.info(frame.escape(words), icon=":material/edit_note:")
    retry_of = trial.user_attrs.get(RETRY_OF)
    if isinstance(retry_of, int):
        st.info(f"Repeats trial {retry_of}, which could not end.", icon=":material/replay:")
    if trial.state == TrialState.FAIL:
        record = trial.user_attrs.get(FAILURE)
        st.error(frame.escape(error_line(trial) or "It failed and left no reason."), icon=":material/error:")
        trace = record.get("traceback") if isinstance(record, dict) else None
        if trace:
            st.code(str(trace), language=None, wrap_lines=True, height=min(400, 60 + 21 * _lines(trace)))
    elif trial.state == TrialState.PRUNED:
        for attribute in (DIVERGED, PRUNED):
            if attribute in trial.user_attrs:
                st.warning(
                    frame.escape(str(trial.user_attrs[attribute])[:500]), icon=":material/content_cut:"
                )


def _lines(trace: Any) -> int:
    return str(trace).count("\n") + 1


def _draw_curve(run: Run, trial: FrozenTrial, theme: str) -> None:
    home = trial_home(run.folder, trial)
    recorded = read_curve(home.folder, home.number) if home.folder else Curve((), ())
    evaluations = trial.user_attrs.get(EVALUATIONS)
    records = [e for e in evaluations if isinstance(e, dict)] if isinstance(evaluations, list) else []
    if not records:
        records = [{"timesteps": t, "mean": mean, "std": std} for t, mean, std in recorded.evaluations]
    missing = curve.not_ready(recorded.episodes, records)
    if missing and run.spec is None:
        missing = "The study recorded no learning curve of this trial."
        missing += " Its reports are under Learning, above." if trial.intermediate_values else ""
    if missing:
        st.info(missing, icon=":material/show_chart:")
        return
    info = curve.curve_info(recorded.episodes, records, number=trial.number)
    plot.draw(
        curve.curve_figure(info, theme=theme),
        "trial-curve",
        caption="Dots are training episodes with exploration, the line is their running mean. Diamonds are "
        "evaluations without exploration, which decide; their bars are one standard deviation.",
        alt=f"Learning curve of trial {trial.number}",
    )


def _draw_parameters(spec: StudySpec, trial: FrozenTrial) -> None:
    resolved = trial.user_attrs.get(RESOLVED)
    known = resolved if isinstance(resolved, dict) else {}
    rows, full = [], []
    for parameter in spec.search_space:
        if parameter.name in trial.params:
            received = argument_value(spec, known, parameter.target) if known else None
            full.append(
                {"parameter": parameter.name, "stored": trial.params[parameter.name], "received": received}
            )
            rows.append(
                {
                    "Parameter": parameter.name,
                    "Stored": _value(trial.params[parameter.name]),
                    _RECEIVED: "" if received is None else _value(received),
                }
            )
    if not rows:
        _draw_no_parameter()
        return
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        width="stretch",
        column_config={
            "Stored": st.column_config.TextColumn(help="What the sampler chose, in the search space's unit."),
            _RECEIVED: st.column_config.TextColumn(
                f"{spec.algorithm} received",
                help="The value of the argument that it sets; every argument is listed below.",
            ),
        },
    )
    _draw_download(full, trial)


def _draw_values(trial: FrozenTrial) -> None:
    """Draw the parameters of a trial that is not ours, as they are stored."""
    if not trial.params:
        _draw_no_parameter()
        return
    rows = [{"Parameter": name, "Value": _value(value)} for name, value in trial.params.items()]
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")
    _draw_download([{"parameter": name, "value": value} for name, value in trial.params.items()], trial)


def _draw_download(rows: list[dict[str, Any]], trial: FrozenTrial) -> None:
    plain = [
        {k: v if v is None or isinstance(v, str | int | float) else json.dumps(v) for k, v in row.items()}
        for row in rows
    ]
    table_csv.draw(
        pd.DataFrame(plain, dtype="object"), f"trial-{trial.number}.csv", key="trial-parameters-csv"
    )


def _draw_no_parameter() -> None:
    st.info("No parameter was chosen yet.", icon=":material/tune:")


def _value(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, float):
        return three_digits(value)
    if isinstance(value, int):
        return str(value)
    return value if isinstance(value, str) else json.dumps(value)


def _draw_pin(spec: StudySpec, run: Run, trial: FrozenTrial) -> None:
    if trial.state != TrialState.COMPLETE and not run.status.state.alive:
        return
    home = trial_home(run.folder, trial)
    if home.folder is None:
        st.caption(f"Its weights went with {frame.escape(home.study)}.")
        return
    key = f"pin-{home.study}-{home.number}"
    kept = home.number in kept_trials(home.folder)
    pinned = home.number in pinned_trials(home.folder)
    if not is_read_only():
        st.session_state[key] = pinned
        st.toggle(
            "Keep this trial's weights",
            key=key,
            on_change=_pin,
            args=(home.folder, home.number, key),
            disabled=trial.state == TrialState.COMPLETE and not kept and not pinned,
            help=f"The best {spec.retention.top} trials and the defaults keep theirs; a pinned one does so "
            "for good.",
        )
    if problem := st.session_state.pop(_PIN_PROBLEM, None):
        st.error(frame.escape(problem), icon=":material/error:")
    if kept:
        where = "" if home.folder == run.folder else f" in {frame.escape(home.study)}"
        st.caption(f"Its weights are kept{where}.")
    elif trial.state == TrialState.COMPLETE:
        st.caption("Its weights were not kept: better trials took its place.")
    else:
        st.caption("Its weights are saved when it completes.")


def _pin(folder: RunFolder, number: int, key: str) -> None:
    try:
        set_pin(folder, number, pinned=bool(st.session_state[key]))
    except OSError as error:
        st.session_state[_PIN_PROBLEM] = str(error)


def _draw_evaluations(trial: FrozenTrial) -> None:
    evaluations = evaluations_of(trial)
    if not evaluations:
        return
    rows = [
        {"Env steps": e.timesteps, "Mean return": e.mean, "Std": e.std, "Episodes": e.n_episodes}
        for e in evaluations
    ]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        width="stretch",
        column_config={
            "Mean return": st.column_config.NumberColumn(format="%.4g"),
            "Std": st.column_config.NumberColumn(format="%.3g"),
        },
    )


def _draw_attributes(trial: FrozenTrial) -> None:
    """Draw what whoever ran the trial recorded with it."""
    if trial.user_attrs:
        with st.expander("What was recorded with it", icon=":material/list_alt:"):
            _draw_evaluations(trial)
            text = json.dumps(trial.user_attrs, indent=2, default=repr)
            more = "\n..." if len(text) > _MOST_TEXT else ""
            st.code(
                text[:_MOST_TEXT] + more, language=None, height=320 if text.count("\n") > 12 else "content"
            )


def _draw_record(trial: FrozenTrial) -> None:
    record = {
        "arguments": trial.user_attrs.get(RESOLVED),
        "run": trial.user_attrs.get(RUN),
        "trainer": trial.user_attrs.get(TRAINER),
    }
    st.code(json.dumps({k: v for k, v in record.items() if v}, indent=2), language="json")
