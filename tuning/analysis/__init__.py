"""Questions asked of a study's trials: one module each, which computes an info and draws it."""
