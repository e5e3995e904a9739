"""The search space of another study, as far as an algorithm can take it."""

from pages.components.space_copy import copied_space, fitting
from tuning.algorithms import algorithm
from tuning.launch import read_run
from tuning.opening import open_study

PPO, A2C = algorithm("PPO"), algorithm("A2C")


def test_what_an_algorithm_lacks_is_left_out_and_said():
    fixed = {"n_epochs": 4, "vf_coef": 0.5}
    found = fitting(PPO.preset("rl-zoo").space, fixed, A2C, source="PPO")
    assert "batch_size" not in {p.target for p in found.space}
    assert found.fixed == {"vf_coef": 0.5}
    assert found.notes == (
        "Left out, as A2C does not have it: batch_size_pow, clip_range and n_epochs.",
        "It was made for PPO: look whether the ranges suit A2C.",
    )


def test_a_study_that_is_not_ours_is_read_from_its_trials(tmp_path, runs, write_study):
    folder = open_study(write_study(tmp_path / "study.log", "theirs"), "theirs", runs)
    run = read_run(folder)
    declared = {name for trial in run.study.trials for name in trial.distributions}
    found = copied_space(run, PPO)
    assert found.space
    assert {p.name for p in found.space} <= declared
    assert all(p.target in PPO.arguments for p in found.space)
