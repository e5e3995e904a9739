"""What holds for every figure of a re-evaluation, and what the main one shows."""

import json

import pytest

from tuning.analysis.budget_comparison import budget_comparison, budget_comparison_figure
from tuning.analysis.look import palette
from tuning.analysis.rank_figure import rank_figure
from tuning.analysis.reevaluation_figure import estimate_words, has_outliers, reevaluation_figure
from tuning.analysis.regression_figure import regression_figure

HOSTILE = "<script>alert(1)</script> %{x} <b>"

CLEAR = {
    "trial 3": [-150.0, -152.0, -149.0, -151.0, -150.5, -149.5],
    "trial 7": [-190.0, -195.0, -188.0, -192.0, -191.0, -189.0],
    "defaults": [-1100.0, -1150.0, -1120.0, -1090.0, -1180.0, -1130.0],
}
SEARCHED = {"trial 3": -140.0, "trial 7": -135.0, "defaults": -1200.0}

STATES = {
    "nothing done": ({"trial 3": [], "trial 7": [], "defaults": []}, {}),
    "one run": ({"trial 3": [-150.0], "trial 7": [], "defaults": []}, {}),
    "all broke": ({"trial 3": [None, None], "trial 7": [None], "defaults": []}, {}),
    "some broke": ({"trial 3": [-150.0, None], "trial 7": [None, None], "defaults": [-1.0]}, {}),
    "equal": ({"trial 3": [5.0, 5.0, 5.0], "trial 7": [5.0, 5.0, 5.0]}, {}),
    "alone": ({"trial 3": [1.0, 2.0, 3.0]}, {}),
    "clear": (CLEAR, {}),
    "ten runs": ({key: [*v, *v[:4]] for key, v in CLEAR.items()}, {}),
    "episodes": ({"trial 3": [float(i) for i in range(40)], "trial 7": [0.0, 1.0]}, {"mode": "weights"}),
    "hostile": (CLEAR, {"names": dict.fromkeys(CLEAR, HOSTILE)}),
    "huge": ({"trial 3": [1e300, 2e300], "trial 7": [-1e300, 0.0]}, {}),
}

FIGURES = {
    "runs": reevaluation_figure,
    "runs, to scale": lambda info, theme: reevaluation_figure(info, theme=theme, clip_outliers=False),
    "regression": regression_figure,
    "ranks": rank_figure,
}


def text_of(figure):
    return json.dumps(json.loads(figure.to_json()), ensure_ascii=False)  # Plotly's own JSON hides every "<"


def named(figure, name):
    return [trace for trace in figure.data if trace.name == name]


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("maximize", [True, False])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("figure", FIGURES)
def test_it_draws_whatever_was_found(figure, theme, maximize, state, reevaluated):
    runs, settings = STATES[state]
    info = reevaluated(runs, searched=SEARCHED, maximize=maximize, **settings)
    drawn = FIGURES[figure](info, theme=theme)
    text = text_of(drawn)
    for hostile in ("<script", "%{x}", "NaN", "Infinity", "nan"):
        assert hostile not in text
    assert drawn.layout.title.text.startswith("<b>")
    assert len(drawn.layout.title.text) > 12


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_run_is_a_dot_and_the_best_is_a_star(theme, reevaluated):
    figure = reevaluation_figure(reevaluated(CLEAR, searched=SEARCHED), theme=theme, clip_outliers=False)
    dots = [trace for trace in figure.data if trace.name and trace.name.startswith("one run")]
    assert sum(len(trace.x) for trace in dots) == 18
    (star,) = named(figure, "recommended")
    assert star.marker.symbol == "star"
    assert star.marker.color == palette(theme).best
    assert star.x[0] == pytest.approx(-150.33, abs=0.01)
    (baseline,) = named(figure, "one run of a baseline")
    assert set(baseline.marker.symbol) == {"square"}
    assert baseline.marker.color == palette(theme).baseline
    (search,) = named(figure, "in the search, once")
    assert list(search.x) == [-140.0, -135.0, -1200.0]
    assert all(symbol.endswith("-open") for symbol in search.marker.symbol)


def test_the_title_says_who_leads_with_the_interval_and_the_runs(reevaluated):
    info = reevaluated(CLEAR)
    title = reevaluation_figure(info).layout.title.text.replace("<br>", " ")
    assert "Trial 3 leads: -150 (95 % interval -151 to -149, 6 runs)" in title
    assert estimate_words(info.candidates[0], "run").startswith("-150 (95 %")


