"""The commands of `python -m tuning`. Nothing here imports torch."""
