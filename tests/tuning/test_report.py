"""A report is one safe file: what the study found is in it, and what the study says stays text."""

import json
import re
from html.parser import HTMLParser

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution

from storage.winner import Winner, write_winner
from tests.shipped import BEST, FOURTH, N_TRIALS, SECOND, reached
from tuning import launch, report, report_facts
from tuning.analysis.reevaluation import reevaluation_info
from tuning.analysis.words import three_digits, whole
from tuning.export_choice import UnknownTrial
from tuning.mapping import guess_mapping, save_mapping
from tuning.opening import open_study
from tuning.reevaluation_jobs import find_reevaluations
from tuning.remarks import rename, write_note
from tuning.report import build_report
from tuning.report_findings import study_findings
from tuning.report_plots import inline_figure
from tuning.report_reevaluation import reevaluated
from tuning.report_videos import left_out_words, report_videos
from tuning.rollout import KeptTrial
from tuning.spec import build_spec
from tuning.trainers import study_trainers

MEANS = {f"trial {SECOND}": [-150.0 - i for i in range(6)], f"trial {BEST}": [-190.0 - i for i in range(6)]}
MEANS["defaults"] = [-1100.0 + i for i in range(6)]
HOSTILE = "</script><script>alert(1)</script><img src=http://evil.example/x onerror=alert(1)>"


