"""Which study continues which, whatever became of the other one."""

import json

import pytest
from optuna.trial import create_trial

from storage.trials import IMPORTED_FROM, IMPORTED_TRIAL
from tuning import launch
from tuning.continuation import continuation
from tuning.lineage import ancestors, children, parent_of, trial_home
from tuning.spec import build_spec
from tuning.widen import widened_spec

SPEC = build_spec(
    {
        "name": "first",
        "env": {"id": "Pendulum-v1"},
        "search_space": "learning-rate-only",
        "defaults_first": False,
        "tuned_first": False,
    }
)


def child_of(folder, root, high=1.0):
    run = launch.read_run(folder)
    wide = widened_spec(run.spec, {"learning_rate": (3e-5, high)})
    return launch.create_study(
        wide, root, continues=continuation(folder.id, run.spec, run.study.trials, wide)
    )


@pytest.fixture
def line(runs_dir):
    """Grandparent, parent, child."""
    first = launch.create_study(SPEC, runs_dir)
    second = child_of(first, runs_dir, 1e-1)
    return first, second, child_of(second, runs_dir, 1.0)


def test_a_child_remembers_its_parent_and_what_changed(line):
    first, second, third = line
    parent = parent_of(second)
    assert (parent.id, parent.name, parent.folder, parent.n_imported) == (first.id, "first", first, 0)
    assert parent.changed == "learning_rate up to 0.1"
    assert parent_of(first) is None
    assert [p.id for p in ancestors(third)] == [second.id, first.id]
    assert (children(first), children(second), children(third)) == ((second,), (third,), ())


def test_a_deleted_parent_is_remembered(line):
    first, second, third = line
    launch.delete(second)
    (parent,) = ancestors(third)
    assert (parent.id, parent.folder) == (second.id, None)
    assert parent.changed == "learning_rate up to 1"
    assert children(first) == ()


def test_two_children_are_listed_newest_first(line, runs_dir):
    first, second, _ = line
    other = child_of(first, runs_dir)
    assert set(children(first)) == {second, other}


def test_a_circle_ends(line):
    first, second, third = line
    first.parent.write_text(json.dumps({"id": third.id}))
    assert [p.id for p in ancestors(third)] == [second.id, first.id]
    first.parent.write_text(json.dumps({"id": first.id}))
    assert parent_of(first) is None


@pytest.mark.parametrize(
    "record",
    [
        "",
        "[]",
        "{}",
        '{"id": 5}',
        '{"id": "../../etc"}',
        '{"id": "x", "name": 5, "changes": {"a": 1}, "n_imported": -3, "created_at": "now"}',
        '{"id": "x", "changes": [1, null, {}, {"name": "a"}, {"name": "a", "before": {}, "after": 5}]}',
        "{" * 10_000,
    ],
)
def test_a_damaged_record_is_no_trouble(line, record):
    first, _, _ = line
    first.parent.write_text(record)
    parent = parent_of(first)
    if parent is not None:
        assert (parent.id, parent.folder, parent.changes, parent.n_imported) == ("x", None, (), 0)
    assert children(first)


def imported_trial(study, number):
    made = create_trial(value=1.0, user_attrs={IMPORTED_FROM: study, IMPORTED_TRIAL: number})
    made.number = 3
    return made


def test_an_imported_trial_lives_where_it_ran(line):
    first, _, third = line
    home = trial_home(third, imported_trial(first.id, 17))
    assert (home.study, home.folder, home.number) == (first.id, first, 17)
    own = create_trial(value=1.0)
    own.number = 3
    assert trial_home(third, own).folder == third
    assert trial_home(third, own).number == 3
    launch.delete(first)
    assert trial_home(third, imported_trial(first.id, 17)).folder is None


@pytest.mark.parametrize("study", ["../../etc", "", "x/y", "nobody-0000"])
def test_a_forged_home_leads_nowhere(line, study):
    assert trial_home(line[2], imported_trial(study, 1)).folder is None
