import dataclasses
import re
import subprocess
import sys

import plotly.graph_objects as go
import pytest

from tuning.analysis.look import base_layout, blend, empty_figure, palette, selected_trial

TEXT_ROLES = (
    "accent",
    "best",
    "pruned",
    "failed",
    "running",
    "baseline",
    "text",
    "muted",
    "watch",
    "fine",
    "edge_confident",
)


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first, second):
    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("role", TEXT_ROLES)
def test_colours_that_carry_text_can_be_read(theme, role):
    colours = palette(theme)
    assert contrast(getattr(colours, role), colours.background) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_role_has_a_colour(theme):
    for field in dataclasses.fields(palette(theme)):
        assert re.fullmatch(r"#[0-9A-F]{6}|rgba\([\d,.]+\)", getattr(palette(theme), field.name))


def test_an_unknown_theme_is_light():
    assert palette("sepia") == palette("light") != palette("dark")


def test_blend():
    assert blend("#000000", "#FFFFFF", 0) == "#000000"
    assert blend("#000000", "#FF0000", 1) == "#FF0000"
    assert blend("#000000", "#FFFFFF", 0.5) == "#808080"


def test_a_long_title_is_broken_and_makes_room():
    short = base_layout(go.Figure(), theme="light", title="short")
    long = base_layout(go.Figure(), theme="light", title="a long title " * 8, subtitle="and more words " * 8)
    assert long.layout.title.text.count("<br>") >= 4
    assert long.layout.margin.t > short.layout.margin.t + 60


def test_an_empty_figure_keeps_its_title_and_says_why():
    figure = empty_figure(theme="dark", title="Best so far", why="No trial <yet>.")
    assert "Best so far" in figure.layout.title.text
    assert figure.layout.annotations[0].text == "No trial &lt;yet&gt;."


@pytest.mark.parametrize(
    ("points", "number"),
    [
        ([], None),
        ([{}], None),
        ([{"customdata": 7}], 7),
        ([{"customdata": [7]}], 7),
        ([{"customdata": []}, {"customdata": 3.0}], 3),
        ([{"customdata": "text"}, {"customdata": None}], None),
    ],
)
def test_a_clicked_point_names_its_trial(points, number):
    assert selected_trial(points) == number


def test_the_words_cost_no_plotly():
    code = "import sys, tuning.analysis.look, tuning.analysis.summary; sys.exit('plotly' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