def test_from_ten_runs_on_the_middle_half_stands_for_a_candidate(reevaluated):
    runs = {"trial 3": [1.0] * 9 + [1000.0], "trial 7": [float(i) / 100 for i in range(10)]}
    figure = reevaluation_figure(reevaluated(runs), clip_outliers=False)
    (star,) = named(figure, "recommended")
    (mark,) = named(figure, "mean or IQM, 95 % interval")
    assert star.x[0] == pytest.approx(1.0), "the mean would be 100.9"
    assert mark.x[0] == pytest.approx(0.045), "the others stand at the same estimate"
    assert "IQM 1" in figure.layout.title.text.replace("<br>", " ")
    assert "IQM" in star.hovertext


def test_those_that_cannot_be_told_apart_are_named_and_shaded(reevaluated):
    runs = {"trial 3": [-150.0, -170.0, -160.0], "trial 7": [-155.0, -165.0, -161.0]}
    figure = reevaluation_figure(reevaluated(runs))
    assert "Trials 3 and 7 cannot be told apart" in figure.layout.title.text.replace("<br>", " ")
    assert len(figure.layout.shapes) == 2
    assert not reevaluation_figure(reevaluated(CLEAR)).layout.shapes


def test_agents_are_not_called_configurations(reevaluated):
    runs = {"trial 3": [float(i % 7) for i in range(40)], "trial 7": [100.0 + i % 5 for i in range(40)]}
    figure = reevaluation_figure(reevaluated(runs, mode="weights"))
    title = figure.layout.title.text.replace("<br>", " ")
    assert "The trained agent of Trial 7 leads" in title
    assert "40 episodes" in title
    assert "these agents, not their configurations" in title
    (dots,) = [t for t in figure.data if t.name == "one episode" and t.showlegend is not False]
    assert dots.marker.size == 5


@pytest.mark.parametrize("maximize", [True, False])
def test_what_is_far_worse_stands_at_the_border_unless_all_is_to_scale(maximize, reevaluated):
    sign = 1 if maximize else -1
    runs = {key: [sign * x for x in values] for key, values in CLEAR.items()}
    info = reevaluated(runs, maximize=maximize)
    assert has_outliers(info)
    arrow = "triangle-left" if maximize else "triangle-right"
    clipped = reevaluation_figure(info)
    (baseline,) = named(clipped, "one run of a baseline")
    assert set(baseline.marker.symbol) == {arrow}
    low, high = clipped.layout.xaxis.range
    assert high - low < 100
    assert "far off" in text_of(clipped)
    low, high = reevaluation_figure(info, clip_outliers=False).layout.xaxis.range
    assert high - low > 1000
    assert "far off" not in [t.text for t in reevaluation_figure(info, clip_outliers=False).data if t.text]


def test_no_candidate_of_the_search_leaves_the_picture(reevaluated):
    runs = {
        "trial 1": [-100.0, -100.1, -100.2, -100.1],
        "trial 2": [-100.1, -100.2, -100.0, -100.1],
        "trial 3": [-400.0, -410.0, -405.0, -400.0],
    }
    low, _ = reevaluation_figure(reevaluated(runs)).layout.xaxis.range
    assert low < -400


def test_broken_runs_are_crosses_and_given_up_ones_are_named(reevaluated):
    info = reevaluated({"trial 3": [1.0, 2.0, None, None], "trial 7": [0.0, 1.0, 0.5, 1.5]})
    (broken,) = named(reevaluation_figure(info), "broke, no value")
    assert len(broken.x) == 2
    assert broken.marker.symbol == "x-thin"
    runs = {"trial 3": CLEAR["trial 3"], "trial 7": CLEAR["trial 7"], "defaults": CLEAR["defaults"][:4]}
    raced = reevaluated(runs, racing=True, n_seeds=6)
    given_up = [c.dropped_after is not None for c in raced.candidates]
    assert any(given_up)
    assert ["given up" in word for word in reevaluation_figure(raced).layout.yaxis.ticktext] == given_up


class TestRegression:
    def test_the_line_y_is_x_is_in_view_with_every_trial_and_no_baseline(self, reevaluated):
        figure = regression_figure(reevaluated(CLEAR, searched=SEARCHED))
        line, *points = figure.data
        assert list(line.x) == list(line.y)
        assert line.line.dash == "dash"
        low, high = figure.layout.yaxis.range
        assert low <= min(line.y)
        assert max(line.y) <= high
        assert sorted(x for trace in points for x in trace.x) == [-140.0, -135.0]
        assert sorted(word for trace in points for word in trace.text) == ["3", "7"]

    @pytest.mark.parametrize(
        ("searched", "said"),
        [
            ({"trial 3": -140.0, "trial 7": -135.0}, "33.1 too good"),
            ({"trial 3": -160.0, "trial 7": -201.0}, "9.92 too poor"),
        ],
    )
    def test_the_title_says_by_how_much_the_search_flattered(self, searched, said, reevaluated):
        figure = regression_figure(reevaluated(CLEAR, searched=searched))
        assert said in figure.layout.title.text.replace("<br>", " ")

    def test_without_two_values_of_the_search_it_says_what_it_needs(self, reevaluated):
        figure = regression_figure(reevaluated(CLEAR, searched={"trial 3": 1.0, "defaults": 2.0}))
        assert not figure.data
        assert "needs two candidates" in figure.layout.annotations[0].text.replace("<br>", " ")


