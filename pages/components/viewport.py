"""Whether the page is as narrow as a phone. Streamlit does not say, so the browser is asked."""

import streamlit as st

_KEY = "viewport"
_KNOWN = "viewport-is-narrow"  # outlives page switches, so that only a session's first page is drawn twice

_measure = st.components.v2.component(
    "edgewise_viewport",
    js="""
export default function (component) {
  const query = window.matchMedia("(max-width: 640px)")
  const tell = () => component.setStateValue("narrow", query.matches)
  query.onchange = tell
  if (query.matches !== component.data.narrow) tell()
  return () => { query.onchange = null }
}
""",
)


def is_narrow() -> bool:
    """Return whether the window is at most 640 px wide; False until the browser has answered."""
    known = bool(st.session_state.get(_KNOWN, False))
    with st.sidebar:  # it shows nothing, and there it leaves no gap that anybody sees
        result = _measure(key=_KEY, data={"narrow": known}, default={"narrow": known}, on_narrow_change=_tell)
    st.session_state[_KNOWN] = bool(result.narrow)
    return bool(result.narrow)


def _tell() -> None:
    st.session_state[_KNOWN] = bool(st.session_state[_KEY].get("narrow", False))
