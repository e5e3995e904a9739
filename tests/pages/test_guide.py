"""The guide, without any study, beside one, and on a server that changes nothing."""

import json

PAGE = "pages/guide.py"


def titles(app):
    return [json.loads(chart.proto.spec)["layout"]["title"]["text"] for chart in app.get("plotly_chart")]


def links(app):
    return {link.proto.page for link in app.get("page_link")}


def test_without_a_study_the_guide_teaches_with_what_ships(open_page, shown):
    app = open_page(PAGE)
    text = shown(app)
    for step in ("1. Define the search space", "2. Define the objective", "3. Choose a sampler", "4. Launch"):
        assert step in text
    assert "Antonin Raffin" in text
    assert len(titles(app)) == 5
    assert len(app.expander) == 6
    assert {"saturation", "reevaluation", "live", "rollouts", "history"} <= links(app)


def test_pruning_can_be_tried_in_the_picture(open_page):
    app = open_page(PAGE)
    before = titles(app)
    (choice,) = [group for group in app.button_group if group.label == "Trials may be pruned"]
    choice.set_value(0.0).run()
    assert not app.exception
    after = titles(app)
    assert [a == b for a, b in zip(before, after, strict=True)].count(False) == 1


def test_the_reference_is_of_the_chosen_algorithm(open_page):
    app = open_page(PAGE)
    assert app.selectbox(key="reference").value == "PPO"
    assert "`clip_range`" in list(app.table[0].value["Parameter"])
    app.selectbox(key="reference").set_value("SAC").run()
    assert not app.exception
    names = list(app.table[0].value["Parameter"])
    assert "`tau`" in names
    assert "`clip_range`" not in names


def test_links_to_launch_lead_to_the_control(open_page):
    app = open_page(PAGE)
    found = {link.proto.url for link in app.get("link_button")}
    assert {"launch#space", "launch#budget", "launch#method"} <= found


def test_a_server_that_changes_nothing_offers_no_launch(open_page, monkeypatch, make_study):
    make_study()
    monkeypatch.setenv("EDGEWISE_READ_ONLY", "1")
    app = open_page(PAGE)
    assert not app.exception
    assert "launch" not in links(app)
    assert "history" in links(app)
