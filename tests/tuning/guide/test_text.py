"""The guide's words are there, and name pages that exist."""

from pathlib import Path

import pytest

from tuning.guide.text import part, troubles

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("name", ["start", "space", "objective", "sampler", "pruner", "launch", "credits"])
def test_each_part_has_words(name):
    assert len(part(name)) > 100


def test_every_trouble_has_a_sign_a_remedy_and_pages_that_exist():
    found = troubles()
    assert len({t.title for t in found}) == len(found) == 6
    for trouble in found:
        assert trouble.sign
        assert trouble.remedy
        assert trouble.pages
        for page in trouble.pages:
            assert (ROOT / "pages" / f"{page}.py").is_file()
