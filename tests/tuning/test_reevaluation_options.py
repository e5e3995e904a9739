import pytest

from tests.shipped import BEST, SECOND
from tuning import launch
from tuning.reevaluation import Candidate, Reevaluation
from tuning.reevaluation_jobs import read_reevaluation
from tuning.reevaluation_options import reevaluate_options
from tuning.report_facts import study_facts


def candidate(kind, trial=None):
    return Candidate(
        key=f"{kind} {trial}", kind=kind, name=kind, trial=trial, resolved={"gamma": 0.9}, n_train_envs=1
    )


def question(*candidates, **others):
    asked = {
        "mode": "retrain",
        "n_seeds": 5,
        "n_episodes": 20,
        "n_timesteps": 40_000,
        "study_timesteps": 40_000,
        "maximize": True,
        "racing": True,
    }
    return Reevaluation(**{**asked, **others}, candidates=candidates)


DEFAULTS, TUNED = candidate("defaults", 0), candidate("tuned")


@pytest.mark.parametrize(
    ("asked", "options"),
    [
        (
            question(candidate("trial", 46), candidate("trial", 7), DEFAULTS, TUNED),
            "--trial 46 --trial 7 --seeds 5 --episodes 20",
        ),
        (question(DEFAULTS, TUNED, racing=False), "--top 0 --seeds 5 --episodes 20 --no-racing"),
        (
            question(candidate("trial", 7), n_timesteps=80_000),
            "--trial 7 --no-defaults --no-tuned --seeds 5 --episodes 20 --timesteps 80000",
        ),
        (
            question(candidate("trial", 7), DEFAULTS, mode="weights", n_seeds=1, racing=False),
            "--trial 7 --no-tuned --mode weights --episodes 20",
        ),
    ],
)
def test_the_options_ask_the_same_question(asked, options):
    assert reevaluate_options(asked) == options


def test_a_report_prints_the_command_of_the_reevaluation_that_it_shows(recorded, add_reevaluation):
    def commands():
        return [command for _, command in study_facts(launch.read_run(recorded)).commands]

    begin = f"python -m tuning reevaluate {recorded.id}"
    assert f"{begin} --top 5 --seeds 10 --episodes 50 --wait" in commands()
    job = add_reevaluation(recorded, {f"trial {SECOND}": [-150.0] * 3, f"trial {BEST}": [-300.0] * 3})
    asked = read_reevaluation(job).question
    assert f"{begin} {reevaluate_options(asked)} --wait" in commands()
    assert reevaluate_options(asked) == (
        f"--trial {BEST} --trial {SECOND} --no-tuned --seeds 3 --episodes 20 --no-racing"
    )
