"""A trial's configuration to take home: copy it, or download it as YAML, a Python script or JSON."""

import streamlit as st
from optuna.trial import FrozenTrial

from pages.components import frame
from storage.trials import StudyData
from tuning import export
from tuning.analysis.look import count, three_digits
from tuning.environments import EnvironmentsError
from tuning.launch import Run

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
    """Draw the best trial's configuration, or say why there is none yet."""
    best = export.best_trial(run.study.trials, maximize=run.study.maximize)
    if best is None:
        st.info("There is none until a trial is complete.", icon=":material/hourglass_empty:")
        return
    assert best.value is not None
    tied = _ties(run.study, best)
    words = f"Trial {best.number} reached {three_digits(best.value)}"
    if tied:
        words += f", as did {count(tied, 'later trial')}"
    st.markdown(f"{words}.")
    draw(run, best, key="best")


def draw(run: Run, trial: FrozenTrial, *, key: str) -> None:
    """Draw one trial's configuration in the chosen format, with full precision."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
        label = st.segmented_control(
            "Format", list(_FORMATS), default="YAML", required=True, key=f"{key}-format"
        )
        write, language, ending, mime, about = _FORMATS[label or "YAML"]
        try:
            text = write(run.spec, trial)
        except (export.ExportError, EnvironmentsError) as error:
            st.warning(frame.escape(str(error)), icon=":material/block:")
            return
        st.download_button(
            f"Download {label}",
            text,
            file_name=f"{run.folder.id}-trial-{trial.number}.{ending}",
            mime=mime,
            icon=":material/download:",
            on_click="ignore",
            key=f"{key}-download",
        )
    st.code(text, language=language, wrap_lines=True)
    st.caption(f"{about} The button in the corner of the box copies it.")


def _ties(study: StudyData, best: FrozenTrial) -> int:
    same = [t for t in study.trials if t.state == best.state and t.values == best.values]
    return len(same) - 1
