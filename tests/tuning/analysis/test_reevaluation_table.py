"""The table of candidates, the table of runs, and their CSV."""

import io

import pandas as pd

from tuning.analysis.reevaluation_table import candidates_frame, runs_frame
from tuning.analysis.table import trials_csv

RUNS = {"trial 7": [1.0, None, 2.0], "trial 3": [10.0, 11.0, 12.0], "defaults": [0.0, 0.5, 0.2]}


def test_the_best_comes_first_with_its_numbers(reevaluated):
    info = reevaluated(RUNS, searched={"trial 3": 9.0, "trial 7": 20.0})
    frame = candidates_frame(info)
    assert frame["candidate"].iloc[0] == "Trial 3"
    first = frame.iloc[0]
    assert (first["rank"], first["verdict"], first["runs"], first["mean"]) == (1, "recommended", 3, 11.0)
    assert first["mean_low"] < 11.0 < first["mean_high"]
    assert (first["search_value"], first["search_rank"]) == (9.0, 2)
    broke = frame.set_index("candidate").loc["Trial 7"]
    assert (broke["runs"], broke["broken"]) == (2, 1)


def test_every_run_is_a_cell_and_a_broken_one_is_empty(reevaluated):
    frame = runs_frame(reevaluated(RUNS))
    assert list(frame["seed"]) == [1, 2, 3]
    assert frame["Trial 3"].tolist() == [10.0, 11.0, 12.0]
    assert frame["Trial 7"].isna().tolist() == [False, True, False]


def test_episodes_are_called_episodes_and_equal_names_stay_apart(reevaluated):
    names = dict.fromkeys(("trial 1", "trial 2"), "Same")
    info = reevaluated({"trial 1": [1.0, 2.0], "trial 2": [3.0, 4.0]}, mode="weights", names=names)
    frame = runs_frame(info)
    assert list(frame.columns) == ["episode", "Same", "Same "]


def test_nothing_done_is_a_table_without_numbers(reevaluated):
    info = reevaluated({"trial 1": [], "trial 2": []})
    assert candidates_frame(info)["mean"].isna().all()
    assert len(candidates_frame(info)) == 2


def test_a_name_starts_no_formula_in_the_csv(reevaluated):
    info = reevaluated({"trial 1": [1.5]}, names={"trial 1": "=HYPERLINK(1)"})
    for frame in (candidates_frame(info), runs_frame(info)):
        text = trials_csv(frame)
        assert "'=HYPERLINK" in text
        back = pd.read_csv(io.StringIO(text))
        assert len(back) == len(frame)


def test_below_three_runs_the_best_is_only_ahead(reevaluated):
    two = {"trial 3": [10.0, 11.0], "trial 7": [1.0, 2.0]}
    assert candidates_frame(reevaluated(two))["verdict"].iloc[0] == "ahead so far"
    three = {key: [*values, values[0]] for key, values in two.items()}
    assert candidates_frame(reevaluated(three))["verdict"].iloc[0] == "recommended"
    episodes = reevaluated(two, mode="weights")
    assert candidates_frame(episodes)["verdict"].iloc[0] == "recommended", "an episode is no training run"
