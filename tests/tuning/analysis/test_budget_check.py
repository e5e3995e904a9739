"""The answer to "do I need tuning at all", on made-up results."""

import numpy as np
import pytest

from tuning.analysis.budget_check import FEW_STEPS, Answer, budget_check_info
from tuning.analysis.budget_check_figure import budget_check_figure
from tuning.budget_check import BudgetCheck
from tuning.retraining_plan import RunResult


def question(*, threshold=None, maximize=True, steps=10_000):
    return BudgetCheck(
        env={"id": "Some-v0"},
        algorithm="PPO",
        policy="MlpPolicy",
        n_train_envs=1,
        n_timesteps=steps,
        n_eval_episodes=5,
        maximize=maximize,
        reward_threshold=threshold,
    )


def judged(once, twice, four_times, *, threshold=None, maximize=True, steps=10_000):
    """Judge three seeds of each budget: a return, "diverged", "failed", or None for a run that is missing."""
    asked = question(threshold=threshold, maximize=maximize, steps=steps)
    results = {}
    for factor, values in ((1, once), (2, twice), (4, four_times)):
        for seed, value in enumerate(values):
            key = asked.key(factor, seed)
            if isinstance(value, str):
                results[key] = RunResult(key=key, state=value, message="boom")
            elif value is not None:
                results[key] = RunResult(key=key, state="ok", mean=value, timesteps=steps * factor)
    return budget_check_info(asked, results)


def plain(info):
    return info.sentence.replace("\u202f", " ")


LOW, MIDDLE, HIGH = [-1120.0, -1150.0, -1100.0], [-700.0, -650.0, -720.0], [-180.0, -190.0, -170.0]


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("budgets", "answer", "longer"),
    [
        ((LOW, MIDDLE, HIGH), Answer.LONGER, 4),
        ((LOW, HIGH, HIGH), Answer.LONGER, 2),
        ((LOW, LOW, LOW), Answer.TUNING, None),
        ((LOW, LOW, [-1080.0, -1090.0, -1060.0]), Answer.TUNING, None),  # all gain, but hardly anything
        ((HIGH, MIDDLE, LOW), Answer.TUNING, None),
        ((LOW, LOW, [-1120.0, -180.0, -1100.0]), Answer.UNCLEAR, None),
        ((LOW, LOW, [-1000.0, -1149.0, -200.0]), Answer.UNCLEAR, None),  # all gain, less than seeds differ by
    ],
)
def test_the_answer_goes_by_gains_that_all_seeds_share(budgets, answer, longer, sign):
    info = judged(*([sign * v for v in values] for values in budgets), maximize=sign == 1)
    assert (info.answer, info.longer) == (answer, longer)


@pytest.mark.parametrize("value", [0.0, 50.0, -200.0])
def test_a_tie_stands(value):
    info = judged(*[[value] * 3] * 3)
    assert info.answer == Answer.TUNING
    assert f"stand at {value:g} even with 4 times the steps (3 seeds, all {value:g})" in plain(info)


def test_sentences_say_numbers_seeds_and_what_they_mean():
    assert plain(judged(LOW, MIDDLE, HIGH)) == (
        "Train longer: with 4 times the steps the defaults reach -180 (3 seeds, -190 to -170) instead of "
        "-1 120, and still rise."
    )
    assert plain(judged(LOW, HIGH, HIGH)).endswith("and gain little more with 4 times.")
    stands = judged(LOW, LOW, LOW)
    assert plain(stands) == (
        "Tuning is worth it: the defaults stand at -1 120 even with 4 times the steps "
        "(3 seeds, -1 150 to -1 100)."
    )
    assert "Nobody has said which return solves this environment" in stands.details[0]
    assert plain(judged(HIGH, MIDDLE, LOW)).startswith(
        "Tuning is worth it: longer training makes the defaults worse, from -180 to -1 120"
    )
    down = judged(*([-v for v in values] for values in (LOW, MIDDLE, HIGH)), maximize=False)
    assert plain(down).endswith("and still fall.")


@pytest.mark.parametrize(
    ("budgets", "answer", "longer", "said"),
    [
        (([487.0, 470.0, 500.0],) * 3, Answer.SOLVED, None, "The defaults solve it already: 487, and 475"),
        (([480.0, 106.0, 500.0],) * 3, Answer.SOLVED, None, "(2 of 3 seeds get there, 106 to 500)"),
        (([475.0] * 3,) * 3, Answer.SOLVED, None, "475, and 475 counts as solved"),
        (([100.0] * 3, [487.0] * 3, [500.0] * 3), Answer.LONGER, 2, "with 2 times the steps the defaults"),
        (([100.0] * 3, [90.0] * 3, [500.0] * 3), Answer.LONGER, 4, "reach 500, and 475 counts as solved"),
        (([487.0] * 3, [100.0] * 3, [90.0] * 3), Answer.SOLVED, None, "solve it already"),
    ],
)
def test_what_counts_as_solved_comes_first(budgets, answer, longer, said):
    info = judged(*budgets, threshold=475.0)
    assert (info.answer, info.longer) == (answer, longer)
    assert said in plain(info)


