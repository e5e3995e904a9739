"""A study's time, measured or guessed, in words: for pages and the command line."""

from tuning.analysis.words import age, count, duration, three_digits
from tuning.calibration import Calibration, StudyTime

_PARTS = (
    ("learn_s", "learning"),
    ("collect_s", "acting and the environment"),
    ("evaluate_s", "evaluating"),
    ("start_s", "starting"),
)


def rough_range(low_s: float, high_s: float) -> str:
    """Return a range of times with no more digits than a guess deserves: 4 to 15 min, 25 s to 15 min.

    Both ends have one unit, unless the shorter one would be a fraction of it.
    """
    high_size, high_unit = _unit(high_s)
    low_size, low_unit = (high_size, high_unit) if low_s >= high_size else _unit(low_s)
    low = three_digits(float(f"{low_s / low_size:.2g}"))
    high = three_digits(float(f"{high_s / high_size:.2g}"))
    if low_unit != high_unit:
        return f"{low} {low_unit} to {high} {high_unit}"
    return f"{high} {high_unit}" if low == high else f"{low} to {high} {high_unit}"


def _unit(seconds: float) -> tuple[int, str]:
    """Return the size in seconds and the name of the largest unit of which there are at least two."""
    units = ((86_400, "d"), (3600, "h"), (60, "min"))
    return next(((size, unit) for size, unit in units if seconds >= 2 * size), (1, "s"))


def trial_sentence(time: StudyTime) -> str:
    """Say how long a trial takes and where its time goes."""
    trial = time.trial
    shares = [(getattr(trial, name) / trial.total_s, words) for name, words in _PARTS]
    told = ", ".join(
        f"{share:.0%} {words}" for share, words in sorted(shares, reverse=True) if share >= 0.005
    )
    return f"A trial that is not pruned takes about {duration(trial.total_s)} alone on a core: {told}."


def basis_sentence(calibration: Calibration, *, now: float) -> str:
    """Say what was measured, when, and what was in the way; `now` in seconds since the epoch."""
    n, together = len(calibration.alone), calibration.n_together
    beside = f", alone and {together} at a time" if together > 1 else ""
    said = (
        f"Measured on this machine {age(now - calibration.measured_at)}: {count(n, 'configuration')}{beside}."
    )
    if calibration.busy_cores >= 0.3:
        said += (
            f" Other work kept {three_digits(round(calibration.busy_cores, 1))} of "
            f"{count(calibration.n_cores, 'core')} busy meanwhile, so it may go faster."
        )
    return said


def slowdown_sentence(time: StudyTime, calibration: Calibration) -> str:
    """Say what workers cost each other; empty where that was not measured."""
    if calibration.n_together == 1:
        return ""
    if time.slowdown < 1.05:
        return f"{calibration.n_together} workers do not slow each other."
    return (
        f"Beside {count(calibration.n_together - 1, 'other')} each worker takes "
        f"{three_digits(time.slowdown)} times as long for a step."
    )
