import pytest
from optuna.distributions import CategoricalDistribution, IntDistribution
from optuna.trial import TrialState

from tuning.analysis.slices import SlicePanel, SlicePoint, SlicesInfo, not_ready, slices_figure, slices_info
from tuning.analysis.space import declared_space


@pytest.fixture
def few(trial):
    return [
        trial(0, -3.0, params={"n_steps_pow": 5, "activation_fn": "relu"}),
        trial(1, reports={1: -7.0}, params={"n_steps_pow": 8}),
        trial(2, params={"n_steps_pow": 9}),
        trial(3, -1.0, params={"n_steps_pow": 12}),
        trial(4, state=TrialState.RUNNING, params={"n_steps_pow": 7}),
    ]


@pytest.mark.parametrize(("maximize", "best"), [(True, 3), (False, 0)])
def test_panels(few, maximize, best):
    space = declared_space(few)
    assert slices_info(few[::-1], maximize=maximize) == SlicesInfo(
        maximize=maximize,
        panels=(
            SlicePanel(
                space["n_steps_pow"],
                complete=(SlicePoint(0, 5.0, "5", -3.0), SlicePoint(3, 12.0, "12", -1.0)),
                pruned=(SlicePoint(1, 8.0, "8", -7.0),),
                failed=(SlicePoint(2, 9.0, "9", None),),
            ),
            SlicePanel(space["activation_fn"], (SlicePoint(0, 1.0, "relu", -3.0),), (), ()),
        ),
        best_number=best,
        best_value=-1.0 if maximize else -3.0,
        last_number=3,
        values=(-3.0, -7.0, -1.0),
    )


def test_parameters_are_chosen_by_name(few):
    info = slices_info(few, maximize=True, parameters=["activation_fn", "unknown", "activation_fn"])
    assert [panel.axis.name for panel in info.panels] == ["activation_fn"]


def test_declared_bounds_are_drawn_and_labelled(few):
    figure = slices_figure(slices_info(few, maximize=True), columns=2)
    assert [shape.x0 for shape in figure.layout.shapes] == [5.0, 12.0, -0.5, 1.5]
    assert figure.layout.xaxis.ticktext[0] == "<b>5</b>"
    assert figure.layout.xaxis.ticktext[-1] == "<b>12</b>"
    assert figure.layout.xaxis.range[0] < 5 < 12 < figure.layout.xaxis.range[1]
    assert "declared bound" in [trace.name for trace in figure.data]


def test_a_value_outside_the_bounds_is_still_shown(trial):
    outside = trial(0, 1.0, params={"n": 4}, space={"n": IntDistribution(0, 5)})
    outside.params = {"n": 40}
    figure = slices_figure(slices_info([outside], maximize=True))
    assert figure.layout.xaxis.range[1] > 40


@pytest.mark.parametrize(("columns", "rows"), [(1, 3), (2, 2), (3, 1), (9, 1)])
def test_panels_wrap_and_share_the_value_axis(study, columns, rows):
    figure = slices_figure(slices_info(study, maximize=True), columns=columns)
    axes = [figure.layout[name] for name in ("yaxis", "yaxis2", "yaxis3")]
    assert len({axis.domain for axis in axes}) == rows
    assert len({axis.range for axis in axes}) == 1


def test_categories_are_words(trial):
    space = {"net": CategoricalDistribution([None, "<b>", 64])}
    trials = [trial(i, float(i), params={"net": c}, space=space) for i, c in enumerate(space["net"].choices)]
    figure = slices_figure(slices_info(trials, maximize=True))
    assert figure.layout.xaxis.ticktext == ("None", "&lt;b&gt;", "64")


def test_pruned_trials_can_be_hidden(few):
    info = slices_info(few, maximize=True)
    hidden = slices_figure(info, show_pruned=False)
    assert 1 not in {n for trace in hidden.data if trace.customdata for n in trace.customdata}
    assert "pruned" not in [trace.name for trace in hidden.data]


def test_outliers_are_counted_in_the_title(trial):
    values = [-1600.0, -1500.0, *(-150.0 - i for i in range(20))]
    trials = [trial(i, v, params={"gamma": 0.95}) for i, v in enumerate(values)]
    figure = slices_figure(slices_info(trials, maximize=True), clip_outliers=True)
    assert "2 below -169" in figure.layout.title.text


def test_what_is_missing_is_said(trial, few):
    assert not_ready(few) is None
    assert "no parameters" in not_ready([trial(0, 1.0)])
    assert not_ready(few, []).startswith("Pick at least one of the 2 parameters")
