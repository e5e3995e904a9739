"""What is proposed for an argument is a range that can be searched, around what is known."""

import pytest

from tuning.algorithms import Argument, algorithm, algorithm_names
from tuning.space.proposal import proposals, propose
from tuning.space.strips import Strip, range_info
from tuning.spec import build_spec

PPO = algorithm("PPO")


@pytest.mark.parametrize("name", algorithm_names())
def test_every_proposal_can_be_searched_and_drawn(name):
    known = algorithm(name)
    found = proposals(known, [])
    assert len(found) >= len(known.arguments) - 1  # what depends on the task alone has none
    for proposal in found:
        policy = (proposal.argument.policies or known.policies)[0]
        row = proposal.parameter.model_dump()
        spec = {"env": {"id": "X-v0"}, "algorithm": name, "policy": policy, "search_space": [row]}
        assert build_spec({**spec, "n_train_envs": 2}).search_space == (proposal.parameter,)
        assert proposal.why.endswith(".")
        info = range_info(proposal.parameter, proposal.argument)
        if isinstance(info, Strip):
            assert 0 < info.low.place < info.high.place < 1


def test_what_is_searched_or_fixed_is_not_proposed():
    space = PPO.preset("starter").space
    names = {p.argument.name for p in proposals(PPO, space, ("vf_coef",))}
    assert names.isdisjoint({"n_steps", "gamma", "learning_rate", "policy_kwargs.activation_fn", "vf_coef"})
    assert {"clip_range", "ent_coef", "policy_kwargs.net_arch"} <= names


def test_a_preset_is_better_than_a_rule():
    proposal = propose(PPO, PPO.arguments["gae_lambda"])
    assert proposal.parameter in PPO.preset("rl-zoo").space
    assert proposal.why == "As RL Zoo searches it."


@pytest.mark.parametrize(
    ("argument", "resolved", "scale"),
    [
        (Argument("lr", "float", 3e-4, "", low=0, open_low=True), "3e-5 … 0.003", "log"),
        (Argument("size", "int", 256, "", low=1), "32 … 2048", "powers of 2"),
        (Argument("decay", "float", 0.99, "", low=0, high=1, open_high=True), "0.9 … 0.999", "log of 1 - x"),
        (Argument("many", "int", 10_000, "", low=1), "1000 … 100000", "log"),
        (Argument("few", "int", 10, "", low=1), "3 … 40", "linear"),
        (Argument("share", "float", 0.1, "", low=0, high=1), "0 … 0.4", "linear"),
        (Argument("std", "float", -3, ""), "-5 … -1", "linear"),
        (Argument("off", "float", None, "", low=0), "0.01 … 1", "log"),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_a_rule_for_each_kind_of_number(argument, resolved, scale):
    parameter = propose(PPO, argument).parameter
    assert parameter.resolved_range() == resolved
    assert range_info(parameter, argument).scale == scale