class TestRanks:
    def test_a_line_leads_from_the_old_rank_to_the_new_one(self, reevaluated):
        figure = rank_figure(reevaluated(CLEAR, searched=SEARCHED))
        ends = {trace.text[0].strip(): tuple(trace.y) for trace in figure.data}
        assert ends == {"Trial 3": (2, 1), "Trial 7": (1, 2), "SB3 defaults": (3, 3)}
        title = figure.layout.title.text.replace("<br>", " ")
        assert "Trial 7 falls from 1 to 2; Trial 3 is first" in title

    def test_who_stays_first_is_said_so(self, reevaluated):
        info = reevaluated(CLEAR, searched={"trial 3": -100.0, "trial 7": -110.0})
        assert "Trial 3 stays first" in rank_figure(info).layout.title.text

    def test_equal_ranks_do_not_lie_on_each_other(self, reevaluated):
        info = reevaluated(CLEAR, searched=dict.fromkeys(CLEAR, -100.0))
        assert sorted(trace.y[0] for trace in rank_figure(info).data) == [1, 2, 3]


SHORT = {"trial 1": [3.0, 3.1], "trial 2": [2.0, 2.1], "trial 3": [1.0, 1.1]}
LONG = {"trial 1": [1.0, 1.1], "trial 2": [2.0, 2.1], "trial 3": [3.0, 3.1]}


class TestBudgets:
    def test_both_rankings_and_their_correlation(self, reevaluated):
        short, long = reevaluated(SHORT), reevaluated(LONG, n_timesteps=2000)
        found = budget_comparison(long, short)
        assert found == budget_comparison(short, long)
        assert found.budgets == (1000, 2000)
        assert found.tau == pytest.approx(-1)
        assert [(line.name, line.before, line.after) for line in found.lines] == [
            ("Trial 3", 3, 1),
            ("Trial 2", 2, 2),
            ("Trial 1", 1, 3),
        ]
        assert "First with 1\u202f000 steps: Trial 1. First with 2\u202f000 steps: Trial 3." in found.sentence
        assert "unlike (Kendall's tau -1)" in found.sentence
        figure = budget_comparison_figure(found, theme="dark")
        assert list(figure.layout.xaxis.ticktext) == ["1\u202f000 steps", "2\u202f000 steps"]

    def test_a_ranking_that_holds_is_said_to_hold(self, reevaluated):
        found = budget_comparison(reevaluated(SHORT), reevaluated(SHORT, n_timesteps=4000))
        assert "Trial 1 is first with" in found.sentence
        assert "the same" in found.sentence

    def test_one_that_was_given_up_does_not_lead_by_its_few_runs(self, reevaluated):
        later = {
            "trial 1": [-165.0, -167.0, -163.0, *[-1000.0] * 7],  # well at first
            "trial 2": [-300.0, -302.0, -299.0],  # given up after these
            "trial 3": [-166.0, -163.0, -166.0, *[-1001.0] * 7],
        }
        raced = reevaluated(later, n_timesteps=2000, n_seeds=10, racing=True)
        assert [c.candidate.key for c in raced.candidates] == ["trial 1", "trial 3", "trial 2"]
        assert raced.candidates[-1].dropped_after == 3
        found = budget_comparison(reevaluated(SHORT), raced)
        assert [(line.name, line.before, line.after) for line in found.lines] == [
            ("Trial 1", 1, 1),
            ("Trial 3", 3, 2),
            ("Trial 2", 2, 3),
        ]
        assert found.tau == pytest.approx(1 / 3)
        assert "Trial 1 is first with" in found.sentence

    def test_what_cannot_be_compared_is_not(self, reevaluated):
        short = reevaluated(SHORT)
        assert budget_comparison(short, reevaluated(LONG)) is None, "the same budget"
        others = {"trial 8": [1.0], "trial 1": [2.0]}
        assert budget_comparison(short, reevaluated(others, n_timesteps=2000)) is None, "one in common"
        agents = reevaluated(LONG, mode="weights", n_timesteps=2000)
        assert budget_comparison(short, agents) is None, "an agent is no configuration"
