"""Pictures and MP4 files, read back with the encoder's own ffmpeg."""

import gymnasium
import imageio_ffmpeg
import numpy as np
import pytest
from gymnasium import spaces
from PIL import Image

from tuning.rendering import (
    NoPicture,
    Video,
    boxes,
    make_filmed,
    picture_of,
    render_fps,
    save_poster,
)
from tuning.rollout_panel import GAP, Moment, Panel, fitted, font, frame_size, side_by_side
from tuning.spec_parts import EnvSpec


def read_back(path):
    """Return ffmpeg's description of a video, and its frames."""
    frames = imageio_ffmpeg.read_frames(str(path))
    meta = next(frames)
    size = meta["size"]
    return meta, [np.frombuffer(f, np.uint8).reshape(size[1], size[0], 3) for f in frames]


def colours(n, size=(64, 48)):
    return [Image.new("RGB", size, (10 * k % 256, 90, 200 - 10 * k)) for k in range(n)]


def test_a_video_is_h264_that_every_browser_plays(tmp_path):
    video = Video(tmp_path / "v.mp4", fps=25)
    for picture in colours(12):
        video.add(picture)
    assert not video.path.exists(), "half a video has no name yet"
    video.finish()
    meta, frames = read_back(video.path)
    assert (meta["codec"], meta["pix_fmt"], meta["fps"], meta["size"]) == (
        "h264",
        "yuv420p(tv, bt709, progressive)",
        25.0,
        (64, 48),
    )
    assert len(frames) == video.n_frames == 12
    assert abs(frames[0].mean(axis=(0, 1)) - (0, 90, 200)).max() < 6, "the colours are the same"
    assert abs(frames[0].astype(int) - frames[11]).max() > 60
    assert [p.name for p in tmp_path.iterdir()] == ["v.mp4"]


def test_the_index_comes_first_and_each_second_has_a_keyframe(tmp_path):
    video = Video(tmp_path / "v.mp4", fps=10)
    for picture in colours(35):
        video.add(picture)
    video.finish()
    order = boxes(video.path)
    assert order.index("moov") < order.index("mdat")
    assert keyframes(video.path) == 4, "at 0, 1, 2 and 3 s"


def keyframes(path):
    """Count the entries of the sync sample table: the frames to which a player can seek."""
    data = path.read_bytes()
    at = data.index(b"stss")
    return int.from_bytes(data[at + 8 : at + 12], "big")


def test_a_video_that_is_given_up_leaves_nothing(tmp_path):
    video = Video(tmp_path / "v.mp4", fps=30)
    for picture in colours(3):
        video.add(picture)
    video.discard()
    assert list(tmp_path.iterdir()) == []


def test_pictures_of_another_size_and_no_pictures_are_refused(tmp_path):
    video = Video(tmp_path / "v.mp4", fps=30)
    video.add(colours(1)[0])
    with pytest.raises(ValueError, match="one size"):
        video.add(colours(1, size=(32, 32))[0])
    video.discard()
    with pytest.raises(OSError, match="no whole video"):
        Video(tmp_path / "empty.mp4", fps=30).finish()


def test_a_file_that_cannot_be_written_is_said(tmp_path):
    with pytest.raises(OSError):  # noqa: PT011 - which one depends on when ffmpeg notices
        fill(Video(tmp_path / "gone" / "v.mp4", fps=30))


def fill(video):
    for picture in colours(200, size=(640, 480)):
        video.add(picture)
    video.finish()


def test_the_poster_is_a_picture_from_the_video(tmp_path):
    video = Video(tmp_path / "v.mp4", fps=10)
    for picture in colours(20, size=(1280, 100)):
        video.add(picture)
    video.finish()
    save_poster(video.path, tmp_path / "poster.jpg", at_s=1.0)
    poster = Image.open(tmp_path / "poster.jpg")
    assert poster.size == (640, 50)
    assert abs(np.asarray(poster).mean(axis=(0, 1)) - (100, 90, 100)).max() < 8


def test_boxes_of_a_torn_file_end_where_it_is_torn(tmp_path):
    path = tmp_path / "v.mp4"
    path.write_bytes((24).to_bytes(4, "big") + b"ftyp" + bytes(16) + (999).to_bytes(4, "big") + b"moov")
    assert boxes(path) == ["ftyp"]


class Drawing(gymnasium.Env):
    """Draws what it is told to."""

    observation_space = action_space = spaces.Discrete(2)

    def __init__(self, drawn, fps=30):
        self.drawn = drawn
        self.metadata = {"render_modes": ["rgb_array"], "render_fps": fps}

    def render(self):
        if isinstance(self.drawn, BaseException):
            raise self.drawn
        return self.drawn


