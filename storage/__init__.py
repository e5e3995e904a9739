"""Bytes on disk: run folders, journals, live files, artifacts. Imports neither `tuning` nor `streamlit`."""
