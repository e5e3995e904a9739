import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState, create_trial

from tuning.analysis.edf import edf_figure, edf_info, not_ready
from tuning.analysis.histories import ComparedTrials


def compared(name, trials, maximize=True):
    return ComparedTrials(name, tuple(trials), maximize)


def test_values_ascend_and_pruned_trials_are_counted_apart(trial):
    trials = [trial(0, 3.0), trial(1, 1.0), trial(2, reports={5: 9.0}), trial(3), trial(4, 2.0)]
    (study,) = edf_info([compared("a", trials)]).studies
    assert study.values == (1.0, 2.0, 3.0)
    assert study.n_pruned == 1
    assert study.median == 2.0


def test_the_median_is_a_value_that_a_trial_had(trial):
    (study,) = edf_info([compared("a", [trial(k, float(k)) for k in range(4)])]).studies
    assert study.median == 1.0


def test_a_single_study_shows_its_baseline_beside_the_line(trial):
    trials = [trial(0, -5.0, attrs={"baseline": "SB3 defaults"}), trial(1, 1.0), trial(2, 2.0)]
    info = edf_info([compared("a", trials)])
    assert info.studies[0].values == (1.0, 2.0)
    assert info.baselines == (("SB3 defaults", -5.0),)
    assert edf_info([compared("a", trials), compared("b", trials)]).baselines == ()


def test_the_line_agrees_with_optuna():
    values = [3.0, 1.0, 2.0, 2.0, 7.5]
    study = optuna.create_study()
    space = {"x": FloatDistribution(0, 1)}
    study.add_trials([create_trial(value=v, params={"x": 0.5}, distributions=space) for v in values])
    theirs = optuna.visualization.plot_edf(study).data[0]
    (ours,) = edf_figure(edf_info([compared("a", study.trials, False)])).data
    points = list(zip(ours.x, ours.y, strict=True))
    for x, share in zip(theirs.x, theirs.y, strict=True):
        assert max(y for at, y in points if at <= x) == pytest.approx(share)


def test_studies_in_the_other_direction_are_left_out(trial):
    info = edf_info([compared("up", [trial(0, 1.0)]), compared("down", [trial(0, 1.0)], False)])
    assert [s.name for s in info.studies] == ["up"]
    assert info.left_out[0][0] == "down"


def test_poor_values_beyond_the_view_are_counted(trial):
    trials = [trial(k, -1e6 if k < 2 else float(k)) for k in range(20)]
    figure = edf_figure(edf_info([compared("a", trials)]), clip_outliers=True)
    assert "2 below" in figure.layout.title.text
    assert figure.layout.xaxis.range[0] > -1e5


@pytest.mark.parametrize("kind", ["failed_only", "pruned_only", "non_finite"])
def test_without_two_complete_trials_it_says_why(request, kind):
    trials = request.getfixturevalue(kind)
    assert not_ready(trials)
    figure = edf_figure(edf_info([compared("a", trials)]))
    assert "Distribution" in figure.layout.title.text


def test_one_value_only_still_draws(trial):
    assert edf_figure(edf_info([compared("a", [trial(0, 2.0, state=TrialState.COMPLETE)])])).data
