"""Which study did better, and is the comparison fair?"""

import streamlit as st

from pages.components import comparison_choice, comparison_views, frame, new_trials
from tuning import compared_facts

frame.open_page(
    "Compare", "Which study did better, and is the comparison fair?", icon=":material/compare_arrows:"
)
if not frame.studies():
    frame.require_study()  # says what to do, and ends the page
answer = st.empty()
studies = comparison_choice.draw()
new_trials.watch(*(study.run for study in studies))

if len(studies) < 2:
    st.info(
        "Pick two studies or more to see them side by side."
        if len(frame.studies()) > 1
        else "There is only one study. A second one, say with another algorithm, sampler or search space, "
        "can stand beside it.",
        icon=":material/compare_arrows:",
    )
    st.stop()

if sentence := compared_facts.answer(studies):
    answer.markdown(f"**{frame.escape(sentence)}**")
comparison_views.draw_warnings(studies)
comparison_views.draw_plots(studies)
comparison_views.draw_tables(studies)
