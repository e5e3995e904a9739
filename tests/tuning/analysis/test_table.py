import csv
import io

import pandas as pd
import pytest
from optuna.distributions import CategoricalDistribution, IntDistribution
from optuna.trial import TrialState

from tuning.analysis.table import readable_seconds, trials_csv, trials_frame

FIXED = ["number", "rank", "state", "value", "second", "second_unit", "last_report"]
LAST = ["duration_s", "started", "last_std", "error", "baseline", "proposed_by", "retry_of"]
LAST += ["origin", "trained_by"]


def test_no_trials_have_the_columns():
    frame = trials_frame([], maximize=True)
    assert list(frame.columns) == FIXED + LAST
    assert trials_csv(frame).strip() == ",".join(FIXED + LAST)


def test_a_row_for_each_trial(trial):
    evaluations = {"evaluations": [{"timesteps": 1, "mean": 2.0, "std": 0.5}], "baseline": "SB3 defaults"}
    trials = [
        trial(1, attrs={"failure": {"kind": "killed", "message": "boom\nmore"}, "retry_of": 0}),
        trial(0, -2.0, params={"n_steps_pow": 7}, attrs=evaluations, reports={1: -3.0}, start_s=0, end_s=2.5),
        trial(2, reports={4: -9.0}, params={"activation_fn": "tanh"}, attrs={"diverged": "NaN"}),
        trial(3, state=TrialState.RUNNING, params={"n_steps_pow": 9}),
    ]
    frame = trials_frame(trials, maximize=True, is_running=False)
    assert list(frame.columns) == [*FIXED, "param_n_steps_pow", "param_activation_fn", *LAST]
    assert frame["number"].tolist() == [0, 1, 2, 3]
    assert frame["state"].tolist() == ["complete", "killed", "diverged", "interrupted"]
    assert frame["error"].tolist() == ["", "boom", "NaN", ""]
    assert frame["param_n_steps_pow"].tolist() == [7, pd.NA, pd.NA, 9]
    assert frame.loc[2, "param_activation_fn"] == "tanh"
    assert frame["retry_of"].tolist() == [pd.NA, 0, pd.NA, pd.NA]
    first = frame.iloc[0]
    assert (first["value"], first["last_report"], first["duration_s"], first["last_std"]) == (
        -2.0,
        -3.0,
        2.5,
        0.5,
    )
    assert (first["baseline"], first["started"]) == ("SB3 defaults", pd.Timestamp("2025-03-01 10:00:00"))


def test_each_trial_says_who_trained_it(trial):
    records = [{"name": "fast"}, {"name": "sb3", "reason": "gSDE"}, None, "somebody"]
    trials = [trial(i, 1.0, attrs={"trainer": record} if record else {}) for i, record in enumerate(records)]
    frame = trials_frame(trials, maximize=True)
    assert frame["trained_by"].tolist() == ["fast kernels", "Stable-Baselines3 (gSDE)", "", ""]
    rows = csv.DictReader(io.StringIO(trials_csv(frame)))
    assert [row["trained_by"] for row in rows] == frame["trained_by"].tolist()


@pytest.mark.parametrize(
    ("second", "unit"), [("training_time", "s"), ("steps_to_threshold", "env steps"), (None, "")]
)
def test_a_second_objective_has_its_unit(trial, second, unit):
    frame = trials_frame([trial(0, 1.0, attrs={"second": 2.5}), trial(1, 1.0)], maximize=True, second=second)
    assert frame["second_unit"].tolist() == [unit, ""]


@pytest.mark.parametrize(
    ("seconds", "read"), [(0.4962, 0.5), (0.034, 0.034), (4.26, 4.3), (9.96, 10), (45.4, 45), (1234.6, 1235)]
)
def test_seconds_of_short_trials_keep_two_digits(seconds, read):
    assert readable_seconds(seconds) == read


def test_no_duration_stays_none(trial):
    frame = trials_frame([trial(0, state=TrialState.RUNNING)], maximize=True)
    assert frame["duration_s"].map(readable_seconds).isna().all()


@pytest.mark.parametrize(("maximize", "ranks"), [(True, [3, 1, 1, pd.NA]), (False, [1, 2, 2, pd.NA])])
def test_ties_share_a_rank(trial, maximize, ranks):
    trials = [trial(0, -5.0), trial(1, -1.0), trial(2, -1.0), trial(3, float("inf"))]
    assert trials_frame(trials, maximize=maximize)["rank"].tolist() == ranks


def test_mixed_choices_are_text_and_numeric_choices_numbers(trial, foreign):
    frame = trials_frame(foreign, maximize=True)
    assert frame["param_mixed"].tolist()[:2] == ["0.25", "a"]
    space = {"batch": CategoricalDistribution([64, 128])}
    numeric = trials_frame([trial(0, 1.0, params={"batch": 64}, space=space)], maximize=True)
    assert numeric["param_batch"].dtype == "float64"


def test_a_spreadsheet_finds_no_formula(trial):
    space = {"=cmd()": CategoricalDistribution(["=1+1", "@x", " +1", "safe"]), "n": IntDistribution(-5, 5)}
    bad = ["-2", "\t=1", "=HYPERLINK(1)"]
    trials = [
        trial(
            i,
            -1.5,
            params={"=cmd()": choice, "n": -3},
            space=space,
            attrs={"baseline": bad[i % 3]},
        )
        for i, choice in enumerate(space["=cmd()"].choices)
    ]
    trials.append(trial(9, attrs={"failure": {"kind": "error", "message": "+cmd|' /C calc'!A0"}}))
    frame = trials_frame(trials, maximize=True)
    rows = list(csv.DictReader(io.StringIO(trials_csv(frame))))
    assert [row["param_=cmd()"] for row in rows] == ["'=1+1", "'@x", "' +1", "safe", ""]
    assert [row["baseline"] for row in rows[:3]] == ["'-2", "'\t=1", "'=HYPERLINK(1)"]
    assert rows[4]["error"].startswith("'+cmd")
    assert (rows[0]["value"], rows[0]["param_n"]) == ("-1.5", "-3")
    assert frame.loc[0, "param_=cmd()"] == "=1+1"
