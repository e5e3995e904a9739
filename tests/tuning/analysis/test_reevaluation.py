"""What a re-evaluation tells, from results made by hand."""

import dataclasses
import random
import re

import numpy as np
import pytest

from tuning.analysis.reevaluation import reevaluation_info
from tuning.reevaluation import Candidate, Reevaluation
from tuning.retraining_plan import RunResult

SEARCHED = [-131.0, -135.0, -140.0, -150.0, -152.0]
TRIALS = [17, 25, 31, 4, 9]


def question(*, n_seeds=10, defaults=True, n_trials=3, **others):
    candidates = [
        Candidate(
            key=f"trial {number}",
            kind="trial",
            name=f"Trial {number}",
            trial=number,
            resolved={},
            n_train_envs=1,
            search_value=value if others.get("maximize", True) else -value,
        )
        for number, value in zip(TRIALS[:n_trials], SEARCHED, strict=False)
    ]
    if defaults:
        named = {"kind": "defaults", "name": "SB3 defaults"}
        candidates.append(Candidate(key="defaults", resolved={}, n_train_envs=1, **named))
    asked = {
        "mode": "retrain",
        "candidates": candidates,
        "n_seeds": n_seeds,
        "n_episodes": 50,
        "n_timesteps": 20_000,
        "study_timesteps": 20_000,
        "maximize": True,
        "worst_seen": -1600.0,
    }
    return Reevaluation(**{**asked, **others})


def noise(n, seed=1):
    """Runs of mean 0 and standard deviation 1, exactly."""
    x = np.random.default_rng(seed).normal(size=n)
    return (x - x.mean()) / x.std(ddof=1) if n > 1 else x * 0


def results(asked, means, *, spread=5.0, seconds=(), broken=(), n=None):
    """By key; `broken` holds (candidate index, seed), `seconds` the time of each candidate's runs."""
    found = {}
    for i, (candidate, mean) in enumerate(zip(asked.candidates, means, strict=True)):
        for seed, x in enumerate(noise(n or asked.n_seeds, seed=10 + i)):
            key = asked.run_key(candidate, seed)
            if (i, seed) in broken:
                found[key] = RunResult(key=key, state="diverged", message="NaN")
                continue
            took = seconds[i] if seconds else 60.0
            found[key] = RunResult(key=key, state="ok", mean=float(mean + spread * x), duration_s=took)
    return found


def test_a_clear_winner_is_named_with_what_to_expect():
    asked = question()
    info = reevaluation_info(asked, results(asked, [-165.0, -200.0, -210.0, -300.0]))
    assert info.recommendation == (
        "Trial 17 is the best: each of the other 3 candidates is worse by more than chance. "
        "Expect -165, not the -131 that the search reported. SB3 defaults give -300."
    )
    assert [r.candidate.key for r in info.candidates] == ["trial 17", "trial 25", "trial 31", "defaults"]
    assert [r.rank for r in info.candidates] == [1, 2, 3, 4]
    assert [r.search_rank for r in info.candidates] == [1, 2, 3, None]
    best = info.candidates[0]
    assert info.winner is best
    assert info.tied == (best,)
    assert best.mean == info.expected == pytest.approx(-165)
    assert best.mean_interval.low == pytest.approx(-165 - 2.26216 * 5 / 10**0.5, abs=1e-3)
    assert best.shown == "IQM"
    assert best.p_best > 0.999
    assert best.p_improvement == 1.0
    assert best.p_value == pytest.approx(3 * 2 / 2**10)
    assert (best.n_pairs, best.n_runs, best.n_broken, best.collapsed) == (10, 10, 0, 0.0)
    assert info.baseline.p_improvement is info.baseline.p_value is None
    assert info.test_note == ""
    assert info.optimism == pytest.approx(((-131 + 165) + (-135 + 200) + (-140 + 210)) / 3)
    assert info.rank_correlation == pytest.approx(1)
    assert info.slope > 1
    assert "about in the right order" in info.search_worth


def test_of_those_that_cannot_be_told_apart_the_cheapest_is_recommended():
    asked = question()
    means = [-165.0, -164.5, -165.2, -300.0]
    info = reevaluation_info(asked, results(asked, means, seconds=[30.0, 60.0, 60.0, 20.0]))
    assert info.recommendation.startswith(
        "Trials 17, 25 and 31 cannot be told apart; 17 is the cheapest to train. Expect -16"
    )
    assert "that the search reported. SB3 defaults give -300. More than 100 seeds" in info.recommendation
    assert info.winner.candidate.key == "trial 17"
    assert info.winner.rank == 2
    assert info.tied[0] is info.winner
    assert info.expected <= info.winner.mean
    assert info.seeds_to_tell > 10


