import datetime

import pytest
from optuna.trial import TrialState

from tuning.analysis.timeline import TimelineInfo, TrialBar, not_ready, timeline_figure, timeline_info

START = datetime.datetime(2025, 3, 1, 10, 0, 0)


def at(seconds):
    return START + datetime.timedelta(seconds=seconds)


@pytest.fixture
def overlapping(trial):
    return [
        trial(0, -1.0, start_s=0, end_s=10),
        trial(1, -2.0, start_s=0, end_s=4),
        trial(2, reports={1: -3.0}, start_s=4, end_s=8),
        trial(3, state=TrialState.RUNNING, start_s=10),
        trial(4, state=TrialState.WAITING),
    ]


def test_bars_share_lanes_where_they_do_not_overlap(overlapping):
    assert timeline_info(overlapping[::-1], maximize=True, now=at(20)) == TimelineInfo(
        bars=(
            TrialBar(0, "complete", at(0), at(10), 0),
            TrialBar(1, "complete", at(0), at(4), 1),
            TrialBar(2, "pruned", at(4), at(8), 1),
            TrialBar(3, "running", at(10), at(20), 0),
        ),
        n_lanes=2,
        seconds=20.0,
        busy=28 / 40,
        best_number=0,
        packed=True,
    )


def test_a_row_for_each_trial(overlapping):
    info = timeline_info(overlapping, maximize=False, now=at(20), packed=False, is_running=False)
    assert [bar.lane for bar in info.bars] == [0, 1, 2, 3]
    assert info.bars[3].state == "interrupted"
    assert info.best_number == 1


def test_a_clock_that_ran_backwards_leaves_an_empty_bar(trial):
    info = timeline_info([trial(0, 1.0, start_s=10, end_s=5)], maximize=True, now=at(20))
    assert (info.bars[0].end, info.seconds, info.busy) == (at(10), 0.0, 0.0)
    timeline_figure(info)


def test_a_time_with_a_zone_is_brought_to_local_time(overlapping):
    now = at(20).astimezone(datetime.UTC)
    assert timeline_info(overlapping, maximize=True, now=now) == timeline_info(
        overlapping, maximize=True, now=at(20)
    )


def test_the_title_says_how_long_and_how_busy(overlapping):
    figure = timeline_figure(timeline_info(overlapping, maximize=True, now=at(20)))
    assert "4 trials in 20 s" in figure.layout.title.text
    assert "2 lanes, busy 70% of the time" in figure.layout.title.text
    assert {trace.name for trace in figure.data} == {"best", "complete", "pruned", "running"}


def test_nothing_started(trial):
    waiting = [trial(0, state=TrialState.WAITING)]
    assert not_ready(waiting) == "None of the 1 trial has started. The timeline begins with the first one."
    assert (
        "No trial has started"
        in timeline_figure(timeline_info(waiting, maximize=True, now=START)).layout.title.text
    )
