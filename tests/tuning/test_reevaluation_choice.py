"""Which re-evaluation is believed where there are several."""

import time

from storage.winner import Winner, write_winner
from tests.shipped import BEST, SECOND
from tuning.reevaluation_choice import ranked_reevaluations, reevaluations_of

SIX = {f"trial {SECOND}": [-150.0] * 6, f"trial {BEST}": [-240.0] * 6}


def ids(jobs):
    return [job.folder.id for job in jobs]


def test_a_newer_one_that_has_hardly_begun_does_not_hide_a_finished_one(recorded, add_reevaluation):
    older = add_reevaluation(recorded, SIX)
    empty = add_reevaluation(recorded, {f"trial {SECOND}": [], f"trial {BEST}": []}, n_seeds=6)
    begun = add_reevaluation(recorded, {f"trial {SECOND}": [], f"trial {BEST}": [-100.0]}, n_seeds=6)
    assert ids(ranked_reevaluations(recorded)) == [older.id, begun.id]
    assert ids(reevaluations_of(recorded, BEST)) == [older.id, begun.id]
    assert ids(reevaluations_of(recorded, SECOND)) == [older.id]
    assert empty.id not in ids(reevaluations_of(recorded, BEST))


def test_of_equals_the_newest_and_before_all_the_one_that_was_chosen_by(recorded, add_reevaluation):
    older, newer = add_reevaluation(recorded, SIX), add_reevaluation(recorded, SIX)
    assert ids(reevaluations_of(recorded, SECOND)) == [newer.id, older.id]
    write_winner(recorded, Winner(SECOND, -150.0, older.id, time.time()))
    assert ids(reevaluations_of(recorded, SECOND)) == [older.id, newer.id]
    assert ids(ranked_reevaluations(recorded)) == [older.id, newer.id]
