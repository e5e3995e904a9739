from optuna.trial import TrialState

from tuning.analysis.intermediate import (
    IntermediateInfo,
    ReportedLine,
    intermediate_figure,
    intermediate_info,
    not_ready,
)


def test_lines_by_trial(trial):
    trials = [
        trial(1, -1.0, reports={20: -1.0, 10: -3.0, 30: float("nan")}, attrs={"evaluations": []}),
        trial(0, reports={10: -9.0}),
        trial(2, -5.0),
        trial(3, state=TrialState.RUNNING, reports={10: -2.0}),
        trial(4, state=TrialState.FAIL, reports={10: -4.0}),
    ]
    assert intermediate_info(trials, maximize=True) == IntermediateInfo(
        maximize=True,
        lines=(
            ReportedLine(0, "pruned", (10,), (-9.0,)),
            ReportedLine(1, "complete", (10, 20), (-3.0, -1.0)),
            ReportedLine(3, "running", (10,), (-2.0,)),
            ReportedLine(4, "failed", (10,), (-4.0,)),
        ),
        best_number=1,
        best_value=-1.0,
        env_steps=True,
    )


def test_the_best_depends_on_the_direction_and_must_have_reported(trial):
    trials = [trial(0, -1.0, reports={1: -1.0}), trial(1, -2.0)]
    assert intermediate_info(trials, maximize=True).best_number == 0
    assert intermediate_info(trials, maximize=False).best_number is None


def test_hundreds_of_trials_are_a_trace_for_each_state(trial):
    trials = [trial(i, float(i), reports={1: 0.0, 2: float(i)}) for i in range(300)]
    figure = intermediate_figure(intermediate_info(trials, maximize=True))
    assert [trace.name for trace in figure.data] == ["complete (299)", "best, trial 299"]
    assert list(figure.data[0].customdata[:6]) == [0, 0, None, 1, 1, None]


def test_a_single_report_is_a_mark(trial):
    figure = intermediate_figure(intermediate_info([trial(0, reports={5: 1.0})], maximize=True))
    assert figure.data[0].marker.size[0] > 0


def test_the_axis_tells_env_steps_from_steps(study, trial):
    ours = intermediate_info([trial(0, 1.0, reports={1: 1.0}, attrs={"evaluations": []})], maximize=True)
    assert intermediate_figure(ours).layout.xaxis.title.text == "env steps"
    assert intermediate_figure(intermediate_info(study, maximize=True)).layout.xaxis.title.text == "step"


def test_a_study_without_reports_says_so(trial, study):
    assert "No trial of this study reported" in not_ready([trial(0, 1.0)])
    assert not_ready(study) is None
