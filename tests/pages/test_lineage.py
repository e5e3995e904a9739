"""A study that continues another: what is counted, what is drawn, and where imported trials lead."""

import json
import time

import numpy as np
import optuna
import pytest

from pages.components import lineage_line
from pages.components.study_table import study_frame, study_row
from storage.artifacts import pinned_trials, save_policy
from storage.journal import STUDY_NAME, open_journal
from storage.trials import IMPORTED_TRIAL, RESOLVED, imported
from tuning import launch
from tuning.continuation import continuation
from tuning.space.resolve import resolve_configuration
from tuning.widen import widened_spec

PAGE = "pages/history.py"


def figure(app, place=0):
    return json.loads(app.get("plotly_chart")[place].proto.spec)


def traces(app, place=0):
    return {trace.get("name", ""): trace for trace in figure(app, place)["data"]}


def plain(text):
    return text.replace("\\", "")


@pytest.fixture
def parent(make_study):
    """Values -1000 to -700, a pruned and a failed trial."""
    return make_study("pendulum")


@pytest.fixture
def make_child(runs):
    """Continue a study, and run this many trials of its own, from -690 upward by 20."""

    def make(parent, n_own=2):
        run = launch.read_run(parent)
        spec = widened_spec(run.spec, {"learning_rate": (3e-5, 3e-2)})
        found = continuation(parent.id, run.spec, run.study.trials, spec)
        folder = launch.create_study(spec, runs, continues=found)
        study = optuna.load_study(study_name=STUDY_NAME, storage=open_journal(folder.journal))
        for index in range(n_own):
            trial = study.ask()
            params = {p.name: p.suggest(trial) for p in spec.search_space}
            trial.set_user_attr(RESOLVED, resolve_configuration(spec, params))
            study.tell(trial, -690.0 + 20 * index)
        return folder

    return make


@pytest.fixture
def child(parent, make_child):
    return make_child(parent)


def test_history_counts_only_own_trials_and_says_what_was_imported(open_page, parent, child, shown):
    text = plain(shown(open_page(PAGE, study=child.id)))
    assert (
        f"Best so far: -670 (trial 7, trial 2 of {parent.id} again) after 2 trials of its own; "
        "and it is the newest. Best of the imported: -700 (trial 3)." in text
    )
    for words in ("2 of 5 trials", "2 complete", "1 waiting", "6 imported"):
        assert words in text
    assert "1 pruned" not in text
    assert "failed" not in text


def test_the_parent_is_drawn_when_asked_for(open_page, child):
    app = open_page(PAGE, study=child.id)
    again = "best of the parent, again"
    assert traces(app).keys() >= {again, "best so far"}
    assert "imported" not in traces(app)
    assert traces(app)[again]["x"] == [6, 7]
    app.toggle(key="parent").set_value(True).run()
    assert traces(app)["imported"]["x"] == [0, 1, 2, 3]
    assert traces(app)[again]["x"] == [0, 1]
    assert traces(app)[again]["customdata"] == [6, 7]
    app = open_page(PAGE, study=child.id, parent="true")
    assert "imported, best so far" in traces(app)


def test_a_study_that_continues_nothing_has_no_such_toggle(open_page, parent):
    app = open_page(PAGE, study=parent.id)
    assert "parent" not in [toggle.key for toggle in app.toggle]
    assert "Continue" not in " ".join(link.label for link in links(app))


def links(app):
    return [link.proto for link in app.get("page_link")]


def test_lineage_links_both_ways(open_page, parent, child):
    (link,) = (li for li in links(open_page(PAGE, study=child.id)) if "Continues" in li.label)
    assert plain(link.label) == f"Continues {parent.id} (learning_rate up to 0.03)"
    assert parent.id in link.query_string
    for page in (PAGE, "pages/live.py"):
        (link,) = (li for li in links(open_page(page, study=parent.id)) if "Continued by" in li.label)
        assert child.id in link.query_string
    assert any("Continues" in li.label for li in links(open_page("pages/live.py", study=child.id)))


@pytest.mark.parametrize("page", ["pages/slices.py", "pages/saturation.py"])
def test_pages_that_weigh_both_say_so(open_page, parent, child, shown, page):
    assert "6 trials imported from the study that this one continues" in shown(
        open_page(page, study=child.id)
    )
    assert "imported" not in shown(open_page(page, study=parent.id))


def test_the_table_lists_imported_trials_only_on_request(open_page, child):
    app = open_page(PAGE, study=child.id, view="Table")
    assert set(app.dataframe[0].value["number"]) == {6, 7, 8}
    app.toggle(key="parent").set_value(True).run()
    assert set(app.dataframe[0].value["number"]) == set(range(9))


