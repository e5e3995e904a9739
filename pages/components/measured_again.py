"""What became of the best trial when it was trained again: one line on the page that praises it."""

import streamlit as st

from pages.components import frame
from storage.trials import completed, own
from tuning import export
from tuning.analysis.look import count, three_digits
from tuning.launch import Run
from tuning.reevaluation_choice import measured_again


def draw(run: Run) -> None:
    """Say what the best trial is worth by new training runs, or that nobody knows yet, with the way there."""
    best = export.best_trial(own(run.study.trials), maximize=run.study.maximize)
    if best is None or best.value is None:
        return
    again, searched = measured_again(run.folder, best.number), three_digits(best.value)
    values = [t.value for t in completed(own(run.study.trials))]
    if again is None and len(values) > 1 and len(set(values)) == 1:
        words = (
            f"All {count(len(values), 'complete trial')} reached {searched}: the search prefers none of them."
        )
        label = "Do they differ?"
    elif again is None:
        words = f"{searched} is the best of many noisy numbers, so it flatters trial {best.number}."
        label = "Is it real?"
    else:
        runs = count(again.n_runs, "new training run")
        average = " on average" if again.n_runs > 1 else ""
        words = f"Trial {best.number} gave {searched} in the search"
        words += f", and {three_digits(again.mean)}{average} in {runs}."
        label = "What is really best?"
    params = {"study": run.folder.id} | ({"reevaluation": again.reevaluation} if again else {})
    with st.container(horizontal=True, vertical_alignment="center", key="measured-again"):
        st.markdown(frame.escape(words), width="content")
        st.page_link("pages/reevaluation.py", label=label, icon=":material/verified:", query_params=params)
