"""The report as a colleague opens it: a file, no server, no network."""

import re

import pytest

from tests.shipped import BEST, FOURTH, SECOND
from tuning import launch
from tuning.report import build_report
from tuning.rollout import KeptTrial

MEANS = {f"trial {SECOND}": [-150.0 - i for i in range(6)], f"trial {BEST}": [-190.0 - i for i in range(6)]}
MEANS["defaults"] = [-1100.0 + i for i in range(6)]


@pytest.fixture
def file(recorded, add_reevaluation, add_rollout, tmp_path):
    add_reevaluation(recorded, MEANS)
    add_rollout(
        recorded, KeptTrial(study=recorded.id, number=FOURTH), KeptTrial(study=recorded.id, number=SECOND)
    )
    path = tmp_path / "report.html"
    path.write_text(build_report(launch.read_run(recorded)).html, encoding="utf-8")
    return path


@pytest.fixture
def open_file(chromium):
    """Open a file offline at some width; returns the page and what it asked for and complained about."""
    contexts = []

    def open_one(path, *, width):
        context = chromium.new_context(viewport={"width": width, "height": 900}, offline=True)
        contexts.append(context)
        page, seen = context.new_page(), []
        page.on("console", lambda message: seen.append(f"console: {message.type} {message.text}"))
        page.on("pageerror", lambda error: seen.append(f"error: {error.message}"))
        page.on("request", lambda r: seen.append(r.url[:300]) if not r.url.startswith("data:") else None)
        page.goto(path.as_uri())
        page.wait_for_function("document.querySelectorAll('.canvas .main-svg').length > 0")
        return page, seen

    yield open_one
    for context in contexts:
        context.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_it_opens_from_disk_without_any_request(file, open_file, width):
    page, seen = open_file(file, width=width)
    canvases = page.locator(".canvas")
    page.wait_for_function(
        "[...document.querySelectorAll('.canvas')].every(c => c.querySelector('.main-svg'))"
    )
    assert canvases.count() >= 7
    for box in [canvases.nth(i).bounding_box() for i in range(canvases.count())]:
        assert box["width"] <= width
        assert box["height"] > 150
    assert page.evaluate("document.documentElement.scrollWidth") == width  # nothing scrolls sideways
    assert seen == [file.as_uri()]


def test_its_video_plays_and_seeks(file, open_file):
    page, _ = open_file(file, width=1280)
    page.wait_for_function("document.querySelector('video').readyState === 4")
    assert page.evaluate("document.querySelector('video').duration") == pytest.approx(2.0, abs=0.2)
    page.evaluate("const v = document.querySelector('video'); v.pause(); v.currentTime = 1.5")
    page.wait_for_function("!document.querySelector('video').seeking")
    assert page.evaluate("document.querySelector('video').currentTime") == pytest.approx(1.5, abs=0.1)


def test_it_prints_on_paper(file, open_file):
    page, seen = open_file(file, width=1280)
    printed = page.pdf(format="A4", print_background=True)
    assert printed.startswith(b"%PDF")
    assert 4 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 20
    page.emulate_media(media="print")
    assert not page.locator("video").first.is_visible()
    assert page.locator("img.still").first.is_visible()
    assert seen == [file.as_uri()]


def test_an_injected_script_would_not_run(file, open_file):
    html = file.read_text(encoding="utf-8")
    file.write_text(
        html.replace("<main>", "<main><script>document.title = 'taken'</script>"), encoding="utf-8"
    )
    page, seen = open_file(file, width=1280)
    assert page.title() != "taken"
    assert any("Content Security Policy" in line for line in seen)
