import json

import optuna
import pytest

from storage.journal import STUDY_NAME, open_journal
from tuning import launch
from tuning.opening import open_study

PAGE = "pages/compare.py"


def figures(app):
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def lines(figure):
    return [trace["name"] for trace in figure["data"]]


def test_without_a_study_the_page_says_what_to_do(open_page, shown):
    assert "No study yet" in shown(open_page(PAGE))


def test_one_study_alone_asks_for_a_second(open_page, make_study, shown):
    folder = make_study()
    app = open_page(PAGE)
    assert app.multiselect(key="compared-studies").value == [folder.id]
    assert "There is only one study" in shown(app)
    assert not figures(app)


def test_finished_studies_stand_side_by_side(open_page, make_study, words):
    first = make_study("first")
    second = make_study("second", n_complete=9, search_space="starter")
    app = open_page(PAGE, studies=f"{first.id},{second.id}")
    text = words(app)
    assert f"{second.id} reached -200 and {first.id} reached -700." in text
    assert "Fewer trials" in text
    history, edf = figures(app)
    assert lines(history) == lines(edf) == [first.id, second.id]
    results, spaces, best, asked = (table.value.set_index("what") for table in app.dataframe)
    assert results.loc["Best value", ["study_0", "study_1"]].tolist() == ["-700", "-200"]
    assert spaces.loc["n_steps", "study_0"] == "default: 2048"
    assert best.loc["learning_rate", "differs"] == "≠"
    assert asked.loc["Environment", "differs"] == ""
    app.segmented_control(key="by").set_value("hours").run()
    assert figures(app)[0]["layout"]["xaxis"]["title"]["text"] == "hours with a trial running"


def test_a_choice_travels_in_the_address(open_page, make_study):
    ids = [make_study(f"s{k}").id for k in range(3)]
    app = open_page(PAGE, studies=ids[0])
    app.multiselect(key="compared-studies").set_value(ids[:2]).run()
    assert app.query_params["studies"] in (",".join(ids[:2]), [",".join(ids[:2])])
    assert len(figures(app)) == 2


def test_a_study_that_is_gone_and_one_too_many_do_no_harm(open_page, make_study, words):
    ids = [make_study(f"s{k}", n_complete=1, n_pruned=0, n_failed=0).id for k in range(6)]
    app = open_page(PAGE, studies=",".join(["gone-1", *ids]))
    assert "There is no study named gone-1 here" in words(app)
    assert len(app.multiselect(key="compared-studies").value) == 5


def test_an_unreadable_study_does_not_hide_the_others(open_page, make_study, words):
    good, bad, other = (make_study(name) for name in ("good", "bad", "other"))
    bad.journal.unlink()
    app = open_page(PAGE, studies=f"{good.id},{bad.id},{other.id}")
    assert f"The study {bad.id} cannot be read" in words(app)
    assert lines(figures(app)[0]) == [good.id, other.id]


def test_a_running_study_beside_an_empty_one(open_page, running, make_study, words):
    empty = make_study("empty", n_complete=0, n_pruned=0, n_failed=0, state=None)
    app = open_page(PAGE, studies=f"{running.id},{empty.id}")
    assert f"{running.id} is still running" in words(app)
    assert app.toggle(key="follow").value
    assert lines(figures(app)[0]) == [running.id]
    assert "no complete trial yet" in figures(app)[0]["layout"]["title"]["text"]


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_opened_studies_take_part(open_page, make_study, runs, tmp_path, monkeypatch, words, direction):
    monkeypatch.setenv("EDGEWISE_STUDY_ROOTS", str(tmp_path))
    ours = make_study()
    storage = open_journal(tmp_path / "theirs.log", create=True)
    theirs = optuna.create_study(storage=storage, study_name="<b>x</b>", direction=direction)
    for value in (-5.0, -900.0):
        trial = theirs.ask()
        trial.suggest_float("learning_rate", 1e-4, 1e-2, log=True)
        theirs.tell(trial, value)
    opened = open_study(tmp_path / "theirs.log", None, runs)
    app = open_page(PAGE, studies=f"{ours.id},{opened.id}")
    assert "only the trials are known" in words(app)
    assert ("different directions" in words(app)) == (direction == "minimize")
    assert lines(figures(app)[0]) == ([ours.id, opened.id] if direction == "maximize" else [ours.id])


def test_a_continued_study_is_compared_with_its_parent_by_default(open_page, runs, words):
    from tuning import examples

    runs.mkdir()
    narrow, wide = (examples.copy_recorded(source, runs) for source in examples.recorded_pairs()[0])
    app = open_page(PAGE, study=wide.id)
    assert app.multiselect(key="compared-studies").value == [narrow.id, wide.id]
    assert "began with 40 imported trials" in words(app)
    assert launch.read_run(wide).study.name == STUDY_NAME
