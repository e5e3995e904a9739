import json
from types import SimpleNamespace

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import create_trial

from pages.components import more_trials, weighing
from storage.journal import STUDY_NAME, open_journal
from storage.roots import VARIABLE
from tuning import launch
from tuning.analysis import saturation
from tuning.jobs import JobState
from tuning.opening import open_study
from tuning.spec import load_spec

PAGE = "pages/saturation.py"
HOSTILE = "<script>alert(1)</script> **bold** [x](http://evil.example) $x$"


@pytest.fixture(autouse=True)
def _patient(monkeypatch):
    """Draw verdicts at once however slow the machine is, but where a test is about waiting."""
    monkeypatch.setattr(weighing, "_WAIT_S", 30)


@pytest.fixture
def edge(make_study):
    """A study of ours whose best lies beyond the upper bound of the learning rate, after 60 trials."""
    folder = make_study("edge", n_complete=0, n_pruned=0, n_failed=0, n_trials=60)
    study = optuna.load_study(study_name=STUDY_NAME, storage=open_journal(folder.journal))
    rate = FloatDistribution(3e-5, 3e-3, log=True)
    for i in range(60):
        u = (i * 0.6180339887) % 1
        params = {"learning_rate": 3e-5 * 100**u}
        trial = create_trial(params=params, distributions={"learning_rate": rate}, value=-500 + 300 * u)
        study.add_trial(trial)
    return folder


def figures(app):
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def plain(text):
    return text.replace("\\", "")


def test_without_a_study_the_page_says_what_to_do(open_page, shown):
    app = open_page(PAGE)
    assert "No study yet" in shown(app)
    assert not app.get("plotly_chart")


def test_a_study_without_trials_points_to_live(open_page, make_study, shown):
    make_study(n_complete=0, n_pruned=0, n_failed=0, state=None)
    app = open_page(PAGE)
    assert "This study has no trials yet" in shown(app)
    assert "Live" in [link.value for link in app.get("page_link")]


def test_an_edge_is_answered_drawn_and_explained(open_page, edge, shown):
    app = open_page(PAGE, study=edge.id)
    text = plain(shown(app))
    assert "too narrow: learning_rate above" in text or "too narrow: learning_rate" in text
    assert "learning_rate presses its upper bound" in text or "learning_rate probably presses" in text
    assert "Declared 3e-5 to 0.003, log · suggested **3e-5 to 0.03**" in text
    (figure,) = figures(app)
    assert "in the top tenth" in figure["layout"]["title"]["text"]
    assert any(s["line"].get("dash") == "dash" for s in figure["layout"]["shapes"])
    primary = [b.label for b in app.button if b.proto.type == "primary"]
    assert primary == ["Widen and continue"]
    assert "Start the probe" in [b.label for b in app.button]  # waits in a popover
    assert "where it still gains at a solid bound" in text
    assert not [b for b in app.button if "more trial" in b.label]
    app.session_state["why-learning_rate"] = True
    app.run()
    text = plain(shown(app))
    assert "If learning_rate had no effect" in text
    for words in ("after 15", "after 30", "after 45", "after all 60 trials"):
        assert words in text
    counts = app.table[0].value
    assert counts.loc["Best trials in the edge zone"].iloc[1] == "6 of 9"


def test_too_few_trials_ask_for_more_and_a_button_extends_the_budget(
    open_page, make_study, shown, monkeypatch
):
    folder = make_study(n_complete=12, n_pruned=0, n_failed=1, n_trials=12)
    started = []
    monkeypatch.setattr(launch, "start", started.append)
    app = open_page(PAGE, study=folder.id)
    assert "Not enough evidence yet: run at least 18 more trials." in plain(shown(app))
    (button,) = [b for b in app.button if b.label == "Run 18 more trials"]
    button.click().run()
    assert load_spec(folder.spec).budget.n_trials == 30
    assert [f.id for f in started] == [folder.id]
    assert "How is it going?" in shown(app)  # Live


def test_a_budget_that_is_not_used_up_is_only_resumed(open_page, make_study, monkeypatch):
    folder = make_study(n_complete=12, n_pruned=0, n_failed=0, n_trials=100, state="stopped")
    monkeypatch.setattr(launch, "start", lambda folder: None)
    app = open_page(PAGE, study=folder.id)
    (button,) = [b for b in app.button if "more trials" in b.label]
    assert button.label == "Run 88 more trials"
    button.click().run()
    assert load_spec(folder.spec).budget.n_trials == 100


def test_what_cannot_be_started_is_said_on_the_page(open_page, make_study, shown, monkeypatch):
    folder = make_study(n_complete=12, n_pruned=0, n_failed=0, n_trials=12)

    def refuse(*args, **kwargs):
        raise OSError("No space left on device")

    monkeypatch.setattr(launch, "resume", refuse)
    app = open_page(PAGE, study=folder.id)
    next(b for b in app.button if "more trials" in b.label).click().run()
    assert "No space left on device" in plain(shown(app))
    assert "Was the search space too narrow?" in shown(app)


def test_a_running_study_says_when_its_verdicts_come(open_page, running, shown):
    app = open_page(PAGE, study=running.id)
    text = plain(shown(app))
    assert "Not enough evidence yet" in text
    labels = [button.label for button in app.button]
    assert "Add 18 more trials to the budget" in labels  # 5 done, a budget of 12, 25 more needed


