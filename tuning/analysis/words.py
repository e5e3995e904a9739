"""Numbers, times and foreign text as people read them in a figure or a table."""

import html
import math
import textwrap
from collections.abc import Sequence

THIN = "\u202f"  # narrow no-break space: a number never breaks over two lines
UNKNOWN = "–"  # noqa: RUF001 - an en dash stands for a number that does not exist
_SCIENTIFIC_BELOW = 1e-3
_SCIENTIFIC_FROM = 1e9


def three_digits(x: float) -> str:
    """Return a number with three significant digits, or whole from 1 000 on: -183, 0.00123, 3e-5, -1 008.

    Numbers just below one (a discount factor) keep the digits that tell them from one: 0.9995.
    A number that does not exist is a dash.
    """
    if math.isnan(x):
        return UNKNOWN
    if math.isinf(x):
        return "∞" if x > 0 else "-∞"
    size = abs(x)
    if size == 0:
        return "0"
    if 0.9 < size < 1:
        from_one = 1 - size
        decimals = min(8, max(3, 1 - math.floor(math.log10(from_one)) if from_one else 3))
        return _trimmed(f"{x:.{decimals}f}")
    rounded = float(f"{x:.3g}")
    if abs(rounded) < _SCIENTIFIC_BELOW or abs(rounded) >= _SCIENTIFIC_FROM:
        mantissa, exponent = f"{x:.2e}".split("e")
        return f"{_trimmed(mantissa)}e{int(exponent)}"
    if abs(rounded) >= 1000:
        return f"{round(x):,}".replace(",", THIN)  # a return of -1008 must not read as -1010
    decimals = max(0, 2 - math.floor(math.log10(abs(rounded))))
    return _trimmed(f"{rounded:,.{decimals}f}".replace(",", THIN))


def whole(n: float) -> str:
    """Return a count in full with thin separators: 40 000."""
    return f"{round(n):,}".replace(",", THIN) if math.isfinite(n) else three_digits(n)


def count(n: int, noun: str) -> str:
    """Return "1 trial" or "3 trials"."""
    return f"{whole(n)} {noun}" if n == 1 else f"{whole(n)} {noun}s"


def listed(items: Sequence[str]) -> str:
    """Return "a", "a and b" or "a, b and c"; empty for nothing."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""


def duration(seconds: float) -> str:
    """Return a length of time in its two largest units: 3 min 20 s, 2 h 5 min, 45 s, 0.35 s."""
    if not math.isfinite(seconds):
        return UNKNOWN
    seconds = max(0.0, seconds)
    if seconds < 9.95:
        return f"{_trimmed(f'{seconds:.2g}')} s"
    rest = round(seconds)
    for unit, smaller, size, small in (("d", "h", 86400, 3600), ("h", "min", 3600, 60), ("min", "s", 60, 1)):
        if rest >= size:
            second = rest % size // small
            return f"{rest // size} {unit} {second} {smaller}" if second else f"{rest // size} {unit}"
    return f"{rest} s"


def age(seconds: float) -> str:
    """Return how long ago something was, in one unit: 2 h ago."""
    if not math.isfinite(seconds):
        return UNKNOWN
    if seconds < 5:
        return "just now"
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return f"{int(seconds)} s ago"


def safe(text: object, limit: int = 40) -> str:
    """Return text from a study as Plotly may show it: one line, cut to length, never markup.

    Plotly reads a small HTML in every text and %{...} in hover templates; both arrive as plain characters.
    Quotes stay, because Plotly does not decode their entities.
    """
    line = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    if len(line) > limit:
        line = line[: limit - 1] + "…"
    return html.escape(line, quote=False).replace("%{", "&#37;{")


def wrapped(text: str, width: int) -> str:
    """Return text broken with <br> so that it fits a narrow screen; the text must be safe already."""
    lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    return "<br>".join(lines)


def _trimmed(digits: str) -> str:
    return digits.rstrip("0").rstrip(".") if "." in digits else digits