def test_a_little_cheaper_is_noise_and_three_runs_are_too_few_to_trade():
    asked = question()
    close = results(asked, [-165.0, -164.5, -165.2, -300.0], seconds=[58.0, 60.0, 60.0, 20.0])
    assert reevaluation_info(asked, close).winner.candidate.key == "trial 25"
    few = question(n_seeds=3)
    cheap = results(few, [-165.0, -164.5, -165.2, -300.0], seconds=[30.0, 60.0, 60.0, 20.0])
    info = reevaluation_info(few, cheap)
    assert info.winner.candidate.key == "trial 25"
    assert "25 has the best mean." in info.recommendation


def test_a_cheap_one_that_is_hardly_the_best_is_not_recommended():
    asked = question(n_seeds=5)
    info = reevaluation_info(
        asked, results(asked, [-165.0, -168.5, -190.0, -300.0], seconds=[60, 20, 60, 60])
    )
    assert [r.candidate.key for r in info.tied] == ["trial 17", "trial 25"]
    assert info.tied[1].p_best < 0.3
    assert info.winner.candidate.key == "trial 17"


def test_an_honest_number_far_below_the_mean_is_explained():
    asked = question(n_seeds=5)
    found = results(asked, [-200.0, -200.0, -200.0, -900.0])
    for seed in range(5):  # each has luck on other seeds, so that the choice is one of luck
        for i in range(3):
            key = asked.run_key(asked.candidates[i], seed)
            mean = -200.0 + 60.0 * (-1) ** ((seed * (i + 1) + i) // 2) + i
            found[key] = found[key].model_copy(update={"mean": mean})
    info = reevaluation_info(asked, found)
    mean, interval = info.winner.mean, info.winner.mean_interval
    assert mean - info.expected > (interval.high - interval.low) / 4
    said = (
        f"Expect {info.expected:.0f} (less than its mean of {mean:.0f}, which was chosen for being the best),"
    )
    assert f"{said} not the -1" in info.recommendation
    clear = reevaluation_info(asked, results(asked, [-165.0, -200.0, -210.0, -300.0]))
    assert "its mean" not in clear.recommendation


def test_one_comparison_takes_seeds():
    asked = question(n_trials=1, n_seeds=3)
    info = reevaluation_info(asked, results(asked, [-165.0, -300.0]))
    assert "can be significant: 1 comparison takes 6 seeds that both have" in info.test_note


def test_no_better_than_the_defaults():
    asked = question()
    info = reevaluation_info(asked, results(asked, [-165.0, -220.0, -210.0, -165.5]))
    assert info.recommendation.startswith(
        "Trial 17 and SB3 defaults cannot be told apart: tuning bought nothing that these runs can show. "
        "Trial 17 has the best mean. Expect -16"
    )
    info = reevaluation_info(asked, results(asked, [-265.0, -220.0, -210.0, -165.5]))
    assert info.recommendation == (
        "No trial comes near SB3 defaults: tuning bought nothing that these runs can show. Expect -166. "
        "Of the study's trials, trial 31 is ahead. Expect -210, not the -140 that the search reported."
    )
    assert info.best_trial.candidate.trial == 31
    assert info.expected_trial == pytest.approx(-210)


def test_the_best_trial_is_the_winner_where_that_is_a_trial():
    asked = question()
    info = reevaluation_info(asked, results(asked, [-165.0, -200.0, -210.0, -300.0]))
    assert info.best_trial is info.winner
    assert info.expected_trial == info.expected


def test_one_told_apart_in_spite_of_a_better_mean_is_explained():
    asked = question()
    found = results(asked, [-165.0, -190.0, -200.0, -900.0])
    for seed, x in enumerate(noise(10, seed=3)):  # the third spreads too far to be told from the first
        key = asked.run_key(asked.candidates[2], seed)
        found[key] = found[key].model_copy(update={"mean": float(-200.0 + 100.0 * x)})
    info = reevaluation_info(asked, found)
    assert [r.candidate.trial for r in info.tied] == [17, 31]
    assert info.warnings[0].startswith("Trial 25 has a better mean than trial 31, which counts as tied")
    again = reevaluation_info(asked, results(asked, [-165.0, -190.0, -200.0, -900.0]))
    assert not any("counts as tied" in said for said in again.warnings)


def test_runs_whose_worker_died_are_said_apart():
    asked = question()
    found = results(asked, [-165.0, -166.0, -167.0, -300.0], broken={(0, 3), (1, 2)})
    key = asked.run_key(asked.candidates[0], 3)
    found[key] = RunResult(key=key, state="failed", message="killed", worker_died=True)
    info = reevaluation_info(asked, found)
    by_trial = {r.candidate.trial: (r.n_broken, r.n_died) for r in info.candidates}
    assert (by_trial[17], by_trial[25]) == ((1, 1), (1, 0))
    assert info.warnings[0].startswith("Some runs broke")
    assert "because their worker died: 1 of trial 17. " in info.warnings[1]


def test_every_run_broke():
    asked = question()
    all_of_them = [(i, s) for i in range(4) for s in range(10)]
    info = reevaluation_info(asked, results(asked, [0.0] * 4, broken=all_of_them))
    assert info.recommendation == "Every run broke (40 of 40), so no candidate can be judged."
    assert info.winner is info.expected is info.optimism is info.slope is None
    assert info.tied == ()
    for r in info.candidates:
        assert (r.n_runs, r.n_broken, r.mean, r.rank, r.p_best, r.collapsed) == (
            0,
            10,
            None,
            None,
            None,
            None,
        )


def test_nothing_ended_yet():
    info = reevaluation_info(question(), {})
    assert info.recommendation == "No run has ended yet."
    assert (info.n_done, info.n_runs, info.winner, info.tied) == (0, 40, None, ())


@pytest.mark.parametrize(("n", "words"), [(1, "One run says little"), (2, "Two runs say little")])
def test_one_run_says_little(n, words):
    asked = question(n_seeds=n)
    info = reevaluation_info(asked, results(asked, [-150.0, -160.0, -170.0, -300.0]))
    assert info.recommendation.startswith(f"{words} about a candidate. Trial 17 is ahead with -150")
    assert "Expect" not in info.recommendation
    assert len(info.tied) == (4 if n == 1 else len(info.tied))
    assert all(r.iqm_interval is None for r in info.candidates)


def test_half_way_it_says_so():
    asked = question()
    found = results(asked, [-165.0, -200.0, -210.0, -300.0], n=5)
    info = reevaluation_info(asked, found)
    assert info.recommendation.startswith("After 20 of 40 runs: trial 17 is the best")
    assert (info.n_done, info.n_runs, info.n_saved) == (20, 40, 0)


def test_screening_warns_that_three_runs_hide_a_collapse():
    asked = question(n_seeds=3)
    info = reevaluation_info(asked, results(asked, [-165.0, -165.0, -210.0, -300.0]))
    assert any("With 3 runs" in w and "unseen 73 % of the time" in w for w in info.warnings)
    assert info.test_note == (
        "No paired test against SB3 defaults can be significant: 3 comparisons take 7 seeds that both have, "
        "and there are at most 3. Add seeds."
    )
    five = question(n_seeds=5)
    warned = reevaluation_info(five, results(five, [-165.0, -165.0, -210.0, -300.0])).warnings
    assert any("a collapse in one run of ten is unseen 59 % of the time" in w for w in warned)


@pytest.mark.parametrize(("n", "unseen"), [(10, "35 %"), (20, "12 %"), (21, None)])
def test_usual_numbers_of_runs_hide_a_collapse_too(n, unseen):
    asked = question(n_seeds=n)
    said = [w for w in reevaluation_info(asked, results(asked, [-165.0] * 4)).warnings if "unseen" in w]
    expected = (
        f"With {n} runs a collapse in one run of ten is unseen {unseen} of the time, and then every interval "
        "is too narrow."
    )
    assert said == ([expected] if unseen else [])


def test_the_gravest_warning_comes_first():
    asked = question()
    found = results(asked, [-165.0, -166.0, -167.0, -300.0], broken={(0, 3)})
    starts = ("Some runs broke", "Runs of trial 17", "SB3 defaults have", "With 10 runs", "Every run trained")
    said = reevaluation_info(asked, found).warnings
    assert len(said) == len(starts)
    assert all(w.startswith(start) for w, start in zip(said, starts, strict=True))
    five = question(n_seeds=5)
    assert reevaluation_info(five, results(five, [-165.0] * 4)).warnings[0].startswith("With 5 runs")


class TestLopsided:
    def warned(self, info):
        return [w for w in info.warnings if "skewed" in w]

    def with_runs(self, asked, found, place, changed):
        for seed, mean in changed.items():
            key = asked.run_key(asked.candidates[place], seed)
            found[key] = found[key].model_copy(update={"mean": mean})
        return found

    def test_an_outlier_of_one_that_is_not_the_winner_is_told(self):
        asked = question()
        found = self.with_runs(asked, results(asked, [-165.0, -166.0, -167.0, -300.0]), 1, {4: -600.0})
        info = reevaluation_info(asked, found)
        assert info.winner.candidate.key != "trial 25"
        assert self.warned(info) == [
            "Runs of trial 25 are skewed or hold an outlier: the interval of the mean is too narrow. "
            "Look at the worst run too."
        ]

    def test_several_share_a_sentence_and_a_broken_run_is_an_outlier(self):
        asked = question()
        found = results(asked, [-165.0, -166.0, -167.0, -300.0], broken={(0, 3)})
        info = reevaluation_info(asked, self.with_runs(asked, found, 2, {7: -700.0}))
        (said,) = self.warned(info)
        assert said.startswith("Runs of trials 17 and 31 are skewed or hold an outlier: the intervals of")

    def test_runs_that_spread_evenly_are_no_reason_nor_is_one_given_up(self):
        asked = question()
        assert not self.warned(reevaluation_info(asked, results(asked, [-165.0, -166.0, -167.0, -300.0])))
        raced = question(racing=True)
        found = self.with_runs(raced, results(raced, [-165.0, -166.0, -900.0, -300.0]), 2, {7: -1500.0})
        info = reevaluation_info(raced, found)
        assert next(r for r in info.candidates if r.candidate.key == "trial 31").dropped_after == 3
        assert not self.warned(info)


def test_a_broken_run_counts_as_the_worst_level_seen():
    asked = question()
    info = reevaluation_info(asked, results(asked, [-165.0, -166.0, -210.0, -300.0], broken=[(0, 3), (3, 1)]))
    by_key = {r.candidate.key: r for r in info.candidates}
    hurt = by_key["trial 17"]
    values = [x for x in hurt.returns if x is not None]
    assert (len(values), hurt.n_runs, hurt.n_broken) == (9, 9, 1)
    assert hurt.mean == pytest.approx((sum(values) - 1600) / 10)
    assert hurt.worst == min(values)
    assert hurt.collapsed == 0.1
    assert info.candidates[0].candidate.key == "trial 25"
    assert info.broken_level == -1600
    assert any(
        w.startswith("Some runs broke (failed or diverged): 1 of 10 of SB3 defaults and 1 of 10 of trial 17.")
        or w.startswith(
            "Some runs broke (failed or diverged): 1 of 10 of trial 17 and 1 of 10 of SB3 defaults."
        )
        for w in info.warnings
    )


def test_a_run_worse_than_any_of_the_search_sets_the_level():
    asked = question(worst_seen=-250.0)
    info = reevaluation_info(asked, results(asked, [-165.0, -166.0, -210.0, -300.0], broken=[(0, 3)]))
    assert info.broken_level == min(x for r in info.candidates for x in r.returns if x is not None)


def test_collapsed_runs_end_short_of_half_of_the_way():
    asked = question(reward_threshold=-170.0)
    found = results(asked, [-165.0, -200.0, -210.0, -300.0])
    for seed in (2, 7):
        key = asked.run_key(asked.candidates[1], seed)
        found[key] = RunResult(key=key, state="ok", mean=-1500.0, duration_s=1.0)
    info = reevaluation_info(asked, found)
    by_key = {r.candidate.key: r for r in info.candidates}
    assert info.collapse_level == pytest.approx((-1600 + by_key["trial 17"].median) / 2)
    assert [by_key[k].collapsed for k in ("trial 17", "trial 25", "defaults")] == [0.0, 0.2, 0.0]
    assert by_key["trial 17"].solved == np.mean([x >= -170 for x in by_key["trial 17"].returns])
    assert by_key["defaults"].solved == 0
    plain = reevaluation_info(question(worst_seen=None), found)
    assert plain.collapse_level is None
    assert {r.collapsed for r in plain.candidates} == {None}
    assert {r.solved for r in plain.candidates} == {None}


def test_mean_and_interquartile_mean_may_disagree_and_then_it_says_so():
    asked = question()
    found = results(asked, [-150.0, -165.0, -210.0, -300.0])
    key = asked.run_key(asked.candidates[0], 4)
    found[key] = RunResult(key=key, state="ok", mean=-1500.0, duration_s=1.0)
    info = reevaluation_info(asked, found)
    assert info.candidates[0].candidate.key == "trial 25"
    assert any(
        w.startswith("The IQM puts trial 17 first (-1") and "the mean trial 25" in w for w in info.warnings
    )
    calm = reevaluation_info(asked, results(asked, [-150.0, -165.0, -210.0, -300.0]))
    assert not any("IQM" in w for w in calm.warnings)


def test_less_is_better_mirrors_everything():
    asked, less = question(racing=True), question(racing=True, maximize=False, worst_seen=1600.0)
    found = results(asked, [-165.0, -166.0, -210.0, -300.0], broken=[(1, 2)])
    negated = {
        key: r if r.mean is None else r.model_copy(update={"mean": -r.mean}) for key, r in found.items()
    }
    one, other = reevaluation_info(asked, found), reevaluation_info(less, negated)
    assert other.expected == pytest.approx(-one.expected)
    assert other.optimism == pytest.approx(one.optimism)
    assert (other.slope, other.rank_correlation) == pytest.approx((one.slope, one.rank_correlation))
    assert (other.broken_level, other.n_saved) == (-one.broken_level, one.n_saved)
    for a, b in zip(one.candidates, other.candidates, strict=True):
        assert (a.candidate.key, a.rank, a.is_tied, a.dropped_after) == (
            b.candidate.key, b.rank, b.is_tied, b.dropped_after,
        )  # fmt: skip
        assert (a.p_best, a.p_value, a.p_improvement, a.collapsed) == (
            b.p_best, b.p_value, b.p_improvement, b.collapsed,
        )  # fmt: skip
        mirrored = [a.mean, a.iqm, a.median, a.worst, a.tenth_percentile, a.mean_interval.low]
        assert mirrored == pytest.approx(
            [-b.mean, -b.iqm, -b.median, -b.worst, -b.tenth_percentile, -b.mean_interval.high]
        )


def test_the_same_results_give_the_same_answer_in_any_order():
    asked = question(n_trials=5, racing=True)
    found = results(asked, [-165.0, -166.0, -168.0, -200.0, -170.0, -300.0])
    turned = list(asked.candidates)
    random.Random(3).shuffle(turned)
    other = asked.model_copy(update={"candidates": tuple(turned)})
    keys = list(found)
    random.Random(4).shuffle(keys)
    one = reevaluation_info(asked, found)
    assert one == reevaluation_info(asked, found)
    assert dataclasses.replace(reevaluation_info(other, {k: found[k] for k in keys}), question=asked) == one


def test_what_racing_gave_up_ranks_last_and_is_counted_as_saved():
    asked = question(racing=True)
    found = results(asked, [-165.0, -166.0, -400.0, -300.0])
    lost = asked.candidates[2]
    some = {k: r for k, r in found.items() if k not in {asked.run_key(lost, s) for s in range(3, 10)}}
    info = reevaluation_info(asked, some)
    by_key = {r.candidate.key: r for r in info.candidates}
    assert by_key["trial 31"].dropped_after == 3
    assert by_key["defaults"].dropped_after == 7
    assert (info.n_saved, info.n_done, info.n_runs) == (7, 33, 40)
    assert not info.recommendation.startswith("After")
    assert not by_key["trial 31"].is_tied
    assert by_key["trial 31"].p_value is None
    assert by_key["trial 17"].p_value is not None


def test_one_given_up_that_is_ahead_after_all_is_named():
    asked = question(racing=True, defaults=False)
    returns = {
        "trial 17": [
            -165.0,
            -167.0,
            -163.0,
            *[-1000.0] * 7,
        ],  # well at first, then worse than the one given up
        "trial 25": [-300.0, -302.0, -299.0, *[-300.0] * 7],
        "trial 31": [-166.0, -163.0, -166.0, *[-1001.0] * 7],
    }
    found = {}
    for candidate in asked.candidates:
        for seed, mean in enumerate(returns[candidate.key]):
            key = asked.run_key(candidate, seed)
            found[key] = RunResult(key=key, state="ok", mean=mean, duration_s=60.0)
    info = reevaluation_info(asked, found)
    assert info.candidates[-1].candidate.key == "trial 25"
    assert info.winner.candidate.key != "trial 25"
    assert any(w.startswith("Trial 25 would be ahead") for w in info.warnings)
    assert info.search_worth.endswith("its first, Trial 17, is now number 1 of 3."), "not behind the given up"
    assert info.rank_correlation == pytest.approx(1 / 3)
    less = asked.model_copy(update={"maximize": False, "worst_seen": 1600.0})
    mirrored = {key: r.model_copy(update={"mean": -(r.mean or 0.0)}) for key, r in found.items()}
    order = [r.candidate.key for r in reevaluation_info(less, mirrored).candidates]
    assert order == [r.candidate.key for r in info.candidates]


def test_equal_means_have_no_order():
    asked = question(defaults=False)
    info = reevaluation_info(asked, results(asked, [-165.0, -165.0, -165.0], spread=0.0))
    assert info.rank_correlation is None
    assert info.search_worth == ""


def test_another_budget_is_not_compared_with_the_searchs_value():
    asked = question(n_timesteps=40_000)
    info = reevaluation_info(asked, results(asked, [-120.0, -200.0, -210.0, -300.0]))
    assert (
        "Expect -120 with 40\u202f000 steps; the search reported -131 with 20\u202f000 steps."
        in info.recommendation
    )
    assert info.optimism is None
    assert info.rank_correlation == pytest.approx(1)
    assert any("At another budget the order may differ." in w for w in info.warnings)


def test_results_of_something_else_do_not_count():
    asked = question()
    found = results(asked, [-165.0, -200.0, -210.0, -300.0])
    more = {**found, "trial 99, seed 0": RunResult(key="trial 99, seed 0", state="ok", mean=1e9)}
    assert reevaluation_info(asked, more) == reevaluation_info(asked, found)


def test_a_single_candidate():
    asked = question(n_trials=1, defaults=False)
    info = reevaluation_info(asked, results(asked, [-165.0]))
    assert info.recommendation == (
        "Trial 17 was measured alone, so there is nothing to compare it with. "
        "Expect -165, not the -131 that the search reported."
    )
    assert info.test_note == "There is no baseline to test against."
    assert info.baseline is None
    assert info.winner.p_improvement is None


def test_equal_runs_everywhere():
    asked = question(worst_seen=None)
    info = reevaluation_info(asked, results(asked, [500.0] * 4, spread=0.0))
    assert all(r.is_tied for r in info.candidates)
    assert info.expected == 500
    assert info.slope == 0
    assert info.seeds_to_tell is None


class TestWeights:
    """The mode in which one trained agent plays: its episodes are the unit."""

    def info(self, means=(-165.0, -200.0, -210.0), n=50):
        asked = question(mode="weights", n_seeds=1, defaults=False, reward_threshold=-160.0)
        found = {}
        for i, (candidate, mean) in enumerate(zip(asked.candidates, means, strict=True)):
            key, episodes = asked.run_key(candidate, 0), tuple(mean + 20 * noise(n, seed=i))
            found[key] = RunResult(
                key=key, state="ok", mean=float(np.mean(episodes)), returns=episodes, duration_s=9.0 - i
            )
        return reevaluation_info(asked, found)

    def test_episodes_are_the_unit(self):
        info = self.info()
        best = info.candidates[0]
        assert (best.n_runs, len(best.returns), info.n_runs, info.n_done) == (50, 50, 3, 3)
        assert best.mean_interval.high - best.mean == pytest.approx(2.00958 * 20 / 50**0.5, abs=1e-3)
        assert best.solved == np.mean([x >= -160 for x in best.returns])

    def test_there_is_no_talk_of_pairs_collapse_or_time(self):
        info = self.info()
        for r in info.candidates:
            assert (r.p_value, r.n_pairs, r.collapsed, r.seconds) == (None, 0, None, None)
        assert info.test_note.startswith("Only training runs are tested")
        assert not any("collapse" in w or "steps" in w for w in info.warnings)

    def test_it_says_that_agents_are_judged(self):
        info = self.info()
        assert info.recommendation == (
            "The trained agent of trial 17 is the best: each of the other 2 candidates is worse by more than "
            "chance. Expect -165, not the -131 that the search reported."
        )
        assert any(w.startswith("One trained agent of each candidate was judged") for w in info.warnings)
        tied = self.info((-165.0, -164.5, -300.0))
        assert tied.recommendation.startswith(
            "The trained agents of trials 17 and 25 cannot be told apart; that of 25 has the best mean."
        )
        close = self.info((-165.0, -168.0, -300.0)).recommendation
        assert re.search(r"About \d+ episodes would be needed to tell the best two apart\.$", close)

    def test_many_episodes_are_no_burden(self):
        info = self.info(n=3000)
        assert info.candidates[0].iqm_interval.low < -165 < info.candidates[0].iqm_interval.high
