"""The pictures of the guide: each an Info computed from real data, and a figure that draws it."""
