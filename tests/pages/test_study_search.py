import pytest

from pages.components.studies_csv import studies_frame
from pages.components.study_labels import labels
from pages.components.study_search import matches, ordered
from pages.components.study_table import StudyRow
from tuning.remarks import rename, set_archived, set_tags, write_note

ROW = StudyRow(
    "demo-1a2b",
    "finished",
    environment="Pendulum-v1",
    algorithm="PPO",
    name="Swing up",
    tags=("robot",),
    note="second try",
)


@pytest.mark.parametrize(
    "text", ["", "swing", "demo-1a", "ROBOT", "pendulum", "ppo", "finished", "second", "ppo robot finished"]
)
def test_a_study_is_found_by_all_that_is_known_of_it(text):
    assert matches(ROW, text)


@pytest.mark.parametrize("text", ["cartpole", "ppo cartpole", "*", "[", "swingx"])
def test_every_word_must_match(text):
    assert not matches(ROW, text)


def test_orders():
    rows = [
        StudyRow("b", "finished", environment="A-v0", best=1.0, done=3, created_at=30.0),
        StudyRow("a", "unreadable"),
        StudyRow("c", "finished", environment="A-v0", best=2.0, done=9, created_at=10.0),
        StudyRow("d", "finished", environment="B-v0", best=5.0, maximize=False, created_at=20.0),
    ]

    def ids(order):
        return "".join(row.id for row in ordered(rows, order))

    assert ids("newest") == "bacd"  # as they come
    assert ids("oldest") == "cdba"
    assert ids("name") == "abcd"
    assert ids("task") == "cbda"
    assert ids("trials") == "cbad"


def test_the_page_finds_hides_and_names(open_page, make_study, words):
    first, second, third = (make_study(name) for name in ("first", "second", "third"))
    rename(first, "Swing <b>up</b>")
    set_tags(first, ["robot"])
    write_note(second, "why it is slow", base="")
    set_archived(third, archived=True)
    app = open_page()
    table = app.dataframe[0].value
    assert table["study"].tolist() == [second.id, "Swing <b>up</b>"]
    assert [list(tags) for tags in table["tags"]] == [[], ["robot"]]
    assert table["about"].tolist() == [":material/sticky_note_2:", ":material/edit_note:"]
    app = open_page(find="slow")
    assert app.dataframe[0].value["study"].tolist() == [second.id]
    app = open_page(find="third")
    assert "Only archived studies match" in words(app)
    assert not app.dataframe
    app.toggle(key="archived").set_value(True).run()
    assert app.dataframe[0].value["study"].tolist() == [third.id]
    app = open_page(find="nothing at all")
    assert "No study matches" in words(app)
    assert "Swing <b>up</b>" in app.sidebar.selectbox[0].options


def test_equal_names_are_told_apart(make_study):
    folders = [make_study(name, n_complete=0, n_pruned=0, n_failed=0) for name in ("one", "two", "three")]
    for folder in folders[:2]:
        rename(folder, "Same")
    rename(folders[2], folders[0].id)
    one, two, three = folders
    assert labels(folders) == {
        one.id: f"Same ({one.id})",
        two.id: f"Same ({two.id})",
        three.id: f"{one.id} ({three.id})",
    }


def test_the_csv_has_full_precision_and_the_ids():
    frame = studies_frame([ROW, StudyRow("x-1", "finished", best=-123.456789, done=4, created_at=1.5)])
    assert frame["best"].iloc[1] == -123.456789
    assert frame["id"].tolist() == ["demo-1a2b", "x-1"]
    assert frame["name"].tolist() == ["Swing up", "x-1"]
