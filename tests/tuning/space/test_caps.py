"""Bounds that depend on another value."""

import pytest

from tuning.space.caps import cap_faults, capped
from tuning.space.parameters import Parameter


def whole(name, high=8, **fields):
    return Parameter(name=name, kind="int", low=1, high=high, **fields)


def test_a_value_above_its_cap_is_lowered_to_it_and_the_range_stays():
    space = [whole("train_freq", 10), whole("subsample_steps", at_most="train_freq")]
    assert capped(space, {"train_freq": 3, "subsample_steps": 7}, {}.get) == {"subsample_steps": 3}
    assert capped(space, {"train_freq": 9, "subsample_steps": 7}, {}.get) == {"subsample_steps": 7}
    assert space[1].distribution().high == 8


def test_a_cap_may_lie_below_the_other_value_and_name_an_argument():
    space = [whole("dropped", at_most="n_quantiles - 1")]
    assert capped(space, {"dropped": 5}, {"n_quantiles": 5}.get) == {"dropped": 4}
    assert capped(space, {"dropped": 5}, {}.get) == {"dropped": 5}  # nothing is known of it


def test_a_cap_that_is_capped_itself():
    space = [whole("a", at_most="b"), whole("b", at_most="c"), whole("c")]
    assert capped(space, {"a": 8, "b": 7, "c": 2}, {}.get) == {"a": 2, "b": 2}


def test_faulty_caps_are_explained():
    names = {"gamma": None}
    assert cap_faults([whole("a", at_most="gamma")], names) == []
    assert "names a itself" in cap_faults([whole("a", at_most="a")], names)[0]
    assert "neither a parameter" in cap_faults([whole("a", at_most="b")], names)[0]
    words = Parameter(name="b", kind="categorical", choices=("tanh", "relu"))
    assert "is no number" in cap_faults([whole("a", at_most="b"), words], names)[0]
    with pytest.raises(ValueError, match="caps a number"):
        Parameter(name="n", kind="categorical", choices=(1, 2), at_most="b")
