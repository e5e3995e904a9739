"""The number to expect of a trial does not flatter the one that was chosen by it."""

import dataclasses

from tests.shipped import BEST, SECOND
from tuning.analysis.reevaluation import reevaluation_info
from tuning.expectation import expected_return
from tuning.reevaluation_choice import ranked_reevaluations

MEANS = {
    f"trial {SECOND}": [-150.0, -170.0, -160.0, -190.0],
    f"trial {BEST}": [-155.0, -150.0, -180.0, -170.0],
    "defaults": [-1100.0] * 4,
}


def test_each_trial_has_the_number_that_is_free_of_how_it_was_chosen(recorded, add_reevaluation):
    add_reevaluation(recorded, MEANS | {"tuned": [-50.0] * 4})
    (job,) = ranked_reevaluations(recorded)
    info = reevaluation_info(job.question, job.results)
    assert info.winner.candidate.kind == "tuned"
    best, other = info.best_trial.candidate.trial, {BEST, SECOND} - {info.best_trial.candidate.trial}
    info = dataclasses.replace(info, expected_trial=-166.0)
    assert expected_return(info, best) == -166.0
    assert expected_return(info, other.pop()) in (-167.5, -163.75)
    assert expected_return(info, 3) is None
    assert expected_return(dataclasses.replace(info, expected_trial=None), best) == info.best_trial.mean


def test_the_recommended_trial_has_its_own(recorded, add_reevaluation):
    add_reevaluation(recorded, MEANS)
    (job,) = ranked_reevaluations(recorded)
    info = dataclasses.replace(reevaluation_info(job.question, job.results), expected=-171.0)
    assert expected_return(info, info.winner.candidate.trial) == -171.0
