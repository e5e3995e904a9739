import optuna
import pytest

from storage.dashboard_notes import dashboard_notes
from storage.foreign import open_source


def test_pieces_are_joined_in_their_order_and_oddities_left_out():
    attributes = {
        "dashboard:note_ver": 3,
        "dashboard:note_str:10": "c",
        "dashboard:note_str:2": "b",
        "dashboard:note_str:0": "a\n",
        "dashboard:7:note_str:0": "on seven",
        "dashboard:8:note_str:0": 5,
        "dashboard:9:note_str:0": "   ",
        "dashboard:note_str:x": "no",
    }
    assert dashboard_notes(attributes) == {None: "a\nbc", 7: "on seven"}


@pytest.mark.parametrize("file", ["study.log", "study.db"])
def test_notes_of_a_study_and_its_trials_are_read_by_number(tmp_path, write_study, file):
    path = write_study(tmp_path / file, "first", n_trials=2)  # so that ids are not numbers
    write_study(path, "ppo", n_trials=3)
    journal = optuna.storages.journal.JournalFileBackend(str(path)) if path.suffix == ".log" else None
    storage = (
        optuna.storages.JournalStorage(journal)
        if journal
        else optuna.storages.get_storage(f"sqlite:///{path}")
    )
    study = optuna.load_study(study_name="ppo", storage=storage)
    theirs = study.trials[1]._trial_id
    storage.set_study_system_attr(study._study_id, "dashboard:note_str:0", "# hello")
    storage.set_study_system_attr(study._study_id, f"dashboard:{theirs}:note_str:0", "<b>look</b>")
    storage.set_study_system_attr(study._study_id, "dashboard:99999:note_str:0", "on no trial")
    assert open_source(path).study("ppo").notes == {None: "# hello", 1: "<b>look</b>"}
    assert open_source(path).study("first").notes == {}