@pytest.mark.parametrize("shape", [(6, 4, 3), (6, 4), (6, 4, 4)])
def test_pictures_become_three_bytes_a_pixel(shape):
    assert picture_of(Drawing(np.zeros(shape, np.uint8))).shape == (6, 4, 3)


@pytest.mark.parametrize(
    ("drawn", "said"),
    [
        (RuntimeError("no screen\nat all"), "Drawing failed: RuntimeError: no screen at all."),
        (SystemExit(3), "Drawing failed: SystemExit: 3."),
        (None, "Drawing gave nothing"),
        ("ansi", "Drawing gave str"),
        (np.zeros((4, 4, 3)), "an array of float64 with the shape"),
        (np.zeros((4, 4, 2), np.uint8), "shape"),
        (np.zeros((0, 4, 3), np.uint8), "shape"),
    ],
)
def test_what_is_no_picture_is_said(drawn, said):
    with pytest.raises(NoPicture, match=said):
        picture_of(Drawing(drawn))


@pytest.mark.parametrize(
    ("fps", "used"), [(50, 50), (0, 30), (None, 30), (float("nan"), 30), ("30", 30), (0.1, 1), (1000, 120)]
)
def test_the_frame_rate_is_the_environments_within_what_players_show(fps, used):
    assert render_fps(Drawing(None, fps)) == used


def test_an_environment_that_cannot_draw_is_made_all_the_same(fault_envs, monkeypatch):
    monkeypatch.syspath_prepend("tests/fault_envs")
    env, refusal = make_filmed(EnvSpec(id="Edgewise/Fault-v0", kwargs={"render_mode": "human"}))
    assert env.observation_space.shape == (1,)
    assert "no way to draw itself" in refusal


def test_an_environment_is_made_to_draw_off_screen():
    env, refusal = make_filmed(EnvSpec(id="CartPole-v1", kwargs={"max_episode_steps": 7}))
    env.reset(seed=0)
    assert refusal == ""
    assert picture_of(env).shape == (400, 600, 3)
    assert env.spec.max_episode_steps == 7
    env.close()


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((500, 500), (500, 500)),
        ((401, 601), (602, 402)),  # both sides even
        ((1440, 2560), (1280, 720)),  # scaled down to 720 high
        ((210, 160), (480, 630)),  # enlarged by a whole factor
        ((600, 100), (100, 600)),  # no room to enlarge it
        ((1, 1), (400, 400)),
    ],
)
def test_the_size_of_a_frame(shape, size):
    assert frame_size(shape) == size


def test_a_panel_shows_the_frame_and_then_words_that_change():
    panel = Panel("SB3 defaults", "baseline", (400, 600))
    frame = np.full((400, 600, 3), 255, np.uint8)
    first = panel.draw(frame, Moment(0.0, 0, False, False, 0, 1))
    later = panel.draw(frame, Moment(-1234.5, 57, False, False, 0, 1))
    ended = panel.draw(frame, Moment(-1234.5, 57, True, True, 0, 1))
    assert first.size == (panel.width, panel.height)
    assert all(side % 2 == 0 for side in first.size)
    above, below = (
        (np.asarray(p)[:400] for p in (first, later)),
        (np.asarray(p)[402:] for p in (first, later)),
    )
    assert np.array_equal(*above)
    assert not np.array_equal(*below)
    assert np.asarray(ended)[200, 300, 0] < 200, "what stands still is dimmed"


def test_every_actor_has_its_place_side_by_side():
    pictures = colours(4, size=(100, 60))
    assert side_by_side(pictures[:2]).size == (200 + GAP, 60)
    assert side_by_side(pictures[:3]).size == (300 + 2 * GAP, 60)
    assert side_by_side(pictures).size == (200 + GAP, 120 + GAP), "four in two rows"
    wide = side_by_side(colours(3, size=(1280, 820)))
    assert wide.width == 1920
    assert wide.height % 2 == 0


def test_words_that_do_not_fit_become_smaller_and_are_then_cut():
    assert fitted("short", 400, 20) == ("short", 20)
    text, size = fitted("Tuned (trial 55, median of 10 runs)", 250, 20)
    assert size < 20
    assert text.endswith("runs)")
    cut, size = fitted("x" * 80, 100, 20)
    assert cut.endswith("...")
    assert font(size).getlength(cut) <= 100
