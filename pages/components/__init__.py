"""Pieces that pages share; in a sub-folder, so that Streamlit does not list them as pages."""
