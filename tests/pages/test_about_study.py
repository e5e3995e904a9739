import pytest

from storage.journal import STUDY_NAME, open_journal
from storage.remarks import read_remarks
from tuning.access import VARIABLE
from tuning.remarks import rename, set_tags, write_note

HISTORY = "pages/history.py"
NASTY = "<script>alert(1)</script> [x](http://e.example) $a$"


def note_key(folder, trial=None, place="page"):
    return f"note-{place}-{folder.id}-{trial}"


def test_name_tags_and_note_are_saved_at_once_and_shown_everywhere(open_page, make_study):
    folder = make_study()
    app = open_page(HISTORY, study=folder.id)
    app.text_input(key=f"about-page-{folder.id}-name").set_value("Swing up").run()
    app.text_area(key=note_key(folder)).set_value("first line\nsecond").run()
    remarks = read_remarks(folder)
    assert (remarks.name, remarks.note) == ("Swing up", "first line\nsecond")
    assert not app.exception
    assert app.sidebar.selectbox[0].options == ["Swing up"]
    assert any("first line" in box.label for box in app.expander)


def test_a_note_on_a_trial_is_in_its_details_and_in_the_table(open_page, make_study):
    folder = make_study()
    app = open_page(HISTORY, study=folder.id, trial="2")
    app.text_area(key=note_key(folder, 2, "trial")).set_value("lucky seed").run()
    assert read_remarks(folder).trial_notes == {2: "lucky seed"}
    app = open_page(HISTORY, study=folder.id, trial="3", view="Table")
    assert app.text_area(key=note_key(folder, 3, "trial")).value == ""
    table = app.dataframe[0].value.set_index("number")
    assert table.loc[2, "note"] == "lucky seed"


def test_two_tabs_that_write_one_note_lose_nothing(open_page, make_study, words):
    folder = make_study()
    write_note(folder, "begun", base="")
    app = open_page(HISTORY, study=folder.id)
    write_note(folder, "begun\nby another tab", base="begun")
    app.run()
    assert "Somebody has changed this note since" in words(app)
    app.text_area(key=note_key(folder)).set_value("begun\nby me").run()
    assert read_remarks(folder).note == "begun\nby me\nby another tab"
    assert "Their lines were added below yours" in words(app)
    assert app.text_area(key=note_key(folder)).value == "begun\nby me\nby another tab"


def test_what_others_wrote_can_be_taken_over(open_page, make_study):
    folder = make_study()
    app = open_page(HISTORY, study=folder.id)
    write_note(folder, "theirs", base="")
    app.run()
    app.button(key=f"{note_key(folder)}-reload").click().run()
    assert app.text_area(key=note_key(folder)).value == "theirs"


def test_a_note_that_cannot_be_saved_is_said_and_kept_in_the_field(open_page, make_study, words):
    folder = make_study()
    app = open_page(HISTORY, study=folder.id)
    folder.remarks_lock.mkdir()
    app.text_area(key=note_key(folder)).set_value("typed").run()
    assert "The note is not saved" in words(app)
    assert app.text_area(key=note_key(folder)).value == "typed"


def test_hostile_text_is_shown_as_it_is(open_page, make_study, words):
    folder = make_study()
    rename(folder, NASTY)
    set_tags(folder, [NASTY[:25]])
    write_note(folder, NASTY, base="")
    app = open_page(HISTORY, study=folder.id)
    assert not app.exception
    label = next(box.label for box in app.expander if "Note" in box.label)
    assert "\\<script\\>" in label
    assert "\\[x\\]" in label


def test_a_server_that_only_shows_has_the_notes_to_read(open_page, make_study, shown, monkeypatch):
    folder = make_study()
    write_note(folder, "read me *too*", base="")
    write_note(folder, "on two", base="", trial=2)
    monkeypatch.setenv(VARIABLE, "1")
    app = open_page(HISTORY, study=folder.id, trial="2")
    text = shown(app)
    assert "read me *too*" in text
    assert "on two" in text
    assert not app.text_area
    assert "Duplicate and edit" not in text


def test_archiving_and_back(open_page, make_study):
    folder = make_study()
    app = open_page(HISTORY, study=folder.id)
    app.button(key=f"about-page-{folder.id}-archive").click().run()
    assert read_remarks(folder).archived
    app.button(key=f"about-page-{folder.id}-archive").click().run()
    assert not read_remarks(folder).archived


@pytest.mark.parametrize("study", ["nobody", "opened"])
def test_launch_says_what_cannot_be_duplicated(open_page, words, study):
    app = open_page("pages/launch.py", like=study)
    assert "cannot be duplicated" in words(app)
    assert not app.exception


def test_duplicating_fills_launch_with_the_request(open_page, make_study, words):
    folder = make_study("mine", n_trials=33, search_space="starter")
    app = open_page("pages/launch.py", like=folder.id)
    assert not app.exception
    assert app.text_input(key="launch-name").value == "mine"
    assert app.number_input(key="launch-trials").value == 33
    assert "Filled from" in words(app)
    app.number_input(key="launch-trials").set_value(44).run()
    assert app.number_input(key="launch-trials").value == 44


def test_notes_of_optuna_dashboard_are_shown_and_left_alone(open_page, make_study, shown):
    folder = make_study()
    storage = open_journal(folder.journal)
    study_id = storage.get_study_id_from_name(STUDY_NAME)
    storage.set_study_system_attr(study_id, "dashboard:note_str:0", NASTY)
    trial_id = storage.get_all_trials(study_id)[2]._trial_id
    storage.set_study_system_attr(study_id, f"dashboard:{trial_id}:note_str:0", "on two")
    app = open_page(HISTORY, study=folder.id, trial="2")
    texts = [element.value for element in app.text]
    assert NASTY in texts
    assert "on two" in texts
    assert app.text_area(key=note_key(folder)).value == ""
