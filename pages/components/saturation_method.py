"""How the verdicts are reached, from docs/saturation.md."""

from functools import cache

import streamlit as st

from tuning.jobs import PROJECT_ROOT

_METHOD = PROJECT_ROOT / "docs" / "saturation.md"


def draw() -> None:
    """Draw the method at the end of the page, closed."""
    text = _text()
    if text:
        with st.expander("How a verdict is reached", icon=":material/menu_book:", key="method"):
            st.markdown(text)


@cache
def _text() -> str:
    """Return the text without its first heading, which the expander shows."""
    try:
        text = _METHOD.read_text(encoding="utf-8")
    except OSError:
        return ""  # the page does not need it
    body = text.split("\n", 1)[1].strip() if text.startswith("# ") else text
    return body.replace("\n## ", "\n##### ")  # small headings: it is an appendix of the page
