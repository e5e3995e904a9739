"""The parameter reference says of every algorithm what its data file says."""

import pytest

from tuning.algorithms import algorithm, algorithm_names
from tuning.guide.reference import reference_rows


@pytest.mark.parametrize("name", algorithm_names())
def test_every_argument_has_a_row_and_says_what_it_does(name):
    known = algorithm(name)
    rows = reference_rows(known)
    assert sorted(row.name for row in rows) == sorted(known.arguments)
    assert all(row.about.endswith(".") for row in rows)
    assert {row.name for row in rows if row.searched} == {
        p.target for preset in known.presets for p in preset.space if p.target in known.arguments
    }


def test_rows_of_ppo_read_as_people_write():
    rows = {row.name: row for row in reference_rows(algorithm("PPO"))}
    assert rows["learning_rate"].searched == "3e-5 … 0.003, log scale (Starter)"
    assert rows["n_steps"].searched == "32 … 4096, powers of 2 (Starter)"
    assert rows["gamma"].limits == "at least 0 and below 1"
    assert rows["target_kl"].default == "none"
    assert rows["target_kl"].searched == ""
    assert rows["learning_rate"].default == "0.0003"
