import json

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from storage.artifacts import pinned_trials, save_policy
from storage.journal import STUDY_NAME, open_journal
from storage.trials import BASELINE, DIVERGED
from tests.shipped import BEST, SECOND, reached
from tuning.winner import choose_winner

PAGE = "pages/history.py"
HOSTILE = "<script>alert(1)</script> **bold** [x](http://evil.example) :material/home: $x$"


def figure(app, place=0):
    return json.loads(app.get("plotly_chart")[place].proto.spec)


def test_without_a_study_the_page_says_what_to_do(open_page, shown):
    app = open_page(PAGE)
    assert "No study yet" in shown(app)
    assert not app.get("plotly_chart")


def test_a_study_without_trials_points_to_live(open_page, make_study, shown):
    make_study(n_complete=0, n_pruned=0, n_failed=0, state=None)
    app = open_page(PAGE)
    assert "no trials yet" in shown(app)
    assert "Live" in [link.value for link in app.get("page_link")]


def test_a_finished_study_is_answered_counted_and_drawn(open_page, make_study, shown):
    make_study(n_complete=4, n_pruned=1, n_failed=1)
    app = open_page(PAGE)
    text = shown(app)
    assert "Best so far: -700 (trial 3) after 5 trials; nothing better for 1." in text.replace("\\", "")
    for words in ("5 of 5 trials", "4 complete", "1 pruned", "1 failed"):
        assert words in text
    assert "Best so far: -700" in figure(app)["layout"]["title"]["text"]
    assert "follow" not in [toggle.key for toggle in app.toggle]


@pytest.mark.parametrize("kind", ["stopped", "killed", "interrupted"])
def test_a_trial_that_was_set_aside_did_not_fail(open_page, make_study, shown, kind):
    make_study(n_complete=4, n_pruned=1, n_failed=2, failure_kind=kind)
    app = open_page(PAGE)
    assert f"2 {kind}" in shown(app)
    assert "failed" not in shown(app)
    title = figure(app)["layout"]["title"]["text"].replace("<br>", " ")
    assert f"4 complete · 1 pruned · 2 {kind}" in title


def test_the_toggles_change_the_plot(open_page, make_study):
    make_study(n_complete=12, n_pruned=2, n_failed=0)
    app = open_page(PAGE)
    names = [t.get("name", "") for t in figure(app)["data"]]
    assert any("pruned" in name for name in names)
    app.toggle(key="pruned").set_value(False).run()
    assert not any("pruned" in t.get("name", "") for t in figure(app)["data"])
    app.toggle(key="log").set_value(True).run()
    assert "gap to best" in figure(app)["layout"]["yaxis"]["title"]["text"]
    assert app.toggle(key="clip").disabled


def test_a_link_sets_the_toggles(open_page, make_study):
    make_study(n_complete=12, n_pruned=2, n_failed=0)
    app = open_page(PAGE, log="true", pruned="false")
    assert [app.toggle(key=key).value for key in ("pruned", "log", "clip")] == [False, True, True]
    assert "gap to best" in figure(app)["layout"]["yaxis"]["title"]["text"]


@pytest.mark.parametrize("view", ["Learning", "Timeline", "Table"])
def test_every_view_opens_by_link(open_page, make_study, view):
    folder = make_study(n_complete=4)
    app = open_page(PAGE, study=folder.id, view=view)
    assert not app.exception
    assert bool(app.get("plotly_chart")) == (view != "Table")
    assert bool(app.dataframe) == (view == "Table")


def test_the_table_lists_the_best_first_and_filters(open_page, make_study, shown):
    folder = make_study(n_complete=3, n_pruned=1, n_failed=1)
    app = open_page(PAGE, study=folder.id, view="Table")
    table = app.dataframe[0].value
    assert table["number"].tolist() == [2, 1, 0, 3, 4]
    assert table["state"].tolist() == ["complete"] * 3 + ["pruned", "failed"]
    assert table.set_index("number").loc[1, "trained_by"] == "Stable-Baselines3 (gSDE <b>)"
    assert (table["duration_s"] < 1).all()
    columns = json.loads(app.dataframe[0].proto.columns)
    assert columns["duration_s"]["type_config"]["format"] == "plain"  # whole seconds would be 0
    app.button_group(key="trial-states").set_value(["failed"]).run()
    assert app.dataframe[0].value["number"].tolist() == [4]
    app.button_group(key="trial-states").set_value([]).run()
    app.text_input(key="trial-text").set_value("BOOM").run()
    assert app.dataframe[0].value["number"].tolist() == [4]
    app.text_input(key="trial-text").set_value("gsde").run()
    assert app.dataframe[0].value["number"].tolist() == [1]
    app.text_input(key="trial-text").set_value("(nothing").run()
    assert "No trial matches" in shown(app)


