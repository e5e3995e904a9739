"""The guide's pictures: what they compute, and that each draws in both themes."""

import numpy as np
import pytest

from tuning.guide import budgets, concentration, evaluation_noise, pictures, pruning, scales
from tuning.guide.recorded import BudgetTable, budget_table, example_returns


def test_a_linear_scale_spends_a_tenth_on_the_lower_of_two_decades():
    info = scales.scales_info(n=1000)
    assert info.middle == pytest.approx(3e-4)
    assert info.share_below(info.linear) == pytest.approx(1 / 11, abs=0.03)
    assert info.share_below(info.log) == pytest.approx(0.5, abs=0.05)
    assert all(3e-5 <= v <= 3e-3 for v in info.linear + info.log)
    assert scales.scales_info() == scales.scales_info()


def test_the_noise_of_an_evaluation_falls_with_the_root_of_its_episodes():
    returns = np.array([-100.0, -300.0] * 50)
    info = evaluation_noise.noise_info("agent", returns)
    assert info.mean == -200
    assert info.standard_error(1) == pytest.approx(returns.std(ddof=1))
    for n, values in zip(info.sizes, info.evaluations, strict=True):
        assert np.std(values) == pytest.approx(info.standard_error(n), rel=0.2)
        assert all(-300 <= v <= -100 for v in values)


def test_the_shown_agent_really_played_its_episodes():
    key, returns = example_returns()
    assert key.startswith("trial ")
    assert len(returns) >= 30
    assert np.isfinite(returns).all()


def test_late_trials_concentrate_in_the_recorded_study():
    info = pictures.concentration()
    assert (info.low, info.high, info.log) == (3e-5, 3e-3, True)
    assert info.low < info.usual[0] < info.usual[1] < info.high
    assert len(info.good) < len(info.others)
    assert not {number for number, _ in info.good} & {number for number, _ in info.others}


def curves():
    """Twenty trainings: ten that rise late and end best, ten that start well and stand still."""
    early = [[5.0, 5.0, 5.0, 5.0]] * 10
    late = [[0.0, 1.0, 6.0, 9.0]] * 10
    return np.array(early + late)


def test_pruning_at_once_loses_those_that_rise_late():
    marks = (100, 200, 300, 400)
    at_once = pruning.pruning_info(curves(), marks, warmup_fraction=0.0)
    assert (at_once.n_cut, at_once.best, at_once.kept) == (10, 10, 0)
    assert at_once.lost == 4.0
    assert at_once.saved_share == pytest.approx(10 * 300 / (20 * 400))
    patient = pruning.pruning_info(curves(), marks, warmup_fraction=0.75)
    assert (patient.n_cut, patient.lost, patient.saved_share) == (0, 0.0, 0.0)


def test_nothing_is_cut_before_the_start_up_trials_are_complete():
    info = pruning.pruning_info(curves()[::-1], (1, 2, 3, 4), warmup_fraction=0.0, n_startup=15)
    assert all(t.cut is None for t in info.trainings[:15])
    assert info.trainings[15].cut == 2, "the late ones are better from the third evaluation on"


def test_pruning_the_recorded_trainings_early_saves_more():
    shares = [pictures.pruning(w).saved_share for w in (0.0, 1 / 3, 0.5)]
    assert shares[0] > shares[1] > shares[2] > 0


def test_budgets_judge_winners_by_what_they_reach_in_the_end():
    means = np.array([[9.0, 0.0, 0.0, 1.0], [1.0, 2.0, 5.0, 7.0]] * 10)  # the first kind only starts well
    table = BudgetTable("env", "PPO", 10, (5, 10, 20, 40), means)
    info = budgets.budgets_info(table, n_long=4)
    shortest, *_, longest = info.choices
    assert (shortest.n_trials, shortest.n_timesteps, shortest.seen, shortest.whole) == (32, 5, 9.0, 1.0)
    assert (longest.n_trials, longest.n_timesteps, longest.seen, longest.whole) == (4, 40, 7.0, 7.0)
    assert info.all_steps == 160


def test_the_recorded_table_has_every_evaluation_of_many_trainings():
    table = budget_table()
    assert table.means.shape == (len(table.means), len(table.marks))
    assert len(table.means) >= 96
    assert np.isfinite(table.means).all()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_each_picture_draws(theme):
    figures = [
        scales.scales_figure(pictures.scales(), theme=theme),
        evaluation_noise.noise_figure(pictures.noise(), theme=theme),
        concentration.concentration_figure(pictures.concentration(), theme=theme),
        pruning.pruning_figure(pictures.pruning(0.0), theme=theme),
        pruning.pruning_figure(pictures.pruning(1 / 3), theme=theme),
        budgets.budgets_figure(pictures.budgets(), theme=theme),
    ]
    for figure in figures:
        assert figure.layout.title.text
        assert all(len(trace.x) for trace in figure.data)
