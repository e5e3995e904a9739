from optuna.distributions import FloatDistribution

from tuning.analysis.saturation import saturation_info
from tuning.analysis.verdict_history import verdict_history

RATE = {"rate": FloatDistribution(0.0, 1.0)}


def test_each_stage_is_the_verdict_on_the_first_trials(trial):
    trials = [trial(i, float(i), params={"rate": i / 100}, space=RATE) for i in range(100)]
    stages = verdict_history(trials[::-1], maximize=True, limits={})
    assert [stage.n_finished for stage in stages] == [25, 50, 75]
    for stage in stages:
        then = saturation_info(trials[: stage.n_finished], maximize=True)
        assert list(stage.parameters.values()) == list(then.parameters)
    assert stages[0].parameters["rate"].missing == 5


def test_few_trials_have_fewer_stages_and_none_has_none(trial):
    one = [trial(0, 1.0, params={"rate": 0.5}, space=RATE)]
    assert [stage.n_finished for stage in verdict_history(one, maximize=True, limits={})] == [1]
    assert all(not stage.parameters for stage in verdict_history([], maximize=True, limits={}))
