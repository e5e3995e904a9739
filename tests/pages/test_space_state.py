"""Undo and redo, without a page."""

import json

import pandas as pd

from pages.components.space_state import MAX_STEPS, EditHistory, Snapshot, change_words


def at(*names, fixed="", algorithm="PPO", low=0.1):
    rows = tuple(json.dumps({"name": name, "low": low}) for name in names)
    return Snapshot(rows, fixed, algorithm, pd.DataFrame())


def test_there_and_back():
    history = EditHistory().recorded(at("a")).recorded(at("a", "b")).recorded(at("b"))
    back = history.undone()
    assert (back.present, back.undone().present) == (at("a", "b"), at("a"))
    assert back.undone().undone() == back.undone()
    assert back.undone().redone().redone() == history
    assert history.redone() == history


def test_a_change_forgets_what_was_undone_and_the_same_again_does_not():
    back = EditHistory().recorded(at("a")).recorded(at("b")).undone()
    assert back.recorded(at("a")).future == (at("b"),)
    assert back.recorded(at("c")) == EditHistory((at("a"),), at("c"))


def test_it_remembers_only_so_much():
    history = EditHistory()
    for number in range(MAX_STEPS + 50):
        history = history.recorded(at(f"p{number}"))
    assert len(history.past) == MAX_STEPS


def test_a_change_in_words():
    assert change_words(at("a"), at("a", "b")) == "b added"
    assert change_words(at("a", "b"), at("b", low=0.2)) == "a removed; b changed"
    assert change_words(at("a"), at("a", fixed="x: 1")) == "fixed hyperparameters changed"
    assert change_words(at("a"), at("a", algorithm="SAC")) == "PPO to SAC"
    assert change_words(at("a", "b"), at("b", "a")) == "the order of the rows"
