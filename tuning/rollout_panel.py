"""One actor's picture for a video: the environment's frame above a quiet strip with words and numbers.

Drawn with Pillow and the font inside it, so that nothing is fetched and every machine gives the same picture.
"""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tuning.analysis.words import THIN, three_digits
from tuning.rollout import Role

MAX_HEIGHT = 720  # pixels of a frame; a higher one is scaled down
MIN_WIDTH = 400  # of a frame; a narrower one is enlarged by a whole factor, or the words would not fit
MAX_TOTAL_WIDTH = 1920  # of all actors side by side
GAP = 8  # pixels between actors; even
EDGE = 2  # pixels around a frame: a white one would have no border on a white page

_STRIP = (23, 30, 38)
_TEXT = (229, 231, 235)
_MUTED = (161, 168, 179)
_ROLES: dict[Role, tuple[int, int, int]] = {"tuned": (45, 212, 191), "baseline": _MUTED}
_STILL = 0.45  # of the strip's colour over a frame that no longer moves


@dataclass(frozen=True)
class Moment:
    """What the strip says at one moment."""

    total: float  # undiscounted return so far
    step: int
    ended: bool
    is_held: bool  # the frame is the last one of an episode that has ended, and the others still play
    episode: int  # from 0
    n_episodes: int


class Panel:
    """Draws one actor. All its pictures have the same size: `width` and `height`, both even."""

    def __init__(self, label: str, role: Role, shape: tuple[int, int]) -> None:
        """Lay it out for frames of this (height, width) in pixels."""
        self._frame_size = frame_size(shape)
        self.width = self._frame_size[0] + 2 * EDGE
        text_px = max(16, round(self.width / 17))
        self._numbers = font(text_px)
        self._pad = round(text_px * 0.6)
        self._line = round(text_px * 1.35)
        self.height = _even(self._frame_size[1] + EDGE + 2 * self._pad + 2 * self._line)
        self._blank = Image.new("RGB", (self.width, self.height), _STRIP)
        self._draw_label(label, role, text_px)

    def draw(self, frame: np.ndarray, moment: Moment) -> Image.Image:
        """Return the picture of one moment; a frame of another size than the first is fitted to it."""
        picture = self._blank.copy()
        image = Image.fromarray(frame)
        if image.size != self._frame_size:
            enlarged = self._frame_size[0] >= image.width
            image = image.resize(
                self._frame_size, Image.Resampling.NEAREST if enlarged else Image.Resampling.BOX
            )
        if moment.is_held:
            image = Image.blend(image, Image.new("RGB", image.size, _STRIP), _STILL)
        picture.paste(image, (EDGE, EDGE))
        top = EDGE + self._frame_size[1] + self._pad + self._line
        draw = ImageDraw.Draw(picture)
        number = three_digits(moment.total).replace(THIN, " ")
        draw.text((self._pad, top), f"return {number}", font=self._numbers, fill=_TEXT)
        steps = f"{'ended at' if moment.ended else 'step'} {moment.step}"
        if moment.n_episodes > 1:
            steps = f"{moment.episode + 1}/{moment.n_episodes}  {steps}"
        draw.text((round(self.width * 0.5), top), steps, font=self._numbers, fill=_MUTED)
        return picture

    def _draw_label(self, label: str, role: Role, text_px: int) -> None:
        draw = ImageDraw.Draw(self._blank)
        colour, top, mark = _ROLES[role], EDGE + self._frame_size[1] + self._pad, round(text_px * 0.75)
        centre = (self._pad + mark / 2, top + text_px * 0.55)
        if role == "tuned":
            draw.polygon(_star(centre, mark * 0.62), fill=colour)
        else:
            half = mark * 0.38
            draw.rectangle(
                (centre[0] - half, centre[1] - half, centre[0] + half, centre[1] + half), fill=colour
            )
        left = self._pad + mark + round(text_px * 0.4)
        text, used = fitted(label, self.width - left - self._pad, text_px)
        draw.text((left, top + (text_px - used) // 2), text, font=font(used), fill=colour)


def frame_size(shape: tuple[int, int]) -> tuple[int, int]:
    """Return the (width, height) at which frames of this (height, width) are shown; both are even."""
    height, width = shape
    factor = 1.0
    if height > MAX_HEIGHT:
        factor = MAX_HEIGHT / height
    elif width < MIN_WIDTH:
        factor = max(1, min(math.ceil(MIN_WIDTH / width), MAX_HEIGHT // height))
    return max(2, _even(round(width * factor))), max(2, _even(round(height * factor)))


def side_by_side(panels: list[Image.Image]) -> Image.Image:
    """Return all actors' pictures in one: in a row, four of them in two rows."""
    columns = 2 if len(panels) == 4 else len(panels)
    rows = math.ceil(len(panels) / columns)
    width, height = panels[0].size
    size = (columns * width + (columns - 1) * GAP, rows * height + (rows - 1) * GAP)
    picture = Image.new("RGB", size, _STRIP)
    for place, panel in enumerate(panels):
        picture.paste(panel, (place % columns * (width + GAP), place // columns * (height + GAP)))
    if picture.width > MAX_TOTAL_WIDTH:
        factor = MAX_TOTAL_WIDTH / picture.width
        picture = picture.resize(
            (_even(MAX_TOTAL_WIDTH), _even(round(picture.height * factor))), Image.Resampling.BOX
        )
    return picture


def fitted(text: str, width: int, text_px: int) -> tuple[str, int]:
    """Return the text and the size at which it fits the width: smaller, then cut with dots."""
    for size in range(text_px, max(10, round(text_px * 0.6)) - 1, -1):
        if font(size).getlength(text) <= width:
            return text, size
    cut = text
    while cut and font(size).getlength(cut + "...") > width:
        cut = cut[:-1]
    return cut.rstrip() + "...", size


@cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return Pillow's own font."""
    return ImageFont.load_default(size)


def _even(pixels: int) -> int:
    return pixels + pixels % 2


def _star(centre: tuple[float, float], radius: float) -> list[tuple[float, float]]:
    corners = []
    for k in range(10):
        r, angle = (radius if k % 2 == 0 else radius * 0.45), math.pi * (k / 5 - 0.5)
        corners.append((centre[0] + r * math.cos(angle), centre[1] + r * math.sin(angle)))
    return corners
