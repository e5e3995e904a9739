import pytest

from tuning.analysis.rank_matrix import MOST, not_ready, rank_matrix_figure, rank_matrix_info


@pytest.fixture
def trials(trial):
    values = [1.0, 5.0, 5.0, -2.0]
    return [
        trial(
            k,
            value,
            params={
                "learning_rate": 1e-4 * (k + 1),
                "gamma": 0.95,
                "activation_fn": "relu" if k % 2 else "tanh",
            },
        )
        for k, value in enumerate(values)
    ]


def info_of(trials, names=("learning_rate", "gamma", "activation_fn"), maximize=True):
    return rank_matrix_info(trials, maximize=maximize, parameters=names)


@pytest.mark.parametrize(
    ("maximize", "ranks"), [(True, {0: 3, 1: 1.5, 2: 1.5, 3: 4}), (False, {0: 2, 1: 3.5, 2: 3.5, 3: 1})]
)
def test_ranks_share_ties_in_either_direction(trials, maximize, ranks):
    info = info_of(trials, maximize=maximize)
    assert {t.number: t.rank for t in info.trials} == ranks
    assert info.trials[-1].rank == min(ranks.values())  # the best is drawn on top


def test_a_panel_for_each_pair_with_the_declared_bounds(trials):
    figure = rank_matrix_figure(info_of(trials))
    assert len([key for key in figure.layout.to_plotly_json() if key.startswith("xaxis")]) == 3
    assert len(figure.layout.shapes) == 3
    assert (figure.layout.shapes[0].x0, figure.layout.shapes[0].x1) == (-5, -1)
    assert {n for trace in figure.data for n in trace.customdata} == {0, 1, 2, 3}


@pytest.mark.parametrize("narrow", [False, True])
def test_panels_do_not_overlap(trials, narrow):
    layout = rank_matrix_figure(info_of(trials), narrow=narrow).layout
    boxes = [(*layout[f"xaxis{k}"].domain, *layout[f"yaxis{k}"].domain) for k in ("1", "2", "3")]
    for first in boxes:
        for other in boxes:
            apart = (
                first[1] <= other[0] or other[1] <= first[0] or first[3] <= other[2] or other[3] <= first[2]
            )
            assert first == other or apart


def test_a_trial_without_a_parameter_is_left_out_of_its_panels(trial, trials):
    figure = rank_matrix_figure(info_of([*trials, trial(9, 99.0, params={"gamma": 0.97})]))
    assert 9 not in {n for trace in figure.data for n in trace.customdata}


def test_many_parameters_are_cut_and_unknown_ones_ignored(trial):
    from optuna.distributions import FloatDistribution

    names = [f"p{k}" for k in range(8)]
    space = {name: FloatDistribution(0, 1) for name in names}
    made = [trial(k, float(k), params=dict.fromkeys(names, 0.1 * k), space=space) for k in range(5)]
    assert len(info_of(made, ["none", *names]).axes) == MOST


@pytest.mark.parametrize("kind", ["failed_only", "pruned_only", "non_finite"])
def test_without_values_it_says_why(request, kind):
    trials = request.getfixturevalue(kind)
    assert not_ready(trials)
    assert not rank_matrix_figure(info_of(trials)).data


def test_one_parameter_has_no_pair(trial):
    assert "two parameters" in not_ready([trial(k, 1.0, params={"gamma": 0.95}) for k in range(5)])
