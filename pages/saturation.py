"""Was the search space too narrow?"""

import streamlit as st

from pages.components import (
    frame,
    lineage_line,
    more_trials,
    new_trials,
    not_ready,
    saturation_method,
    verdict_cards,
    viewport,
    weighing,
    widen_button,
)
from tuning.analysis import saturation, verdict_words
from tuning.analysis.verdicts import Verdict
from tuning.launch import Run

EVERY = "500ms"

frame.open_page("Saturation", "Was the search space too narrow?", icon=":material/arrow_range:")
folder = frame.require_study()
run = frame.require_run(folder)
narrow = viewport.is_narrow()

answer = st.container()  # filled last; unlike an empty place it keeps its words meanwhile
new_trials.watch(run)

ended = not_ready.finished_trials(run, saturation.not_ready)


def wait(run: Run) -> None:
    """Say that it works, and draw the page again once the verdicts are there."""
    try:
        found = weighing.saturation(run)
        ready = found is not None and weighing.axes(run, found) is not None
    except weighing.Unweighable:
        ready = True
    if ready:
        st.rerun()
    st.status(f"Weighing the evidence of {len(ended)} trials", state="running")


try:
    info = weighing.saturation(run)
    axes = weighing.axes(run, info) if info else None
except weighing.Unweighable as error:
    st.error(frame.escape(str(error)), icon=":material/error:")
    st.stop()
if info is None or axes is None:
    st.fragment(wait, run_every=EVERY)(run)
    info, axes = weighing.earlier(folder)  # a few trials ago: better than an empty page
if info is None or axes is None:
    st.stop()

sentence = verdict_words.answer(info)
if sentence:
    answer.markdown(f"**{frame.escape(sentence)}**")
lineage_line.draw_imported(run)
is_narrow = any(p.verdict == Verdict.EDGE for p in info.parameters)
if is_narrow:
    widen_button.draw_widen(run, info)
if verdict_words.most_missing(info):
    more_trials.draw(run, info, primary=not is_narrow)

urgent = [p for p in info.parameters if p.verdict in verdict_words.URGENT]
for parameter in urgent:
    verdict_cards.draw_urgent(run, parameter, axes.get(parameter.name), narrow=narrow)
quiet = [p for p in info.parameters if p.verdict not in verdict_words.URGENT]
if quiet:
    st.subheader("The other ranges" if urgent else "Range by range", anchor=False)
for place, parameter in enumerate(quiet):
    is_open = not urgent and place == 0  # one plot at least, to see what there is
    verdict_cards.draw_quiet(run, parameter, axes.get(parameter.name), narrow=narrow, is_open=is_open)
saturation_method.draw()
