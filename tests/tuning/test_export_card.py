"""A model card's folder: complete, readable by Hugging Face's tools, and honest about its number."""

import ast
import json
import re
from types import SimpleNamespace

import pytest
import yaml
from stable_baselines3 import PPO

from storage.paths import RunFolder
from tests.shipped import BEST, KEPT, SECOND, reached
from tuning import launch
from tuning.access import VARIABLE
from tuning.analysis.reevaluation import reevaluation_info
from tuning.analysis.words import three_digits
from tuning.card_text import _usage, escaped
from tuning.export import ExportError, card_name
from tuning.export_card import write_card
from tuning.opening import open_study
from tuning.reevaluation_jobs import read_reevaluation
from tuning.rollout import JobRun, KeptTrial
from tuning.spec import build_spec

FILES = ["README.md", "config.json", "policy.npz", "ppo-Pendulum-v1.zip"]


@pytest.fixture
def written(recorded, tmp_path, monkeypatch):
    """Write the card of a trial; nothing is filmed, as on a server that only shows studies."""

    def write(number=BEST, **options):
        monkeypatch.setenv(VARIABLE, "1")
        run = launch.read_run(recorded)
        out = tmp_path / "cards" / card_name(run.spec, number)
        return out, write_card(run, run.study.trials[number], out, **options)

    return write


def front_matter(readme: str) -> dict:
    return yaml.safe_load(re.match(r"---\n(.*?)\n---\n", readme, re.DOTALL)[1])


def test_the_search_alone_is_labelled_as_such(written):
    out, missing = written()
    assert out.name == f"ppo-Pendulum-v1-trial-{BEST}"
    assert sorted(p.name for p in out.iterdir()) == FILES
    assert missing == ("There is no video of this agent yet.",)
    readme = (out / "README.md").read_text()
    data = front_matter(readme)
    assert data["library_name"] == "stable-baselines3"
    (metric,) = data["model-index"][0]["results"][0]["metrics"]
    assert (metric["type"], metric["name"]) == ("mean_reward", "mean_reward (search)")
    assert metric["value"].startswith(f"{KEPT[BEST]['value']:.1f}")
    assert "nobody trained it again, so expect less" in readme
    config = json.loads((out / "config.json").read_text())
    assert config["score"]["reevaluated"] is False
    assert config["hyperparameters"]["n_steps"] == KEPT[BEST]["resolved"]["n_steps"]
    PPO.load(out / "ppo-Pendulum-v1.zip", device="cpu")


def test_a_reevaluation_gives_the_number_and_the_agent(written, recorded, add_reevaluation, add_rollout):
    means = {f"trial {BEST}": [-160.0, -170.0, -180.0], "defaults": [-1000.0, -1100.0, -1200.0]}
    job = add_reevaluation(recorded, means)
    middle = next(
        i
        for i, run in enumerate(json.loads(job.plan.read_text())["runs"])
        if run["key"] == f"trial {BEST}, seed 1"
    )
    video = add_rollout(recorded, JobRun(job=job.id, run=middle))
    out, missing = written()
    assert missing == ()
    assert sorted(p.name for p in out.iterdir()) == sorted([*FILES, "replay.mp4"])
    assert (out / "replay.mp4").read_bytes() == (video.path / "actor-1.mp4").read_bytes()
    readme = (out / "README.md").read_text()
    (metric,) = front_matter(readme)["model-index"][0]["results"][0]["metrics"]
    assert (metric["name"], metric["value"]) == ("mean_reward", "-170.00 +/- 10.00")
    assert "over 3 training runs from scratch on fresh seeds; each run is judged by 20 episodes" in readme
    assert "| SB3 defaults | -1 100 | 3 |" in readme
    assert "median of 3 agents" in readme
    score = json.loads((out / "config.json").read_text())["score"]
    assert (score["n_runs"], score["n_episodes"], score["reevaluated"]) == (3, 20, True)


def score_in(out) -> dict:
    return json.loads((out / "config.json").read_text())["score"]


@pytest.mark.parametrize("newer", [[], [-100.0]], ids=["empty", "one run"])
def test_number_and_agent_come_from_one_reevaluation(written, recorded, add_reevaluation, newer):
    add_reevaluation(recorded, {f"trial {BEST}": [-160.0, -170.0, -180.0], "defaults": [-1000.0] * 3})
    add_reevaluation(recorded, {f"trial {BEST}": newer, "defaults": []}, n_seeds=10)
    out, _ = written()
    readme = (out / "README.md").read_text()
    assert (score_in(out)["mean_reward"], score_in(out)["n_runs"]) == (-170.0, 3)
    assert "median of 3 agents" in readme
    assert "nobody trained it again" not in readme
    assert "not what this very agent does" not in readme


def test_where_the_agent_is_the_one_of_the_search_the_number_is_not_said_to_be_its_own(
    written, recorded, add_reevaluation
):
    means = {f"trial {BEST}": [-160.0, -170.0, -180.0], "defaults": [-1000.0] * 3}
    add_reevaluation(recorded, means, keep=False)
    readme = (written()[0] / "README.md").read_text()
    assert f"Its last evaluation gave {reached(BEST)}." in readme
    assert "not what this very agent does" in readme


