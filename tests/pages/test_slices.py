import json

import pytest

PAGE = "pages/slices.py"


def figures(app):
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def test_without_a_study_the_page_says_what_to_do(open_page, shown):
    app = open_page(PAGE)
    assert "No study yet" in shown(app)
    assert not app.get("plotly_chart")


def test_a_study_without_trials_points_to_live(open_page, make_study, shown):
    make_study(n_complete=0, n_pruned=0, n_failed=0, state=None)
    app = open_page(PAGE)
    assert "This study has no trials yet" in shown(app)
    assert "Live" in [link.value for link in app.get("page_link")]


def test_a_finished_study_has_every_view(open_page, make_study, shown):
    make_study(n_complete=14, n_pruned=2, n_failed=1, search_space="starter")
    app = open_page(PAGE)
    text = shown(app)
    assert "matters most" in text
    assert "rough guide" in text
    for heading in (
        "Importance",
        "Two parameters together",
        "Ranks over every pair",
        "All parameters together",
    ):
        assert heading in text
    slices, importance, pair, ranks, together = figures(app)
    assert len([k for k in ranks["layout"] if k.startswith("xaxis")]) == 6
    names = {"n_steps_pow", "gamma", "learning_rate", "activation_fn"}
    titles = {axis["title"]["text"].split(" ")[0] for k, axis in slices["layout"].items() if k[:5] == "xaxis"}
    assert titles == names
    assert set(importance["layout"]["yaxis"]["ticktext"]) == names
    assert pair["data"][0]["type"] in ("contour", "heatmap")
    assert together["data"]


def test_the_pair_is_by_default_the_two_most_important_and_can_be_linked(open_page, make_study):
    folder = make_study(n_complete=14, search_space="starter")
    app = open_page(PAGE, study=folder.id)
    ranked = figures(app)[1]["layout"]["yaxis"]["ticktext"][::-1]
    assert [app.selectbox(key=key).value for key in ("x", "y")] == ranked[:2]
    app = open_page(PAGE, study=folder.id, x="gamma", y="learning_rate")
    assert [app.selectbox(key=key).value for key in ("x", "y")] == ["gamma", "learning_rate"]
    assert figures(app)[2]["layout"]["xaxis"]["title"]["text"] == "gamma"


def test_a_pair_of_the_same_parameter_is_said(open_page, make_study, shown):
    folder = make_study(n_complete=14, search_space="starter")
    app = open_page(PAGE, study=folder.id, x="gamma", y="gamma")
    assert "Pick two different parameters" in shown(app)


def test_wrong_parameters_in_a_link_are_ignored(open_page, make_study):
    folder = make_study(n_complete=14, search_space="starter")
    app = open_page(PAGE, study=folder.id, x="<script>", y="nothing")
    assert not app.exception
    assert len(figures(app)) == 5


def test_too_few_trials_are_said_where_they_matter(open_page, make_study, shown):
    make_study(n_complete=3, n_pruned=0, n_failed=0, search_space="starter")
    app = open_page(PAGE)
    text = shown(app)
    assert "matters most" not in text
    assert "needs 10 complete trials" in text
    assert "this view needs 4" in text
    assert len(figures(app)) == 2


def test_one_parameter_is_not_weighed_against_others(open_page, make_study, shown):
    make_study(n_complete=12)
    app = open_page(PAGE)
    assert "With one parameter" in shown(app)
    assert len(figures(app)) == 1


def test_many_parameters_are_all_drawn(open_page, make_study):
    make_study(n_complete=12, search_space="rl-zoo")
    app = open_page(PAGE)
    assert not app.exception
    slices, importance = figures(app)[:2]
    assert len([k for k in slices["layout"] if k.startswith("xaxis")]) == 11
    assert len(importance["layout"]["yaxis"]["ticktext"]) == 11


def test_the_toggles_change_the_plot(open_page, make_study):
    make_study(n_complete=5, n_pruned=3, n_failed=0, search_space="starter")
    app = open_page(PAGE)
    assert "pruned" in [t.get("name") for t in figures(app)[0]["data"]]
    app.toggle(key="pruned").set_value(False).run()
    assert "pruned" not in [t.get("name") for t in figures(app)[0]["data"]]


def test_a_chosen_trial_leads_to_history(open_page, make_study):
    folder = make_study(n_complete=5)
    app = open_page(PAGE, study=folder.id, trial="3")
    assert any("Trial 3" in link.value and "History" in link.value for link in app.get("page_link"))


@pytest.mark.parametrize(
    ("n_pruned", "n_failed", "words"), [(0, 3, "All 3 trials failed"), (3, 0, "3 trials pruned")]
)
def test_without_a_complete_trial_the_page_says_why(open_page, make_study, shown, n_pruned, n_failed, words):
    make_study(n_complete=0, n_pruned=n_pruned, n_failed=n_failed)
    app = open_page(PAGE)
    assert words in shown(app)
    assert not figures(app)


def test_a_running_study_shows_what_has_ended(open_page, running, shown):
    app = open_page(PAGE, study=running.id)
    assert not app.exception
    assert app.toggle(key="follow").value
    assert len(figures(app)) == 1


def test_a_wrong_study_is_said(open_page, make_study, shown):
    make_study()
    assert "There is no study named" in shown(open_page(PAGE, study="nobody"))
