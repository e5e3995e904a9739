import pytest

from tuning.analysis.words import age, count, duration, safe, three_digits, whole, wrapped


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (-183.4, "-183"),
        (0.00123, "0.00123"),
        (3e-5, "3e-5"),
        (0.0003, "3e-4"),
        (12345, "12\u202f345"),
        (0.9995, "0.9995"),
        (0.99951234, "0.99951"),
        (0.975, "0.975"),
        (1 - 1e-16, "1"),
        (0.9999999999, "1"),
        (0, "0"),
        (-0.0, "0"),
        (2.0, "2"),
        (999.9, "1\u202f000"),
        (9.999, "10"),
        (200.0, "200"),
        (1.5e12, "1.5e12"),
        (9.9999e-4, "0.001"),
        (float("nan"), "–"),  # noqa: RUF001 - the dash that stands for no number
        (float("inf"), "∞"),
        (float("-inf"), "-∞"),
    ],
)
def test_three_digits(x, words):
    assert three_digits(x) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
        (180, "3 min"),
        (45.4, "45 s"),
        (59.7, "1 min"),
        (4.21, "4.2 s"),
        (0.354, "0.35 s"),
        (0, "0 s"),
        (-3, "0 s"),
        (90000, "1 d 1 h"),
        (float("nan"), "–"),  # noqa: RUF001
    ],
)
def test_duration(seconds, words):
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (2, "just now"),
        (-9, "just now"),
        (40, "40 s ago"),
        (61, "1 min ago"),
        (7300, "2 h ago"),
        (2e5, "2 d ago"),
    ],
)
def test_age(seconds, words):
    assert age(seconds) == words


def test_counts_have_thin_separators_and_a_plural():
    assert whole(40000) == "40\u202f000"
    assert (count(1, "trial"), count(0, "trial"), count(1200, "trial")) == (
        "1 trial",
        "0 trials",
        "1\u202f200 trials",
    )


def test_foreign_text_is_one_short_line_without_markup_or_templates():
    assert safe("<script>&") == "&lt;script&gt;&amp;"
    assert safe("%{x}") == "&#37;{x}"
    assert safe("a\n<br>\tb\x00") == "a &lt;br&gt; b"
    assert safe("x" * 50, 10) == "x" * 9 + "…"
    assert safe('it\'s "quoted"') == 'it\'s "quoted"'


def test_a_cut_never_splits_an_entity():
    assert safe("<" * 10, 4) == "&lt;&lt;&lt;…"


def test_text_is_broken_between_words():
    assert wrapped("one two three", 7) == "one two<br>three"
