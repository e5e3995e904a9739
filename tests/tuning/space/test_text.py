"""A search space alone, as YAML and back."""

import pytest

from tuning.algorithms import algorithm, algorithm_names
from tuning.space.text import parse_space, space_to_yaml
from tuning.spec import SpecError, build_spec


@pytest.mark.parametrize("name", algorithm_names())
def test_every_preset_survives(name):
    for preset in algorithm(name).presets:
        found = parse_space(space_to_yaml(preset.space, preset.fixed, algorithm=name))
        assert (found.space, found.fixed, found.algorithm) == (preset.space, preset.fixed, name)


def test_a_whole_spec_and_a_bare_list_are_read():
    spec = build_spec({"env": {"id": "X-v0"}, "search_space": "starter", "hyperparameters": {"vf_coef": 0.4}})
    found = parse_space(spec.to_yaml())
    assert (found.space, found.fixed) == (spec.search_space, {"vf_coef": 0.4})
    bare = parse_space("- {name: gamma, kind: float, low: 9e-1, high: 0.99, why: because}")
    assert [(p.name, p.low) for p in bare.space] == [("gamma", 0.9)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "There is no search space in it"),
        ("search_space: starter", "There is no search space in it"),
        ("[1]", "Parameter 1 must be a mapping with a name: received 1."),
        ("- {name: gamma, kind: float, low: 1, high: 0}", "Parameter 1: `low` of gamma must be below `high`"),
        ("- {name: gamma}", "Parameter 1: `kind`"),
        ("- &a {name: gamma}\n- *a", "The text uses a YAML alias"),
        ("!!python/object/apply:os.system ['true']", "The text uses a YAML tag"),
        ("[" * 50, "The text is nested more than"),
        ("- {name: g, kind: float, low: 0, high: 1, nope: 1}", "Parameter 1: `nope`"),
        (
            "{search_space: [{name: g, kind: float, low: 0, high: 1}], hyperparameters: 3}",
            "`hyperparameters`",
        ),
        ("x" * 300_000, "The text is longer than"),
    ],
)
def test_what_is_no_space_is_refused_in_words(text, said):
    with pytest.raises(SpecError) as error:
        parse_space(text)
    assert error.value.faults[0].startswith(said)