def test_a_link_shows_its_trial(open_page, make_study, shown):
    folder = make_study(n_complete=4, search_space="starter")
    app = open_page(PAGE, study=folder.id, trial="2")
    text = shown(app)
    assert "Return: -800" in text
    assert "20 between episodes" in str([m.delta for m in app.metric])
    assert app.selectbox(key="trial-picker").value == 2
    assert "Trial 2" in figure(app, place=1)["layout"]["title"]["text"]
    parameters = app.dataframe[0].value.set_index("Parameter")
    power = int(parameters.loc["n_steps_pow", "Stored"])
    assert parameters.loc["n_steps_pow", "received"] == str(2**power)
    assert '"train_seed": 1' in text
    assert "Trained by fast kernels." in text
    fallback = shown(open_page(PAGE, study=folder.id, trial="1"))
    assert r"Trained by Stable\-Baselines3 \(gSDE \<b\>\)." in fallback


def test_picking_a_trial_writes_the_address_and_keeps_the_study(open_page, make_study, shown):
    folder = make_study(n_complete=4)
    app = open_page(PAGE, study=folder.id)
    assert "Return:" not in shown(app)
    app.selectbox(key="trial-picker").set_value(1).run()
    assert "Return: -900" in shown(app)
    assert app.query_params["trial"] in ("1", ["1"])
    assert app.query_params["study"] in (folder.id, [folder.id])


@pytest.mark.parametrize("wrong", ["99", "-1", "x", "1.5", "9" * 5000, "٣", "<b>1</b>"])
def test_a_wrong_trial_number_is_said(open_page, make_study, shown, wrong):
    folder = make_study(n_complete=4, n_pruned=1, n_failed=1)
    app = open_page(PAGE, study=folder.id, trial=wrong)
    assert "This study has no trial" in shown(app)
    assert "numbered 0 to 5" in shown(app)


def test_a_wrong_study_is_said(open_page, make_study, shown):
    make_study()
    app = open_page(PAGE, study="../../etc")
    assert "There is no study named" in shown(app)


def test_another_study_forgets_the_trial(open_page, make_study, shown):
    first, second = make_study("first"), make_study("second")
    app = open_page(PAGE, study=first.id, trial="1")
    assert "Return: -900" in shown(app)
    app.selectbox(key="study-picker").set_value(second.id).run()
    assert "trial" not in app.query_params
    assert "Return:" not in shown(app)


def test_a_failed_trial_shows_its_error_and_traceback_as_text(open_page, make_study):
    folder = make_study(n_complete=1, n_pruned=0, n_failed=1, failure=HOSTILE)
    app = open_page(PAGE, study=folder.id, trial="1")
    assert not app.exception
    (error,) = (e.value for e in app.error)
    assert "\\<script\\>" in error
    assert "\\*\\*bold\\*\\*" in error
    assert "://" not in error.replace("\\", "")
    assert any(code.value.startswith("Traceback ...\n<script>") for code in app.code)
    spec = app.get("plotly_chart")[0].proto.spec
    assert "<script>" not in spec
    assert "u003cscript" not in spec.lower()


def test_hostile_names_of_a_baseline_and_a_divergence_stay_text(open_page, make_study, shown):
    folder = make_study(n_complete=1, n_pruned=0, n_failed=0)
    study = optuna.load_study(study_name=STUDY_NAME, storage=open_journal(folder.journal))
    trial = study.ask()
    trial.set_user_attr(BASELINE, HOSTILE)
    study.tell(trial, -5000.0)
    trial = study.ask()
    trial.set_user_attr(DIVERGED, HOSTILE)
    study.tell(trial, state=TrialState.PRUNED)
    for number in ("1", "2"):
        text = shown(open_page(PAGE, study=folder.id, trial=number))
        assert "\\<script\\>" in text
        assert "<script>" not in text.replace("\\<", "")


def test_only_failed_trials_have_no_best_but_their_errors(open_page, make_study, shown):
    folder = make_study(n_complete=0, n_pruned=0, n_failed=3, state="failed", reason="Three in a row.")
    text = shown(open_page(PAGE, study=folder.id, trial="2"))
    assert "All 3 trials failed" in text
    assert "There is none until a trial is complete" in text
    assert "ValueError: boom" in text


def test_only_pruned_trials_are_drawn_without_a_best(open_page, make_study, shown):
    make_study(n_complete=0, n_pruned=3, n_failed=0)
    app = open_page(PAGE)
    text = shown(app)
    assert "3 pruned" in text
    assert "Best so far" not in text
    assert any("pruned" in t.get("name", "") for t in figure(app)["data"])


def test_the_best_configuration_comes_in_three_formats(open_page, make_study, shown):
    folder = make_study(n_complete=4, search_space="starter")
    app = open_page(PAGE, study=folder.id)
    assert "Trial 3 reached -700." in shown(app).replace("\\", "")
    for label, sign in (("YAML", "Pendulum-v1:"), ("Python", "model = PPO("), ("JSON", '"algorithm": "PPO"')):
        app.button_group(key="best-format").set_value(label).run()
        assert sign in shown(app)
        button = next(b for b in app.get("download_button") if b.proto.label == f"Download {label}")
        assert button.proto.id