@pytest.mark.parametrize(
    ("budget", "said"), [(30, "1 trial of its budget is still"), (31, "2 trials of its budget are")]
)
def test_how_many_trials_are_still_to_come_is_said_in_grammar(monkeypatch, budget, said):
    sentences = []
    monkeypatch.setattr(more_trials.st, "info", lambda words, **_: sentences.append(words))
    monkeypatch.setattr(more_trials, "most_missing", lambda info: 1)
    run = SimpleNamespace(
        spec=SimpleNamespace(budget=SimpleNamespace(n_trials=budget)),
        study=SimpleNamespace(trials=[create_trial(value=1.0)] * 29),
        status=SimpleNamespace(state=JobState.RUNNING),
    )
    more_trials.draw(run, SimpleNamespace(parameters=()), primary=True)
    assert said in sentences[0]


def test_while_the_evidence_is_weighed_the_page_says_so(open_page, edge, shown, monkeypatch):
    monkeypatch.setattr(weighing, "_WAIT_S", 0.0)
    monkeypatch.setattr(weighing, "_waited", lambda future: None)
    app = open_page(PAGE, study=edge.id)
    assert "Was the search space too narrow?" in shown(app)
    assert [status.label for status in app.status] == ["Weighing the evidence of 60 trials"]
    assert not app.get("plotly_chart")


def test_evidence_that_cannot_be_weighed_is_a_sentence(open_page, edge, shown, monkeypatch, capsys):
    def fail(*args, **kwargs):
        raise ArithmeticError("secret /path")

    monkeypatch.setattr(saturation, "saturation_info", fail)
    app = open_page(PAGE, study=edge.id)
    text = plain(shown(app))
    assert "The evidence cannot be weighed: ArithmeticError" in text
    assert "secret" not in text
    assert "secret" in capsys.readouterr().err
    assert not app.status


def test_new_trials_leave_the_earlier_verdicts_in_view_while_they_are_weighed(
    open_page, edge, shown, monkeypatch
):
    open_page(PAGE, study=edge.id)
    study = optuna.load_study(study_name=STUDY_NAME, storage=open_journal(edge.journal))
    rate = FloatDistribution(3e-5, 3e-3, log=True)
    one = {"learning_rate": rate}
    study.add_trial(create_trial(params={"learning_rate": 1e-4}, distributions=one, value=-400.0))
    monkeypatch.setattr(weighing, "_waited", lambda future: None)
    app = open_page(PAGE, study=edge.id)
    assert "learning_rate above" in plain(shown(app))
    assert [status.label for status in app.status] == ["Weighing the evidence of 61 trials"]
    assert len(app.get("plotly_chart")) == 1


def test_a_study_that_is_not_ours_is_judged_and_its_budget_left_alone(
    open_page, runs, tmp_path, monkeypatch, write_study, shown
):
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    folder = open_study(write_study(tmp_path / "theirs.db", n_trials=12), "ppo", runs)
    app = open_page(PAGE, study=folder.id)
    text = plain(shown(app))
    assert "Not enough evidence yet: run at least 18 more trials." in text
    assert "run 18 more trials where it lives" in text
    assert not [b for b in app.button if "more trial" in b.label]


def test_names_from_a_study_show_as_they_are(open_page, make_study, shown):
    folder = make_study(n_complete=0, n_pruned=0, n_failed=0, n_trials=40)
    study = optuna.load_study(study_name=STUDY_NAME, storage=open_journal(folder.journal))
    for i in range(40):
        u = (i * 0.6180339887) % 1
        one = {HOSTILE: FloatDistribution(0, 1)}
        study.add_trial(create_trial(params={HOSTILE: u}, distributions=one, value=u))
    app = open_page(PAGE, study=folder.id)
    text = shown(app)
    assert "\\<script\\>" in text
    assert "<script>" not in text
    assert "**bold**" not in text
    for chart in app.get("plotly_chart"):
        assert "<script" not in json.dumps(json.loads(chart.proto.spec), ensure_ascii=False)


def test_of_quiet_cards_only_the_first_is_open_until_another_is_asked_for(open_page, make_study, shown):
    folder = make_study(n_complete=14, n_pruned=2, n_failed=1, search_space="starter", n_trials=16)
    app = open_page(PAGE, study=folder.id)
    assert len(app.get("plotly_chart")) == 1  # of the first
    closed = next(name for name in ("gamma", "n_steps_pow") if f"on {name}: run" not in plain(shown(app)))
    app.session_state[f"quiet-{closed}"] = True
    app.run()
    assert len(app.get("plotly_chart")) == 2
    assert f"Not enough evidence on {closed}" in plain(shown(app))


@pytest.mark.parametrize("file", [None, "pages/live.py", "pages/history.py", "pages/slices.py"])
def test_the_worst_verdict_shows_where_the_study_does(open_page, edge, file):
    open_page(PAGE, study=edge.id)  # so that it is known
    app = open_page(file, study=edge.id)
    assert not app.exception
    if file is None:
        (table,) = app.dataframe
        assert list(table.value["ranges"]) == ["Too narrow"]
    else:
        labels = [link.proto.label for link in app.get("page_link")]
        assert any("Too narrow: learning_rate" in plain(label) for label in labels)