class Page(HTMLParser):
    """What a browser would make of the file, as far as it matters here."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict]] = []
        self.texts: list[str] = []
        self.scripts: list[tuple[dict, str]] = []
        self.headings: list[str] = []
        self._script: dict | None = None
        self._tag = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._script = dict(attrs) if tag == "script" else None
        self._tag = tag

    def handle_endtag(self, tag):
        self._script = None
        self._tag = ""

    def handle_data(self, data):
        if self._script is not None:
            self.scripts.append((self._script, data))
        elif self._tag != "style":
            self.texts.append(data)
        if self._tag in ("h1", "h2"):
            self.headings.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def figures(self) -> list[dict]:
        return [json.loads(text) for attrs, text in self.scripts if attrs.get("type") == "application/json"]


def page_of(folder, **options) -> Page:
    return Page(build_report(launch.read_run(folder), **options).html)


def titles(page: Page) -> str:
    return " ".join(str(f["layout"].get("title", {}).get("text", "")) for f in page.figures())


@pytest.fixture
def told(recorded, add_reevaluation, add_rollout):
    """A study about which everything is known."""
    job = add_reevaluation(recorded, MEANS)
    write_winner(recorded, Winner(SECOND, -151.5, job.id, 1.8e9))
    add_rollout(
        recorded, KeptTrial(study=recorded.id, number=FOURTH), KeptTrial(study=recorded.id, number=SECOND)
    )
    return recorded


def test_the_answer_comes_first_and_every_section_is_there(told):
    said = []
    built = build_report(launch.read_run(told), say=said.append)
    page = Page(built.html)
    text = page.text
    assert page.headings == [
        "PPO on Pendulum-v1",
        "Seen in play",
        "What was searched",
        "Did it converge?",
        "Which parameters matter, and where?",
        "Was the search space too narrow?",
        "Is the winner real?",
        "The configuration",
        "Do it again",
    ]
    (job,) = find_reevaluations(told)
    recommended = reevaluation_info(job.question, job.results).recommendation
    assert f"Trial {SECOND}" in recommended
    assert text.index(" ".join(recommended.split())) < text.index("Seen in play")
    assert f"Trial {SECOND} was chosen as the winner" in text
    assert "learning_rate 3e-5 to 0.003 log" in text
    assert f"Best so far: {reached(BEST)} (trial {BEST}) after {N_TRIALS} trials" in text
    assert "3 candidates, trained again from scratch on up to 6 fresh seeds" in text
    assert "18 of 18 runs are done. Trained by fast kernels." in text
    trainers = study_trainers(launch.read_run(told).study.trials)
    assert trainers
    assert f"Trained by {trainers}" in text.replace("Trained by fast kernels.", "")
    assert "Sampler TPE, 10 random trials first Pruner Median, after 10 complete trials" in text
    assert "python -m tuning launch spec.yaml --wait" in text
    assert "model = PPO(" in text
    assert "stable-baselines3 2.9.2" in text
    assert built.left_out == ()
    assert len(said) == 4
    assert len(page.figures()) >= 1 + 4 + 1 + 2  # history, slices, a range, the re-evaluation's
    assert built.size_bytes < 15_000_000


def test_a_newer_reevaluation_that_has_hardly_begun_hides_none(recorded, add_reevaluation):
    add_reevaluation(recorded, MEANS)
    add_reevaluation(recorded, {f"trial {BEST}": [-100.0]}, n_seeds=10)
    found = reevaluated(launch.read_run(recorded))
    assert (found.info.n_done, found.n_others) == (18, 1)
    shown = dict(zip((r.name for r in found.rows), (r.verdict for r in found.rows), strict=True))
    assert (shown[f"Trial {SECOND}"], shown["SB3 defaults"]) == ("recommended", "")
    assert [r.name for r in found.rows if r.is_winner] == [f"Trial {SECOND}"]


def test_where_a_baseline_is_recommended_the_best_trial_has_its_honest_number(recorded, add_reevaluation):
    means = {
        f"trial {SECOND}": [-150.0, -190.0, -170.0, -160.0],
        f"trial {BEST}": [-165.0, -155.0, -160.0, -195.0],
    }
    add_reevaluation(recorded, means | {"defaults": [-1100.0] * 4, "tuned": [-50.0] * 4})
    run = launch.read_run(recorded)
    info = reevaluated(run).info
    numbers = dict(study_findings(run).numbers)
    assert numbers["Expect of RL Zoo's tuned values"] == three_digits(info.expected)
    assert numbers[f"Expect of {info.best_trial.candidate.name}"] == three_digits(info.expected_trial)
    assert numbers["SB3 defaults, measured likewise"] == three_digits(-1100.0)


def test_the_video_is_inside_with_what_is_seen(told):
    page = page_of(told)
    (video,) = [attrs for tag, attrs in page.elements if tag == "video"]
    assert video["src"].startswith("data:video/mp4;base64,")
    assert {"controls", "autoplay", "muted", "loop", "playsinline"} <= set(video)
    assert "tuned <b>agent</b> return -101" in page.text
    assert "All start in the same state (episode seed 0)." in page.text


def test_it_asks_nothing_of_anybody(told):
    page = page_of(told)
    policy = next(a["content"] for t, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy
    assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]
    for tag, attrs in page.elements:
        for name in ("src", "href", "action", "poster", "data"):
            assert (attrs.get(name) or "#").startswith(("#", "data:")), (tag, attrs)
    nonces = {attrs["nonce"] for attrs, _ in page.scripts if "type" not in attrs}
    assert len(nonces) == 1
    assert f"'nonce-{nonces.pop()}'" in policy
    assert page_of(told).elements != page.elements  # another nonce


def test_no_path_of_this_machine_is_told(told, runs_dir):
    html = build_report(launch.read_run(told)).html
    assert str(runs_dir) not in html
    assert str(runs_dir.parent) not in html


def test_without_a_reevaluation_it_warns_in_one_sentence(recorded):
    page = page_of(recorded)
    assert "Nobody has measured the best configurations again yet" in page.text
    assert f"Best so far: {reached(BEST)}" in page.text
    assert not [1 for tag, _ in page.elements if tag == "video"]


def test_another_trial_and_one_that_is_not_there(recorded):
    assert f"Trial {SECOND}, picked by hand" in page_of(recorded, trial=SECOND).text
    with pytest.raises(UnknownTrial):
        page_of(recorded, trial=999)


def test_text_of_a_foreign_study_stays_text(tmp_path, runs_dir):
    storage = f"sqlite:///{tmp_path / 'study.db'}"
    study = optuna.create_study(storage=storage, study_name=HOSTILE, direction="maximize")
    words = [HOSTILE, "b"]
    for i in range(40):
        params = {HOSTILE: i / 40, "choice": words[i % 2]}
        distributions = {HOSTILE: FloatDistribution(0, 1), "choice": CategoricalDistribution(words)}
        attrs = {"failure": {"kind": "error", "message": HOSTILE}}
        study.add_trial(
            optuna.trial.create_trial(
                params=params, distributions=distributions, value=i / 40, user_attrs=attrs
            )
        )
    folder = open_study(tmp_path / "study.db", None, runs_dir)
    page = page_of(folder)
    executable = [text for attrs, text in page.scripts if attrs.get("type") != "application/json"]
    assert len(executable) == 2  # Plotly, and ours
    assert not any("alert(1)" in text for text in executable)
    assert "img" not in {tag for tag, _ in page.elements}
    assert page.elements[0][0] == "html"
    assert HOSTILE in " ".join(page.texts)  # shown as it is
    assert page.figures()  # and each of them can be read
    assert "not launched with Edgewise" in page.text
    assert "python -m tuning launch" not in page.text


def test_what_a_person_said_about_a_foreign_study_is_in_it(tmp_path, runs_dir, write_study):
    run = launch.read_run(open_study(write_study(tmp_path / "study.log"), None, runs_dir))
    draft = guess_mapping(run, env_id="Pendulum-v1", n_timesteps=5000)
    save_mapping(run.folder, draft.spec)
    page = page_of(run.folder)
    assert page.headings[0] == "PPO on Pendulum-v1"
    assert "5 000 steps, as a person said here" in page.text.replace("\u2009", " ")
    assert "model = PPO(" in page.text
    assert "n_timesteps: !!float 5e3" in page.text
    assert "python -m tuning reevaluate" in page.text
    assert "python -m tuning launch" not in page.text
    assert "Sampler" not in page.text
    run.folder.mapping.write_text("{")
    assert "what trained its configurations is not known here" in page_of(run.folder).text


def test_figures_hold_nothing_that_html_reads():
    import plotly.graph_objects as go

    figure = go.Figure(go.Scatter(x=[1], y=[2], name=HOSTILE + "\u2028<!--"))
    text = inline_figure(figure, alt="", caption="").json
    assert not re.search(r"[<>&\u2028\u2029]", text)
    assert json.loads(text)["data"][0]["name"] == HOSTILE + "\u2028<!--"


@pytest.mark.parametrize("n_trials", [0, 3])
def test_a_study_that_has_hardly_begun(runs_dir, n_trials):
    spec = build_spec({"name": "young", "env": {"id": "Pendulum-v1"}, "search_space": "starter"})
    folder = launch.create_study(spec, runs_dir)
    study = optuna.load_study(study_name=None, storage=launch.open_journal(folder.journal))
    for _ in range(n_trials):
        trial = study.ask()
        for parameter in spec.search_space:
            parameter.suggest(trial)
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
    text = page_of(folder).text
    assert "There is none until a trial is complete." in text
    assert "created, 0 trials" in text


def test_videos_that_do_not_fit_are_dropped_with_a_sentence(recorded, add_rollout):
    one = KeptTrial(study=recorded.id, number=BEST)
    folders = [add_rollout(recorded, one) for _ in range(5)]
    pair = add_rollout(recorded, KeptTrial(study=recorded.id, number=FOURTH), one, n_frames=10)
    size = (folders[0].path / "actor-1.mp4").stat().st_size
    videos = report_videos(recorded, budget_bytes=10**7)
    assert len(videos.shown) == 3
    assert len(videos.shown[0].actors) == 2  # the comparison first, whatever is newer
    assert left_out_words(videos) == ["The study has 3 further videos on Rollouts."]
    videos = report_videos(recorded, budget_bytes=size)
    assert videos.size_bytes <= size
    assert "left out, because this file would grow" in left_out_words(videos)[0]
    assert report_videos(recorded, budget_bytes=0).shown == ()
    assert pair.path.is_dir()


def test_of_very_many_points_some_are_drawn_and_the_caption_says_so():
    import plotly.graph_objects as go

    figure = go.Figure()
    n = 30_000
    symbols = ["circle" if i % 2 else "x" for i in range(n)]
    hover = [f"trial {i}" for i in range(n)]
    points = {"x": list(range(n)), "y": list(range(n)), "hovertext": hover}
    figure.add_scatter(mode="markers", marker={"symbol": symbols, "size": 5}, name="a" * n, **points)
    steps = [i // 10_000 for i in range(n)]
    figure.add_scatter(mode="lines", line={"shape": "hv"}, x=list(range(n)), y=steps)
    plot = inline_figure(figure, alt="", caption="Read it so.", most_points=1000)
    marks, line = json.loads(plot.json)["data"]
    assert len(marks["x"]) == len(marks["hovertext"]) == len(marks["marker"]["symbol"]) == 1000
    assert marks["hovertext"][7] == f"trial {marks['x'][7]}"
    assert marks["marker"]["size"] == 5
    assert (line["x"], line["y"]) == ([0, 10_000, 20_000, n - 1], [0, 1, 2, 2])
    assert plot.caption == f"Read it so. With so many trials {whole(29_000)} of the points are not drawn."
    few = inline_figure(go.Figure(go.Scatter(x=[1], y=[2])), alt="", caption="Read it so.")
    assert few.caption == "Read it so."


def test_values_that_are_too_long_are_left_out(recorded, monkeypatch):
    monkeypatch.setattr(report_facts, "_MOST_TEXT", 100)
    assert "too long to be shown here" in page_of(recorded).text


def test_the_videos_get_what_the_rest_leaves(recorded, add_rollout, monkeypatch):
    video = add_rollout(recorded, KeptTrial(study=recorded.id, number=BEST))
    size = build_report(launch.read_run(recorded)).size_bytes
    assert (video.path / "actor-1.mp4").stat().st_size > 500
    monkeypatch.setattr(report, "_WORDS_BYTES", 2_000)
    for limit in (size + 3_000, size - 100):
        monkeypatch.setattr(report, "MAX_BYTES", limit)
        built = build_report(launch.read_run(recorded))
        assert built.size_bytes <= limit
        assert bool(built.left_out) == (limit < size)


def test_figures_that_do_not_fit_are_dropped_with_a_sentence(recorded, monkeypatch):
    monkeypatch.setattr(report, "_MAX_FIGURES_BYTES", 20_000)
    built = build_report(launch.read_run(recorded))
    assert [words.split(" are")[0] for words in built.left_out] == ["The figures of the ranges", "The slices"]
    page = Page(built.html)
    assert built.left_out[0] in page.text
    assert "Best so far" in titles(page)


def test_what_people_say_about_the_study_is_told_as_plain_text(recorded):
    rename(recorded, "Swing <b>up</b>")
    write_note(recorded, "<script>alert(1)</script>", base="")
    rows = dict(report_facts.study_facts(launch.read_run(recorded)).rows)
    assert rows["Name"] == "Swing <b>up</b>"
    assert rows["Note"] == "<script>alert(1)</script>"
