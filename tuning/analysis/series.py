"""How several studies are told apart in one plot: a colour, a dash and a shape for each place in the list."""

from dataclasses import dataclass

MOST = 5  # more lines would not be told apart


@dataclass(frozen=True)
class Series:
    """The look of one study; colour is never the only difference."""

    colour: str
    dash: str
    symbol: str


# After Okabe and Ito's palette for colour-blind readers, shifted to stand out on our backgrounds.
_COLOURS = {
    "light": ("#0072B2", "#C2510A", "#007A5E", "#9C3D7A", "#5B6675"),
    "dark": ("#56B4E9", "#F0A03C", "#2DD4BF", "#E08CC0", "#C3CAD4"),
}
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross")


def series_look(place: int, *, theme: str) -> Series:
    """Return the look of the study at this place of the list; 0 is the first."""
    at = place % MOST
    return Series(_COLOURS["dark" if theme == "dark" else "light"][at], _DASHES[at], _SYMBOLS[at])
