"""Search spaces as data: parameters with transforms, and one file of presets and limits per algorithm."""