def test_a_kept_trial_can_be_pinned_and_freed(open_page, make_study):
    folder = make_study(n_complete=4)
    save_policy(folder, 2, {"w": np.zeros(2)}, {})
    app = open_page(PAGE, study=folder.id, trial="2")
    key = f"pin-{folder.id}-2"
    assert "Its weights are kept." in [c.value for c in app.caption]
    app.toggle(key=key).set_value(True).run()
    assert pinned_trials(folder) == {2}
    assert app.toggle(key=key).value
    app.toggle(key=key).set_value(False).run()
    assert pinned_trials(folder) == set()
    app = open_page(PAGE, study=folder.id, trial="1")
    assert app.toggle(key=f"pin-{folder.id}-1").disabled
    assert any("were not kept" in c.value for c in app.caption)


def test_a_running_study_shows_what_has_ended_and_its_running_trial(open_page, running, shown):
    number = "6"  # after four complete, one pruned and one failed trial
    app = open_page(PAGE, study=running.id, trial=number)
    text = shown(app)
    assert "1 running" in text
    assert app.toggle(key="follow").value
    assert app.selectbox(key="trial-picker").value == 6
    assert "evaluated" in str(figure(app, place=1)) or "Trial 6" in str(figure(app, place=1)["layout"])
    assert any("saved when it completes" in c.value for c in app.caption)


def test_a_trial_that_ends_while_the_page_is_open_appears(open_page, running, shown):
    app = open_page(PAGE, study=running.id)
    assert "Best so far: -700" in shown(app).replace("\\", "")
    study = optuna.load_study(study_name=STUDY_NAME, storage=open_journal(running.journal))
    trial = study.ask()
    trial.suggest_float("learning_rate", 3e-5, 3e-3, log=True)
    study.tell(trial, -10.0)
    app.run()
    assert "Best so far: -10 " in shown(app).replace("\\", "")


def test_a_best_trial_that_was_lucky_is_said_to_be(open_page, recorded, add_reevaluation, shown):
    before = shown(open_page(PAGE, study=recorded.id)).replace("\\", "")
    assert f"{reached(BEST)} is the best of many noisy numbers, so it flatters trial {BEST}." in before
    add_reevaluation(
        recorded, {f"trial {BEST}": [-300.0, -330.0, -360.0], f"trial {SECOND}": [-170.0, -172.0, -174.0]}
    )
    after = shown(open_page(PAGE, study=recorded.id)).replace("\\", "")
    assert (
        f"Trial {BEST} gave {reached(BEST)} in the search, and -330 on average in 3 new training runs."
        in after
    )
    assert f"reached {reached(SECOND)} in the search, and -172 on average in 3 new training runs." in after
    assert f"Trial {SECOND}, recommended by its re-evaluation" in after


def test_the_chosen_trial_is_the_one_to_take_home(open_page, recorded, add_reevaluation, shown):
    add_reevaluation(
        recorded, {f"trial {BEST}": [-300.0, -330.0, -360.0], f"trial {SECOND}": [-170.0, -172.0, -174.0]}
    )
    choose_winner(recorded, BEST, expected=-330.0)
    text = shown(open_page(PAGE, study=recorded.id)).replace("\\", "")
    assert (
        f"Trial {BEST}, the winner that was chosen, reached {reached(BEST)} in the search, and -330" in text
    )


def test_the_distribution_counts_own_trials_and_on_request_imported_ones(open_page, runs):
    from tuning import examples

    runs.mkdir()
    folder = examples.copy_recorded(examples.recorded_pairs()[0][1], runs)
    app = open_page(PAGE, study=folder.id, view="Distribution")
    (spread,) = (json.loads(chart.proto.spec) for chart in app.get("plotly_chart"))
    assert [trace["name"] for trace in spread["data"]] == ["this study"]
    app.toggle(key="parent").set_value(True).run()
    (spread,) = (json.loads(chart.proto.spec) for chart in app.get("plotly_chart"))
    assert [trace["name"] for trace in spread["data"]] == ["this study", "imported"]


def test_a_distribution_of_too_few_trials_says_what_it_needs(open_page, make_study, shown):
    folder = make_study(n_complete=1)
    app = open_page(PAGE, study=folder.id, view="Distribution")
    assert "needs 2 complete trials" in shown(app)


def test_where_all_trials_tie_none_is_said_to_be_lucky(open_page, make_study, shown):
    folder = make_study(n_complete=0, n_pruned=0, n_failed=0)
    study = optuna.load_study(study_name=STUDY_NAME, storage=open_journal(folder.journal))
    for _ in range(3):
        trial = study.ask()
        trial.suggest_float("learning_rate", 3e-5, 3e-3, log=True)
        study.tell(trial, 8.0)
    text = shown(open_page(PAGE, study=folder.id)).replace("\\", "")
    assert "All 3 complete trials reached 8: the search prefers none of them." in text
    assert "flatters" not in text