@pytest.mark.parametrize("low", [(LOW, LOW, LOW), (HIGH, MIDDLE, LOW)])
def test_a_level_after_few_steps_is_no_reason_to_tune(low):
    info = judged(*low, steps=FEW_STEPS // 4 - 1, threshold=475.0)
    assert info.answer == Answer.UNCLEAR
    assert plain(info) == (
        "Too short to tell: the defaults stand at -1 120 with 4 times the steps (3 seeds, -1 150 to -1 100), "
        "and 9 996 steps are few. Try 10 times the steps of a trial."
    )
    assert info.details == ("475 counts as solved.",)
    assert judged(*low, steps=FEW_STEPS // 4).answer == Answer.TUNING


def test_seeds_that_differ_after_few_steps_are_no_reason_to_tune_either():
    apart = LOW, LOW, [-1120.0, -180.0, -1100.0]
    assert "itself a reason to tune" in judged(*apart).details[0]
    few = judged(*apart, steps=500).details
    assert [said.replace("\u202f", " ") for said in few] == [
        "2 000 steps are few: try 10 times the steps of a trial first."
    ]


def test_a_gain_after_few_steps_is_one():
    assert judged(LOW, MIDDLE, HIGH, steps=500).answer == Answer.LONGER


def test_a_threshold_of_zero_is_one_and_sets_no_scale():
    assert judged([0.0] * 3, [0.0] * 3, [0.0] * 3, threshold=0.0).answer == Answer.SOLVED


def test_what_counts_as_solved_tells_how_large_a_gain_is():
    near_zero = [1.0, 3.0, 2.0], [2.0, 1.0, 3.0], [4.0, 2.0, 5.0]
    assert judged(*near_zero).answer == Answer.UNCLEAR
    assert judged(*near_zero, threshold=200.0).answer == Answer.TUNING


def test_before_the_last_run_there_is_no_answer():
    info = judged(LOW, MIDDLE, [-180.0, -190.0, None], threshold=-200.0)
    assert (info.answer, info.sentence) == (
        Answer.NOT_YET,
        "8 of 9 runs are done: the answer comes with the last one.",
    )
    assert info.baseline == (4, -185.0)
    assert judged([None] * 3, [None] * 3, [None] * 3).baseline is None


def test_runs_that_break_are_the_answer_where_they_are_many():
    diverged = judged(LOW, LOW, ["diverged", "diverged", -1000.0])
    assert diverged.answer == Answer.TUNING
    assert "2 of the 3 runs with 4 times the steps diverged" in diverged.sentence
    failed = judged(["failed"] * 3, ["failed"] * 3, ["failed"] * 3, threshold=475.0)
    assert failed.answer == Answer.UNCLEAR
    assert "3 of the 3 runs with once the steps failed" in failed.sentence
    assert "Of the 9 runs 9 failed; they count for nothing." in failed.details


def test_a_single_run_that_broke_is_said_and_left_out():
    info = judged(LOW, MIDDLE, [-180.0, "diverged", -170.0])
    assert info.answer == Answer.LONGER
    assert "(2 seeds, -180 to -170)" in plain(info)
    assert info.details == ("Of the 9 runs 1 diverged; they count for nothing.",)
    apart = judged(["failed", -1.0, -1.0], LOW, [-1.0, -1.0, "diverged"])
    assert apart.answer == Answer.UNCLEAR


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_figure_shows_each_run_the_medians_and_what_counts_as_solved(theme):
    figure = budget_check_figure(judged(LOW, ["failed"] * 3, HIGH, threshold=-150.0), theme=theme)
    runs, middles, solved = figure.data
    assert list(runs.x) == [10_000] * 3 + [40_000] * 3
    assert list(runs.y) == [*LOW, *HIGH]
    assert (list(middles.x), list(middles.y)) == ([10_000, 40_000], [-1120.0, -180.0])
    assert solved.name == "counts as solved: -150"
    assert figure.layout.shapes[0].x0 == 10_000


def test_without_a_value_the_figure_says_so():
    figure = budget_check_figure(judged(["failed"] * 3, [None] * 3, [None] * 3))
    assert not figure.data
    assert "No run has ended with a value yet" in figure.layout.annotations[0].text


@pytest.mark.parametrize("shared", [0.0, 0.5])  # share of a seed's luck that it has with each budget
@pytest.mark.parametrize("spread", [0.05, 0.1, 0.3, 1.0])  # of the seeds, as a share of the return
def test_where_more_steps_change_nothing_chance_alone_seldom_looks_like_a_gain(spread, shared):
    rng = np.random.default_rng(1)
    answers = []
    for _ in range(500):
        luck = rng.normal(0, spread * np.sqrt(shared), 3)
        own = rng.normal(0, spread * np.sqrt(1 - shared), (3, 3))
        answers.append(judged(*(100 * (1 + luck + own)).tolist()).answer)
    assert answers.count(Answer.LONGER) <= 0.06 * len(answers)