def test_the_best_trial_beneath_a_recommended_baseline_does_not_flatter(written, recorded, add_reevaluation):
    means = {
        f"trial {SECOND}": [-150.0, -190.0, -170.0, -160.0],
        f"trial {BEST}": [-165.0, -155.0, -160.0, -195.0],
    }
    job = add_reevaluation(recorded, means | {"defaults": [-1100.0] * 4, "tuned": [-50.0] * 4})
    found = read_reevaluation(job)
    info = reevaluation_info(found.question, found.results)
    assert info.winner.candidate.kind == "tuned"
    out, _ = written(info.best_trial.candidate.trial)
    score = score_in(out)
    assert score["expected"] == info.expected_trial < score["mean_reward"]
    assert f"Expect about **{three_digits(info.expected_trial)}**" in (out / "README.md").read_text()


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (None, None),  # kept before there was another trainer
        ({"name": "sb3", "reason": "gSDE"}, "Stable-Baselines3's own code trained this agent."),
        ({"name": "fast"}, "Fast kernels trained this agent"),
    ],
)
def test_whose_code_trained_the_agent(written, recorded, record, said):
    request = recorded.weights / str(BEST) / "request.json"
    kept = {key: value for key, value in json.loads(request.read_text()).items() if key != "trainer"}
    request.write_text(json.dumps(kept | ({"trainer": record} if record else {})))
    readme = (written()[0] / "README.md").read_text()
    assert ("trained this agent" in readme) == (said is not None)
    assert (said or "") in readme


@pytest.mark.parametrize(
    ("change", "is_taken"),
    [
        ({}, True),
        ({"seed": 7}, True),
        ({"n_episodes": 3}, False),
        ({"deterministic": False}, False),
        ({"env": {"id": "Pendulum-v1", "kwargs": {"g": 1.0}}}, False),
    ],
)
def test_only_one_deterministic_episode_of_this_very_agent_is_its_video(
    written, recorded, add_rollout, change, is_taken
):
    folder = add_rollout(recorded, KeptTrial(study=recorded.id, number=BEST))
    folder.rollout.write_text(json.dumps(json.loads(folder.rollout.read_text()) | change))
    assert (written()[1] == ()) == is_taken


def test_the_video_of_another_agent_is_not_taken(written, recorded, add_rollout):
    add_rollout(recorded, KeptTrial(study=recorded.id, number=SECOND))
    assert written()[1] == ("There is no video of this agent yet.",)


def test_it_is_replaced_only_when_told_so(written):
    out, _ = written()
    (out / "mine.txt").write_text("kept?")
    with pytest.raises(FileExistsError):
        written()
    assert (out / "mine.txt").exists()
    written(replace=True)
    assert not (out / "mine.txt").exists()
    assert [p.name for p in out.parent.iterdir()] == [out.name]


def test_without_weights_there_is_no_card(written):
    with pytest.raises(ExportError, match="No weights"):
        written(1)


def test_the_usage_snippet_runs(written, monkeypatch, capsys):
    out, _ = written()
    code = re.search(r"```python\n(.*?)```", (out / "README.md").read_text(), re.DOTALL)[1]
    monkeypatch.chdir(out)
    exec(compile(code, "README.md", "exec"), {})
    assert -400 < float(capsys.readouterr().out) < 0  # it balances; the defaults get about -1200


def test_the_snippet_is_python_whatever_the_environment_takes():
    spec = build_spec(
        {
            "env": {
                "id": "Pendulum-v1",
                "kwargs": {"g": 2.5, "name": "a\n```\n'\"", "more": {"x-y": [None]}},
            },
            "search_space": "starter",
        }
    )
    card = SimpleNamespace(spec=spec, stem="ppo-Pendulum-v1")
    code = re.search(r"```python\n(.*?)\n```", _usage(card), re.DOTALL)[1]
    (call,) = [
        n for n in ast.walk(ast.parse(code)) if isinstance(n, ast.Call) and ast.unparse(n.func) == "gym.make"
    ]
    assert ast.literal_eval(call.keywords[0].value) == spec.env.kwargs


def test_a_study_that_is_not_ours_and_not_mapped_has_none(runs_dir, tmp_path, write_study):
    folder: RunFolder = open_study(write_study(tmp_path / "study.log"), None, runs_dir)
    run = launch.read_run(folder)
    with pytest.raises(ExportError, match="not launched here"):
        write_card(run, run.study.trials[0], tmp_path / "card")


@pytest.mark.parametrize("text", ["<img src=x>", "[a](javascript:x)", "**b**\n# c", "`d`", "| e |"])
def test_text_of_a_study_stays_text(text):
    shown = escaped(text)
    assert "\n" not in shown
    assert "<" not in shown
    assert not re.search(r"(?<!\\)[\[*`|#]", shown)
