"""Beat the tuner: a configuration of one's own, queued in a study that exists, also while it runs."""

import streamlit as st
from optuna.trial import FrozenTrial

from pages.components import configuration_form, frame
from storage.trials import own
from tuning import jobs
from tuning.access import is_read_only
from tuning.analysis.outcomes import finite_ranked
from tuning.jobs import JobState
from tuning.launch import Busy, Run
from tuning.queued_trials import queue_trials
from tuning.spec import SpecError

_SAID = "try-said"  # session: (study, kind, sentences) of the last press


def draw_with_best(run: Run) -> None:
    """Draw the form, filled with the best trial as it was when this session first saw it."""
    best = finite_ranked(own(run.study.trials), maximize=run.study.maximize)
    number = st.session_state.setdefault(f"try-best-{run.folder.id}", best[0].number if best else None)
    draw(run, next((t for t in best if t.number == number), None))


def draw(run: Run, trial: FrozenTrial | None) -> None:
    """Draw the form, filled with a trial's values; nothing where the study cannot take one."""
    if run.spec is None or is_read_only():
        return
    key = f"try-{run.folder.id}-{'none' if trial is None else trial.number}"
    with st.popover("Try a configuration", icon=":material/edit_note:", key=f"{key}-popover"):
        start = "" if trial is None else f" The fields hold trial {trial.number}: change what you believe in."
        st.markdown(f"Can you beat the tuner?{start} What you leave empty, the sampler chooses.")
        configuration_form.draw(
            run.spec.search_space, run.spec.info, key=key, start={} if trial is None else trial.params
        )
        if not run.status.state.moves:
            st.toggle(
                "Go on with the study now",
                value=run.status.state == JobState.FINISHED,
                key=f"{key}-resume",
                help="Otherwise it runs when the study is resumed. A budget that is used up grows by one.",
            )
        st.button("Queue it", key=f"{key}-queue", type="primary", on_click=_queue, args=(run, key))
        _draw_said(run, "error")  # the open form covers what is below it
    _draw_said(run, "success")  # it may start the study, and then the page changes


def _queue(run: Run, key: str) -> None:
    assert run.spec is not None
    stored, faults = configuration_form.read(run.spec.search_space, key=key)
    if faults:
        _say(run, "error", ["Nothing was queued.", *faults])
        return
    try:
        queued = queue_trials(run.folder, [stored], resume=bool(st.session_state.get(f"{key}-resume", False)))
    except SpecError as error:
        _say(run, "error", ["Nothing was queued.", *error.faults])
    except jobs.StartFailed as error:
        _say(run, "error", ["The configuration is queued, but the study did not start.", str(error)])
    except (Busy, ValueError, OSError) as error:
        _say(run, "error", ["Nothing was queued.", str(error)])
    else:
        _say(run, "success", [queued.words])


def _say(run: Run, kind: str, sentences: list[str]) -> None:
    st.session_state[_SAID] = (run.folder.id, kind, sentences)


def _draw_said(run: Run, wanted: str) -> None:
    study, kind, sentences = st.session_state.get(_SAID, ("", "", []))
    if (study, kind) != (run.folder.id, wanted):
        return
    del st.session_state[_SAID]
    lines = "\n".join(f"- {frame.escape(sentence)}" for sentence in sentences[1:])
    text = frame.escape(sentences[0]) + (f"\n\n{lines}" if lines else "")
    if kind == "error":
        st.error(text, icon=":material/error:")
    else:
        st.success(text, icon=":material/check:")
