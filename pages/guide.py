"""How do I tune an agent?"""

import streamlit as st

from pages.components import frame, guide_steps, guide_troubles, parameter_reference
from tuning.guide.text import part

frame.open_page("Guide", "How do I tune an agent?", icon=":material/school:")
st.markdown(part("start"))

guide_steps.draw_space()
guide_steps.draw_objective()
guide_steps.draw_method()
guide_steps.draw_launch()

st.subheader("When it goes wrong", anchor="trouble")
guide_troubles.draw()

st.subheader("Parameters", anchor="parameters")
parameter_reference.draw()

st.caption(part("credits"))
