from dataclasses import replace

import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import create_trial

from pages.components.verdict_evidence import evidence_frame, sentences
from tuning.analysis import verdict_words
from tuning.analysis.saturation import saturation_info
from tuning.analysis.verdicts import Verdict


@pytest.fixture(scope="module")
def judged():
    """One judged parameter, to be changed into others."""
    one = {"rate": FloatDistribution(0.0, 1.0)}
    trials = [
        create_trial(params={"rate": i * 0.618034 % 1}, distributions=one, value=float(i % 7))
        for i in range(40)
    ]
    for number, trial in enumerate(trials):
        trial.number = number
    return saturation_info(trials, maximize=True)


@pytest.fixture
def info(judged):
    """An info of parameters given as (name, verdict, side, confidence); `missing` where there are too few."""

    def make(*parameters, missing=18):
        made = tuple(
            replace(
                judged.parameters[0],
                name=name,
                verdict=verdict,
                side=side,
                confidence=confidence,
                missing=missing if verdict == Verdict.NOT_ENOUGH else 0,
            )
            for name, verdict, side, confidence in parameters
        )
        return replace(judged, parameters=made)

    return make


RATE = ("learning_rate", Verdict.EDGE, "high", "confident")
GAMMA = ("gamma", Verdict.EDGE, "low", "confident")
LIKELY = ("ent_coef", Verdict.EDGE, "high", "likely")
FINE = ("steps", Verdict.FINE, None, None)
WATCH = ("clip", Verdict.WATCH, "high", None)
HERDED = ("batch", Verdict.HERDED, "low", None)
FEW = ("depth", Verdict.NOT_ENOUGH, None, None)
WIDE = ("vf", Verdict.TOO_WIDE, None, None)
BREAKS = ("norm", Verdict.STABILITY, "high", None)


@pytest.mark.parametrize(
    ("parameters", "answer", "label", "word"),
    [
        (
            [RATE, GAMMA, FINE, WATCH],
            "Two of four ranges are too narrow: learning_rate above, gamma below.",
            "Too narrow: learning_rate, gamma",
            "Too narrow",
        ),
        (
            [RATE, LIKELY, FINE],
            "Two of three ranges are too narrow: learning_rate above, ent_coef probably above.",
            "Too narrow: learning_rate",
            "Too narrow",
        ),
        (
            [LIKELY, FINE],
            "One of two ranges is probably too narrow: ent_coef above.",
            "Probably too narrow: ent_coef",
            "Narrow?",
        ),
        ([RATE], "The range is too narrow: learning_rate above.", "Too narrow: learning_rate", "Too narrow"),
        (
            [BREAKS, FINE],
            "No range is too narrow, but training breaks beside the best values of norm.",
            "Training breaks: norm",
            "Breaks",
        ),
        (
            [WATCH, HERDED, FINE],
            "No range is shown to be too narrow; the trials cannot tell for clip, batch.",
            "Watch: clip",
            "Watch",
        ),
        (
            [HERDED],
            "No range is shown to be too narrow; the trials cannot tell for batch.",
            None,
            "Unexplored",
        ),
        (
            [FEW, FEW],
            "Not enough evidence yet: run at least 18 more trials.",
            "Not enough trials yet",
            "Few trials",
        ),
        (
            [FEW, FINE],
            "No range is shown to be too narrow; there are not enough trials of depth yet.",
            "Not enough trials yet",
            "Few trials",
        ),
        (
            [WIDE, FINE],
            "No: nothing says that either range is too narrow. vf could be narrower.",
            "Ranges fine",
            "Fine",
        ),
        ([FINE], "No: nothing says that the range is too narrow.", "Ranges fine", "Fine"),
    ],
)
def test_the_study_in_a_sentence_a_badge_and_a_word(info, parameters, answer, label, word):
    made = info(*parameters)
    assert verdict_words.answer(made) == answer
    assert verdict_words.study_label(made) == (label or "Unexplored: batch")
    assert verdict_words.study_word(made) == word


def test_a_badge_names_two_and_cuts_long_names(info):
    names = ["a" * 60, "b", "c", "d"]
    label = verdict_words.study_label(info(*[(n, *RATE[1:]) for n in names]))
    assert label == f"Too narrow: {'a' * 27}…, b and 2 more"


def test_nothing_that_varies_has_no_words(judged):
    nothing = replace(judged, parameters=())
    assert verdict_words.answer(nothing) is None
    assert verdict_words.study_label(nothing) is None
    assert verdict_words.study_word(nothing) == ""


def test_every_verdict_has_a_label_of_its_own_and_a_colour(info):
    made = info(*[("x", verdict, "high", "likely") for verdict in Verdict])
    assert len({verdict_words.label(p) for p in made.parameters}) == len(Verdict)
    assert all(verdict_words.colour(p) for p in made.parameters)


def test_the_evidence_is_counted_at_both_ends(judged):
    (p,) = judged.parameters
    table = evidence_frame(p)
    assert list(table.columns) == ["Lower, 0", "Upper, 1"]
    high = p.evidence.high
    assert table.loc["Best trials in the edge zone", "Upper, 1"] == f"{high.n_top} of {p.evidence.n_top}"
    assert table.loc["Belief that the optimum lies beyond", "Upper, 1"] == f"{high.belief:.0%}"


def test_what_is_not_known_is_said_to_be_unknown(judged):
    (p,) = judged.parameters
    unknown = replace(p.evidence.low, belief=None, model=None)
    blank = replace(p, evidence=replace(p.evidence, p_effect=None, swing=None, low=unknown, high=unknown))
    assert set(evidence_frame(blank).loc["Belief that the optimum lies beyond"]) == {"not known"}
    (sentence,) = sentences(blank)
    assert sentence == "Whether rate has any effect cannot be told from 40 trials yet."


def test_breaking_at_an_end_is_explained(judged):
    (p,) = judged.parameters
    breaking = replace(p.evidence.high, p_infeasible=0.0001)
    said = sentences(replace(p, evidence=replace(p.evidence, high=breaking)))
    assert "Training breaks more often in the upper quarter than elsewhere" in said[-1]
    assert "less than 1 time in 1000" in said[-1]