def test_an_imported_trial_shows_its_curve_and_weights_at_home(open_page, parent, child, shown):
    save_policy(parent, 3, {"w": np.zeros(2)}, {})
    app = open_page(PAGE, study=child.id, trial="3")
    text = plain(shown(app))
    assert f"Imported: it ran as trial 3 of {parent.id}." in text
    assert f"Its weights are kept in {parent.id}." in text
    assert "training episode" in str(figure(app, 1))
    app.toggle(key=f"pin-{parent.id}-3").set_value(True).run()
    assert pinned_trials(parent) == {3}
    assert pinned_trials(child) == set()
    again = plain(shown(open_page(PAGE, study=child.id, trial="6")))
    assert f"Runs the configuration of trial 3 of {parent.id} again" in again


def test_a_deleted_parent_is_said(open_page, parent, child, shown):
    launch.delete(parent)
    text = plain(shown(open_page(PAGE, study=child.id, trial="3")))
    assert f"Continues {parent.id}, which was deleted (learning_rate up to 0.03)" in text
    assert f"it ran as trial 3 of {parent.id}, which was deleted." in text
    assert f"Its weights went with {parent.id}." in text


def test_deleting_a_study_says_what_others_lose(parent, child, make_child):
    grandchild = make_child(child, n_own=0)
    words = plain(lineage_line.borrowed_words(parent))
    assert words.startswith(f"Trials of this study were imported by {grandchild.id}, {child.id}.") or (
        words.startswith(f"Trials of this study were imported by {child.id}, {grandchild.id}.")
    )
    assert "weights and learning curves go" in words
    launch.delete(child)  # in between: the grandchild still has trials that ran in the parent
    assert grandchild.id in plain(lineage_line.borrowed_words(parent))
    assert lineage_line.borrowed_words(grandchild) == ""


def test_a_copy_of_a_copy_leads_to_where_it_ran(open_page, parent, child, make_child, shown):
    grandchild = make_child(child)
    trials = imported(launch.read_run(grandchild).study.trials)
    assert [t.user_attrs[IMPORTED_TRIAL] for t in trials] == [0, 1, 2, 3, 4, 5, 6, 7]
    app = open_page(PAGE, study=grandchild.id, trial="2")
    assert f"it ran as trial 2 of {parent.id}." in plain(shown(app))
    labels = [plain(li.label) for li in links(app)]
    assert any(label.startswith(f"Continues {child.id}") for label in labels)
    assert any(label.startswith(f"which continues {parent.id}") for label in labels)


def test_the_best_configuration_is_of_an_own_trial_and_a_better_import_is_named(
    open_page, parent, make_child, shown
):
    folder = make_child(parent, n_own=0)
    text = plain(shown(open_page(PAGE, study=folder.id)))
    assert "No trial of its own is complete yet. Best of the imported: -700 (trial 3)." in text
    assert "There is none until a trial is complete" in text
    assert "Imported trial 3 reached -700." in text
    better = plain(shown(open_page(PAGE, study=make_child(parent).id)))
    assert "Trial 7 reached -670." in better
    assert "Imported trial" not in better


def test_live_and_home_count_own_trials(open_page, parent, child, shown):
    text = plain(shown(open_page("pages/live.py", study=child.id)))
    assert "Trials done: 2 of 5" in text
    assert "Best so far: -670" in text
    assert "6 imported" in text
    row = study_row(child)
    assert (row.done, row.total, row.best, row.best_so_far) == (2, 5, -670.0, (-690.0, -670.0))
    frame = study_frame([row, study_row(parent)], now=time.time())
    assert frame["task"].tolist() == [f"↳ {parent.id}: PPO on Pendulum-v1", "PPO on Pendulum-v1"]


def test_hostile_lineage_stays_text(open_page, child, shown):
    hostile = "<script>alert(1)</script> **x** [y](http://evil.example)"
    record = json.loads(child.parent.read_text())
    record["changes"][0]["name"] = hostile[:60]
    child.parent.write_text(json.dumps({**record, "name": hostile}))
    app = open_page(PAGE, study=child.id)
    assert not app.exception
    assert all("<script>" not in li.label.replace("\\<", "") for li in links(app))
    child.parent.write_text(json.dumps({**record, "id": hostile}))
    app = open_page(PAGE, study=child.id)
    assert not app.exception
    assert not any("Continues" in li.label for li in links(app))


@pytest.mark.parametrize(("of", "warned"), [("parent", True), ("child", False)])
def test_the_question_before_deleting_names_what_others_lose(open_page, parent, child, of, warned):
    app = open_page(None)
    app.session_state["pending-deletion"] = {"parent": parent, "child": child}[of]
    app.run()
    assert not app.exception
    assert any("goes for good" in m.value for m in app.markdown)
    assert any(f"imported by {child.id}" in plain(w.value) for w in app.warning) == warned
