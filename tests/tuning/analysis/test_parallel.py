import pytest

from tuning.analysis.parallel import ParallelInfo, ParallelLine, not_ready, parallel_figure, parallel_info
from tuning.analysis.space import declared_space


@pytest.mark.parametrize("maximize", [True, False])
def test_lines_from_best_to_worst(trial, maximize):
    trials = [
        trial(0, 10.0, params={"n_steps_pow": 5, "gamma": 0.9}),
        trial(1, 30.0, params={"n_steps_pow": 12}),
        trial(2, reports={1: 99.0}, params={"n_steps_pow": 6}),
    ]
    low = ParallelLine(0, 10.0, 2 if maximize else 0, (0.0, 0.0), ("5", "0.9"), 0.0 if maximize else 1.0)
    high = ParallelLine(1, 30.0, 0 if maximize else 2, (1.0, None), ("12", ""), 1.0 if maximize else 0.0)
    assert parallel_info(trials, maximize=maximize) == ParallelInfo(
        maximize=maximize,
        axes=tuple(declared_space(trials).values()),
        lines=(high, low) if maximize else (low, high),
        worst_shown=10.0 if maximize else 30.0,
        best_value=30.0 if maximize else 10.0,
    )


def test_equal_values_share_a_band(trial):
    trials = [trial(i, 1.0, params={"gamma": 0.95}) for i in range(5)]
    assert {line.band for line in parallel_info(trials, maximize=True).lines} == {0}


def test_axes_show_true_values_over_the_declared_bounds(study):
    figure = parallel_figure(
        parallel_info(study, maximize=True, parameters=["learning_rate", "activation_fn"])
    )
    words = [note.text for note in figure.layout.annotations]
    assert {"1e-5", "0.1", "learning_rate (log)", "tanh", "relu", "return", "-250", "-1\u202f000"} <= set(
        words
    )
    assert figure.data[-1].name == "best, trial 15"
    assert list(figure.data[-1].customdata[:3]) == [15, 15, 15]


def test_on_a_narrow_screen_the_axes_lie_below_one_another(study):
    info = parallel_info(study, maximize=True)
    wide, narrow = parallel_figure(info), parallel_figure(info, narrow=True)
    assert wide.data[-1].x == narrow.data[-1].y
    assert narrow.layout.height > 4 * 74


def test_what_is_missing_is_said(trial, study):
    assert not_ready(study) is None
    assert "needs 2 complete trials" in not_ready(study[:1])
    assert "no parameters" in not_ready([trial(0, 1.0), trial(1, 2.0)])
    assert not_ready(study, ["unknown"]) == "Pick at least one of the 3 parameters."


def test_a_line_runs_on_past_a_parameter_that_the_trial_lacks(foreign):
    figure = parallel_figure(parallel_info(foreign, maximize=False))
    assert figure.data[-1].name == "best, trial 13"
    assert list(figure.data[-1].x) == [0, 1, 3, None]
