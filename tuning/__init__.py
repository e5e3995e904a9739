"""Everything that runs or computes. Never imports streamlit."""
