import pytest

from tuning.analysis.histories import ComparedTrials, histories_figure, histories_info


def compared(name, trials, maximize=True):
    return ComparedTrials(name, tuple(trials), maximize)


@pytest.fixture
def two_workers(trial):
    """Trial 1 ends before trial 0; then there is a pause of an hour before trial 2."""
    return [
        trial(0, 5.0, start_s=0, end_s=1800, attrs={"timesteps": 100}),
        trial(1, 3.0, start_s=0, end_s=900, attrs={"timesteps": 200}),
        trial(2, 9.0, start_s=5400, end_s=7200, attrs={"timesteps": 300}),
    ]


def test_trials_count_in_the_order_in_which_they_ended(two_workers):
    (study,) = histories_info([compared("a", two_workers)], scale="trials").studies
    assert study.steps == ((1, 3.0, 1), (2, 5.0, 0), (3, 9.0, 2))
    assert study.end == 3


def test_steps_are_those_of_all_trials_that_had_ended(two_workers, trial):
    pruned = trial(
        3,
        reports={50: 1.0},
        start_s=7200,
        end_s=7300,
        attrs={"evaluations": [{"timesteps": 50, "mean": 1.0}]},
    )
    (study,) = histories_info([compared("a", [*two_workers, pruned])], scale="steps").studies
    assert [x for x, _, _ in study.steps] == [200, 300, 600]
    assert study.end == 650


def test_hours_leave_out_pauses_and_count_parallel_trials_once(two_workers):
    (study,) = histories_info([compared("a", two_workers)], scale="hours").studies
    assert [x for x, _, _ in study.steps] == [0.25, 0.5, 1.0]


@pytest.mark.parametrize("scale", ["steps", "hours"])
def test_a_study_that_does_not_say_is_left_out_with_the_reason(trial, two_workers, scale):
    info = histories_info([compared("silent", [trial(0, 1.0)]), compared("told", two_workers)], scale=scale)
    assert [study.name for study in info.studies] == ["told"]
    assert info.studies[0].place == 1  # it keeps its colour
    assert info.left_out == (("silent", f"its trials do not say how many {scale} they took"),)


def test_other_directions_and_studies_without_a_value_are_left_out(trial, two_workers, failed_only):
    info = histories_info(
        [compared("up", two_workers), compared("down", two_workers, False), compared("none", failed_only)],
        scale="trials",
    )
    assert [name for name, _ in info.left_out] == ["down", "none"]
    assert "other direction" in info.left_out[0][1]


def test_when_minimizing_the_best_is_the_lowest(two_workers):
    (study,) = histories_info([compared("a", two_workers, False)], scale="trials").studies
    assert study.steps == ((1, 3.0, 1),)
    assert study.end == 3


def test_imported_trials_do_not_count(trial):
    taken = trial(0, 99.0, attrs={"imported_from": "other-1", "imported_trial": 0})
    (study,) = histories_info([compared("a", [taken, trial(1, 1.0)])], scale="trials").studies
    assert study.steps == ((1, 1.0, 1),)


def test_ties_keep_the_first(trial):
    (study,) = histories_info([compared("a", [trial(0, 1.0), trial(1, 1.0)])], scale="trials").studies
    assert study.steps == ((1, 1.0, 0),)


def test_every_study_has_a_look_of_its_own(two_workers):
    info = histories_info([compared(f"s{k}", two_workers) for k in range(5)], scale="trials")
    for theme in ("light", "dark"):
        lines = histories_figure(info, theme=theme).data
        assert len({line.line.color for line in lines}) == len({line.line.dash for line in lines}) == 5


def test_names_arrive_as_plain_characters(two_workers):
    figure = histories_figure(histories_info([compared("<b>x</b>%{y}", two_workers)], scale="trials"))
    assert "<b>x" not in figure.to_json().replace("\\u003c", "<").replace("<b>Best", "")


@pytest.mark.parametrize("studies", [[], ["empty"]])
def test_nothing_to_draw_keeps_its_title_and_says_why(studies):
    info = histories_info([compared(name, []) for name in studies], scale="trials")
    figure = histories_figure(info)
    assert not figure.data
    assert "Best so far" in figure.layout.title.text
    assert figure.layout.annotations[0].text
