import pytest
from optuna.distributions import FloatDistribution, IntDistribution

from tuning.analysis import importance
from tuning.analysis.importance import ImportanceInfo, importance_figure, importance_info, not_ready


def two_parameters(trial, n=40, sign=1):
    """The value depends on gamma alone."""
    trials = []
    for i in range(n):
        params = {"gamma": 0.9 + 0.09 * i / n, "learning_rate": 10 ** (-5 + 4 * (i * 17 % n) / n)}
        trials.append(trial(i, sign * float(i), params=params))
    return trials


@pytest.mark.parametrize("sign", [1, -1])
def test_the_parameter_that_decides_comes_first(trial, sign):
    trials = two_parameters(trial, sign=sign)
    info = importance_info(trials, maximize=sign == 1)
    assert [name for name, _ in info.importances] == ["gamma", "learning_rate"]
    assert info.importances[0][1] > 0.7
    assert sum(share for _, share in info.importances) == pytest.approx(1)
    assert (info.n_trials, info.n_top, info.conditional, info.problem) == (40, 5, (), None)


def test_it_does_not_depend_on_chance_or_order(trial):
    trials = two_parameters(trial)
    assert importance_info(trials, maximize=True) == importance_info(trials[::-1], maximize=True)


def test_bounds_that_changed_do_not_split_the_study(trial):
    trials = two_parameters(trial)
    wider = {"gamma": FloatDistribution(0.5, 0.9999)}
    for i in (3, 30):
        trials[i] = trial(i, float(i), params=dict(trials[i].params), space=wider)
    assert importance_info(trials, maximize=True).importances[0][0] == "gamma"


def test_values_outside_the_bounds_count_at_the_bound(trial):
    trials = two_parameters(trial)
    trials[0].params = trials[0].params | {"gamma": 0.1}
    assert importance_info(trials, maximize=True).problem is None


def test_conditional_parameters_take_part_and_are_named(foreign):
    info = importance_info(foreign, maximize=True)
    assert info.conditional == ("only_some",)
    assert {name for name, _ in info.importances} == {n for t in foreign for n in t.params}
    assert "1 parameter not in every trial" in importance_figure(info).layout.title.text.replace("<br>", " ")


def test_too_few_or_equal_trials_are_a_sentence(trial):
    trials = two_parameters(trial, n=40)
    assert not_ready(trials) is None
    assert "needs 10 complete trials and the study has 9" in not_ready(trials[:9])
    equal = [trial(i, 1.0, params={"gamma": 0.9 + i / 1000}) for i in range(12)]
    assert "the same value" in not_ready(equal)
    fixed = {"n": IntDistribution(3, 3)}
    single = [trial(i, float(i), params={"n": 3}, space=fixed) for i in range(12)]
    assert "No parameter of this study varies" in not_ready(single)
    assert importance_info(single, maximize=True) == ImportanceInfo((), 12, 5, (), not_ready(single))


def test_an_exception_is_a_sentence(trial, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("boom")

    monkeypatch.setattr(importance, "_evaluate", fail)
    info = importance_info(two_parameters(trial), maximize=True)
    assert info.problem == "Importance could not be computed (RuntimeError). The slices show every trial."
    assert "Parameter importance" in importance_figure(info).layout.title.text


def test_bars_run_from_the_most_important_down(trial):
    figure = importance_figure(importance_info(two_parameters(trial), maximize=True))
    assert figure.layout.yaxis.ticktext == ("learning_rate", "gamma")
    assert "gamma matters most" in figure.layout.title.text
