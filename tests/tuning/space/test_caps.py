"""Bounds that depend on another value."""

import pytest

from tuning.algorithms import algorithm
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


DQN = algorithm("DQN").arguments
TQC = algorithm("TQC").arguments


def test_faulty_caps_are_explained():
    freq = whole("train_freq", at_most="gradient_steps")
    assert cap_faults([freq], DQN, {}) == []
    assert "names a itself" in cap_faults([whole("a", at_most="a")], DQN, {})[0]
    assert "neither a parameter" in cap_faults([whole("a", at_most="b")], DQN, {})[0]
    words = Parameter(name="b", kind="categorical", choices=("tanh", "relu"))
    assert "is no whole number" in cap_faults([whole("a", at_most="b"), words], DQN, {})[0]
    with pytest.raises(ValueError, match="caps a number"):
        Parameter(name="n", kind="categorical", choices=(1, 2), at_most="b")


@pytest.mark.parametrize("name", ["learning_rate", "activation_fn", "net_arch", "gamma"])
def test_only_a_whole_number_caps_one(name):
    space = [whole("train_freq", at_most=name)]
    assert cap_faults(space, DQN, {}) == [
        f"`at_most` of train_freq names {name}, which is no whole number. Remove it."
    ]
    if name == "learning_rate":
        rate = Parameter(name=name, kind="float", low=1e-4, high=1e-2)
        assert cap_faults([*space, rate], DQN, {}) == cap_faults(space, DQN, {})


def test_a_cap_stays_within_the_limits_of_what_it_caps():
    dropped = whole("top_quantiles_to_drop_per_net", 5, at_most="n_quantiles - 20")
    quantiles = whole("n_quantiles", 20, target="policy_kwargs.n_quantiles")
    assert cap_faults([dropped], TQC, {}) == []  # 25 by default
    assert cap_faults([dropped], TQC, {"policy_kwargs.n_quantiles": 10}) == [
        "`at_most` of top_quantiles_to_drop_per_net lowers it to -10 where n_quantiles is 10, and "
        "`top_quantiles_to_drop_per_net` must be at least 0. Raise the lowest n_quantiles, or subtract less."
    ]
    assert "lowers it to -19" in cap_faults([dropped, quantiles], TQC, {})[0]


def test_real_numbers_may_cap_each_other():
    last = Parameter(
        name="exploration_final_eps", kind="float", low=0, high=1, at_most="exploration_initial_eps"
    )
    assert cap_faults([last], DQN, {"exploration_initial_eps": 0.5}) == []
