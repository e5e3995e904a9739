"""Ranges as strips: each on its own axis, with the default and the natural limits where they belong."""

import math

import pytest

from tuning.algorithms import algorithm
from tuning.space.parameters import Parameter
from tuning.space.strips import Chips, range_info, reasons

PPO = algorithm("PPO")
A2C = algorithm("A2C")


def info_of(known, **row):
    parameter = Parameter(**row)
    return range_info(parameter, known.arguments.get(parameter.target))


def part(info, tick):
    """Return where a mark lies between the bounds, 0 to 1."""
    return (tick.place - info.low.place) / (info.high.place - info.low.place)


def test_a_log_axis_puts_the_default_between_its_decades():
    info = info_of(PPO, name="learning_rate", kind="float", low=3e-5, high=3e-3, log=True)
    assert (info.low.label, info.high.label, info.default.label) == ("3e-5", "0.003", "default 0.0003")
    assert part(info, info.default) == pytest.approx(0.5)
    assert info.limits == ()


def test_powers_of_two_are_evenly_spaced():
    info = info_of(PPO, name="n_steps_pow", kind="int", low=5, high=12, transform="2^x")
    assert (info.low.label, info.high.label, info.argument) == ("32", "4096", "n_steps")
    steps = [b - a for a, b in zip(info.ticks, info.ticks[1:], strict=False)]
    assert len(info.ticks) == 8
    assert max(steps) == pytest.approx(min(steps))
    assert part(info, info.default) == pytest.approx(6 / 7)  # 2048


def test_one_minus_x_grows_to_the_right_and_is_denser_towards_one():
    row = {"name": "one_minus_gamma", "kind": "float", "low": 1e-4, "high": 0.1, "log": True}
    info = info_of(PPO, **row, transform="1 - x")
    assert (info.low.label, info.high.label, info.scale) == ("0.9", "0.9999", "log of 1 - x")
    assert part(info, info.default) == pytest.approx(1 / 3)  # 0.99


def test_a_limit_at_the_bound_or_near_it_shares_its_label():
    at = info_of(A2C, name="gae_lambda", kind="float", low=0.8, high=1.0)
    assert at.high.label == "1 · limit"
    near = info_of(PPO, name="gamma", kind="float", low=0.97, high=0.9999)
    assert near.high.label == "0.9999 · limit 1"
    assert near.limits[-1].place > near.high.place
    apart = info_of(PPO, name="gamma", kind="float", low=0.9, high=0.94)
    assert (apart.high.label, [tick.label for tick in apart.limits]) == ("0.94", [])


def test_what_an_axis_cannot_hold_is_said():
    zero = info_of(PPO, name="ent_coef", kind="float", low=1e-8, high=0.1, log=True)
    assert (zero.default, zero.note) == (None, "default 0, which a log axis never reaches")
    unset = info_of(PPO, name="target_kl", kind="float", low=0.01, high=1, log=True)
    assert (unset.default, unset.note) == (None, "default none")
    far = info_of(PPO, name="clip_range", kind="float", low=0.9, high=1.0)
    assert (far.default, far.note) == (None, "default 0.2, far outside")


def test_a_default_just_outside_is_drawn_outside():
    info = info_of(PPO, name="clip_range", kind="float", low=0.25, high=0.4)
    assert 0 < info.default.place < info.low.place


def test_choices_are_chips_and_name_the_default():
    nets = info_of(PPO, name="net_arch", kind="categorical", choices=("tiny", "small"), transform="net_arch")
    assert nets == Chips("net_arch", "net_arch", (("tiny [64]", False), ("small [64, 64]", True)))
    clips = info_of(PPO, name="clip_range", kind="categorical", choices=(0.1, 0.3))
    assert (clips.choices, clips.note) == (
        (("0.1", False), ("0.3", False)),
        "default 0.2, not among them",
    )


def test_an_unknown_argument_has_a_range_all_the_same():
    info = range_info(Parameter(name="mystery", kind="float", low=-2, high=3), None)
    assert (info.low.label, info.high.label, info.default) == ("-2", "3", None)
    assert all(math.isfinite(tick) for tick in info.ticks)


def test_a_reason_is_the_presets_and_says_which_range_it_means():
    sac = algorithm("SAC")
    rate = next(p for p in sac.preset("starter").space if p.name == "learning_rate")
    moved = rate.model_copy(update={"high": 1.0})
    why = sac.preset("starter").why["learning_rate"]
    assert reasons([rate], sac.presets, sac.arguments) == {"learning_rate": why}
    assert reasons([moved], sac.presets, sac.arguments)["learning_rate"] == f"Starter, 0.0001 … 0.003: {why}"
    kl = Parameter(name="target_kl", kind="float", low=0.01, high=1)
    assert reasons([kl], (), PPO.arguments) == {"target_kl": PPO.arguments["target_kl"].about}
