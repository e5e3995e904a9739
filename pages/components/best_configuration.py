"""A trial's configuration to take home: copy it, or download it as YAML, a Python script or JSON."""

import streamlit as st
from optuna.trial import FrozenTrial

from pages.components import exports, frame
from storage.trials import StudyData, own
from storage.winner import read_winner
from tuning import export, export_choice
from tuning.analysis.look import count, three_digits
from tuning.environments import EnvironmentsError
from tuning.launch import Run
from tuning.mapping import known_spec
from tuning.reevaluation_choice import measured_again

# Label -> (how it is written, language of the code box, file ending, MIME type, what it is)
_FORMATS = {
    "YAML": (
        export.to_yaml,
        "yaml",
        "yaml",
        "application/yaml",
        "An entry for RL Zoo's hyperparameter file.",
    ),
    "Python": (export.to_python, "python", "py", "text/x-python", "A script for plain SB3 that runs as is."),
    "JSON": (export.to_json, "json", "json", "application/json", "Resolved arguments and stored values."),
}


def draw_best(run: Run) -> None:
    """Draw the configuration to use: the chosen winner's, else the recommended or best trial's."""
    _say_better(run, export.best_trial(own(run.study.trials), maximize=run.study.maximize))
    try:
        chosen = export_choice.choose_trial(run)
    except export_choice.NothingToExport:
        st.info("There is none until a trial is complete.", icon=":material/hourglass_empty:")
        return
    st.markdown(frame.escape(_reason(run, chosen)))
    draw(run, chosen.trial, key="best")


def _reason(run: Run, chosen: export_choice.ChosenTrial) -> str:
    """Return which trial that is, why that one, and what it gave."""
    trial, again = chosen.trial, measured_again(run.folder, chosen.trial.number)
    tied = _ties(run.study, trial)
    words = f"Trial {trial.number}"
    words += f", {chosen.why}," if again or read_winner(run.folder) else ""
    if trial.value is not None:
        words += f" reached {three_digits(trial.value)}"
        words += f", as did {count(tied, 'other trial')}" if tied else ""
    if again:
        average = " on average" if again.n_runs > 1 else ""
        words += f" in the search, and {three_digits(again.mean)}{average} in "
        words += count(again.n_runs, "new training run")
    return f"{words}."


def _say_better(run: Run, best: FrozenTrial | None) -> None:
    """Say so where a trial that the study took over is better than its own: it may have had luck."""
    theirs = export.better_imported(run.study.trials, best, maximize=run.study.maximize)
    if theirs is not None and theirs.value is not None:
        st.caption(
            f"Imported trial {theirs.number} reached {three_digits(theirs.value)}. Pick it above to see its "
            "configuration."
        )


def draw(run: Run, trial: FrozenTrial, *, key: str) -> None:
    """Draw one trial's configuration in the chosen format, in full precision, and the other exports."""
    _draw_configuration(run, trial, key=key)
    exports.draw(run, trial, key=key)


def _draw_configuration(run: Run, trial: FrozenTrial, *, key: str) -> None:
    spec = known_spec(run)
    if spec is None:
        _draw_values(run, trial, key=key)
        return
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
        label = st.segmented_control(
            "Format", list(_FORMATS), default="YAML", required=True, key=f"{key}-format"
        )
        write, language, ending, mime, about = _FORMATS[label or "YAML"]
        try:
            text = write(spec, trial)
        except (export.ExportError, EnvironmentsError) as error:
            st.warning(frame.escape(str(error)), icon=":material/block:")
            return
        _draw_download(run, trial, text, label, ending=ending, mime=mime, key=key)
    st.code(text, language=language, wrap_lines=True)
    st.caption(f"{about} The button in the corner of the box copies it.")


def _draw_values(run: Run, trial: FrozenTrial, *, key: str) -> None:
    """Draw what is known of a trial that is not ours: its values, as JSON."""
    try:
        text = export.values_json(run.study.name, trial)
    except export.ExportError as error:
        st.warning(frame.escape(str(error)), icon=":material/block:")
        return
    st.code(text, language="json", wrap_lines=True)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(
            "The values as the study stored them. RL Zoo's YAML and a script need the environment and the "
            "algorithm: say on Re-evaluation what this study trained."
        )
        _draw_download(run, trial, text, "JSON", ending="json", mime="application/json", key=key)


def _draw_download(
    run: Run, trial: FrozenTrial, text: str, label: str, *, ending: str, mime: str, key: str
) -> None:
    st.download_button(
        f"Download {label}",
        text,
        file_name=f"{run.folder.id}-trial-{trial.number}.{ending}",
        mime=mime,
        icon=":material/download:",
        on_click="ignore",
        key=f"{key}-download",
    )


def _ties(study: StudyData, best: FrozenTrial) -> int:
    same = [t for t in own(study.trials) if t.state == best.state and t.values == best.values]
    return len(same) - 1
