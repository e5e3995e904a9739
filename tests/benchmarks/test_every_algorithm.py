"""What the nightly command asks for, and that a preset which SB3 refuses is found."""

import pytest

from benchmarks.every_algorithm import SAMPLERS, fitting, table
from benchmarks.preset_models import preset_faults, suitable_env
from tuning.algorithms import algorithm, algorithm_names
from tuning.space.parameters import Parameter
from tuning.spec import StudySpec, build_spec

N_CONFIGURATIONS = 5  # of a preset; the command builds fifty


@pytest.mark.parametrize("name", algorithm_names())
def test_sb3_takes_what_the_presets_propose(name):
    for preset in algorithm(name).presets:
        assert preset_faults(name, preset, n=N_CONFIGURATIONS) == []


def test_what_sb3_refuses_is_reported(monkeypatch):
    monkeypatch.setattr("benchmarks.preset_models.preset_spec", with_short_rollouts)
    faults = preset_faults("PPO", algorithm("PPO").preset("starter"), n=20)
    assert 2 <= len(faults) <= 38
    assert all(fault.startswith("PPO starter on ") and "AssertionError" in fault for fault in faults)


def with_short_rollouts(name, preset, env_id):
    """Return a request that no spec would pass: rollouts of a single step, which PPO cannot normalise."""
    spec = build_spec({"env": {"id": env_id}, "algorithm": name, "search_space": preset.name})
    space = tuple(p for p in spec.search_space if p.target != "n_steps")
    row = Parameter(name="n_steps", kind="int", low=1, high=2)
    return spec.model_copy(update={"search_space": (*space, row)})


def test_every_pair_is_a_study_and_what_was_changed_for_it_is_said():
    changed = set()
    for name in algorithm_names():
        for sampler in SAMPLERS:
            spec, note = fitting(name, sampler, n_trials=3, n_timesteps=100)
            assert isinstance(spec, StudySpec), f"{name} with {sampler}: {spec}"
            assert (spec.sampler.name, spec.env.id) == (sampler, suitable_env(algorithm(name)))
            if note:
                changed.add(sampler)
                assert name in note
    assert changed == {"cmaes", "brute_force", "nsga2"}


def test_the_table_has_a_row_for_each_algorithm():
    cells = {
        ("A", "tpe"): "3",
        ("A", "gp"): "2 of 3 (3 ended): done",
        ("B", "tpe"): "3",
        ("B", "gp"): "3 (1)",
    }
    assert table(["A", "B"], ["tpe", "gp"], cells).splitlines() == [
        "| | tpe | gp |",
        "|---|---:|---:|",
        "| A | 3 | 2 of 3 (3 ended): done |",
        "| B | 3 | 3 (1) |",
    ]
