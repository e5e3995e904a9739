"""Pictures of an environment, and MP4 files that take one picture at a time and never hold them all."""

import math
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import gymnasium
import imageio_ffmpeg
import numpy as np
from PIL import Image

from tuning import environments
from tuning.env_wrappers import make_wrapped
from tuning.spec_parts import EnvSpec

DEFAULT_FPS = 30.0
MAX_FPS = 120.0  # no screen shows more, and players drop frames
CRF = 20  # libx264's constant quality: smaller is better and larger
POSTER_WIDTH = 640

# +faststart: the index comes first, so that playing starts before the whole file is there. With it goes -g, a
# keyframe a second, or players could only seek to the start. Colours are tagged, or players guess them.
_ENCODER = ("-crf", str(CRF), "-preset", "veryfast", "-movflags", "+faststart", "-threads", "2")
_FILTER = (
    "scale=out_color_matrix=bt709:out_range=tv,"
    "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
)


class NoPicture(RuntimeError):
    """An environment gives no picture; says why."""


def make_filmed(env: EnvSpec) -> tuple[gymnasium.Env[Any, Any], str]:
    """Return a new environment that draws itself off screen, and "" or why it cannot.

    Raises:
        EnvironmentsError: there is no such environment.
        Exception: whatever it raises when it is made without drawing.
    """
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")  # pygame would look for a screen
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    plain = env.model_copy(update={"kwargs": {k: v for k, v in env.kwargs.items() if k != "render_mode"}})
    environments.require(env.id)
    fault = ""
    try:
        made = make_wrapped(env, render_mode="rgb_array")
    except (Exception, SystemExit) as error:
        fault = f"It cannot be made to draw pictures ({said(error)})."
        made = make_wrapped(plain)
    if "rgb_array" not in (made.metadata.get("render_modes") or ()):
        fault = "It has no way to draw itself as a picture (render mode rgb_array)."
    return made, fault


def picture_of(env: gymnasium.Env[Any, Any]) -> np.ndarray:
    """Return what the environment looks like now: bytes, (height, width, 3).

    Raises:
        NoPicture: drawing failed, or gave something else than a picture.
    """
    try:
        drawn: Any = env.render()
    except (Exception, SystemExit) as error:
        raise NoPicture(f"Drawing failed: {said(error)}.") from error
    frame = np.asarray(drawn) if isinstance(drawn, np.ndarray | list) else None
    if frame is not None and frame.dtype == np.uint8:
        if frame.ndim == 2:
            frame = np.repeat(frame[:, :, None], 3, axis=2)
        if frame.ndim == 3 and frame.shape[2] in (3, 4) and min(frame.shape[:2]) > 0:
            return np.ascontiguousarray(frame[:, :, :3])
    was = "nothing" if drawn is None else type(drawn).__name__
    if frame is not None:
        was = f"an array of {frame.dtype} with the shape {frame.shape}"
    raise NoPicture(f"Drawing gave {was} instead of a picture.")


def render_fps(env: gymnasium.Env[Any, Any]) -> float:
    """Return the frames per second that the environment asks for, within what players show."""
    fps = env.metadata.get("render_fps")
    if isinstance(fps, int | float) and math.isfinite(fps) and fps > 0:
        return min(max(float(fps), 1.0), MAX_FPS)
    return DEFAULT_FPS


class Video:
    """One MP4 in the making: H.264, yuv420p. It appears under its name when it is whole, or never."""

    def __init__(self, path: Path, *, fps: float) -> None:
        """Nothing is written before the first picture, which gives the size."""
        self.path = path
        self.n_frames = 0
        self._fps = fps
        self._partial = path.with_name(f".{path.stem}.part{path.suffix}")
        self._size: tuple[int, int] | None = None
        self._writer: Generator[None, bytes, None] | None = None

    def add(self, picture: Image.Image) -> None:
        """Encode the next picture; its sides are even, and all have the same.

        Raises:
            OSError: the encoder ended, as on a full disk.
        """
        if self._writer is None:
            self._size = picture.size
            self._writer = imageio_ffmpeg.write_frames(
                str(self._partial),
                picture.size,
                fps=self._fps,
                codec="libx264",
                quality=None,
                macro_block_size=2,
                ffmpeg_log_level="error",
                output_params=["-vf", _FILTER, *_ENCODER, "-g", str(max(1, round(self._fps)))],
            )
            self._writer.send(None)  # type: ignore[arg-type]  # starts the generator
        if picture.size != self._size:
            raise ValueError(f"All pictures of a video have one size, {self._size}: received {picture.size}.")
        self._writer.send(picture.tobytes())
        self.n_frames += 1

    def finish(self) -> None:
        """Wait for the encoder, and give the file its name.

        Raises:
            OSError: nothing whole came out.
        """
        self._close()
        if not _is_whole(self._partial):
            self.discard()
            raise OSError(f"The encoder left no whole video {self.path.name}. Is the disk full?")
        os.replace(self._partial, self.path)

    def discard(self) -> None:
        """End the encoder and leave nothing behind."""
        self._close()
        self._partial.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()


def save_poster(video: Path, path: Path, *, at_s: float) -> None:
    """Save the picture that a video shows at a moment as a small JPEG.

    Raises:
        OSError: the video cannot be read.
    """
    frames = imageio_ffmpeg.read_frames(str(video), input_params=["-ss", f"{at_s:.3f}"])
    try:
        size = next(frames)["size"]
        image = Image.frombytes("RGB", size, next(frames))
    except StopIteration:
        raise OSError(f"{video.name} shows nothing at {at_s:.1f} s.") from None
    finally:
        frames.close()
    image.thumbnail((POSTER_WIDTH, POSTER_WIDTH))
    partial = path.with_name(f".{path.stem}.part{path.suffix}")
    image.save(partial, "JPEG", quality=85)
    os.replace(partial, path)


def boxes(path: Path) -> list[str]:
    """Return the names of an MP4 file's outermost boxes in their order; a damaged one ends the list."""
    found, size_bytes = [], path.stat().st_size
    with path.open("rb") as file:
        place = 0
        while place + 8 <= size_bytes:
            file.seek(place)
            length, name = int.from_bytes(file.read(4), "big"), file.read(4).decode("latin-1")
            if length == 1:
                length = int.from_bytes(file.read(8), "big")
            if length < 8 or place + length > size_bytes:
                break
            found.append(name)
            place += length
    return found


def said(error: BaseException) -> str:
    """Return an exception in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}".rstrip(":. ")


def _is_whole(path: Path) -> bool:
    """Say whether the file has its index and its pictures, the index first; ffmpeg writes that last."""
    try:
        found = boxes(path)
    except OSError:
        return False
    return "moov" in found and "mdat" in found and found.index("moov") < found.index("mdat")
