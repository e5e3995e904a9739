"""Which environments an algorithm can be trained in, and what is said of the others."""

from tuning.algorithms import algorithm
from tuning.env_description import EnvDescription
from tuning.env_fit import env_fit
from tuning.env_survey import Surveyed

IDS = ("Box-v0", "Left-v0", "Right-v0", "Gone-v0", "Tuple-v0", "New-v0")


def seen(env_id, *, acts="continuous", observes="continuous", fault=None):
    return Surveyed(EnvDescription(env_id, "", observes, "", acts, 9, None, "MlpPolicy", fault, None))


FOUND = {
    "Box-v0": seen("Box-v0"),
    "Left-v0": seen("Left-v0", acts="discrete"),
    "Right-v0": seen("Right-v0", acts="discrete"),
    "Gone-v0": Surveyed(None, "Gone-v0 cannot be made: RuntimeError: no."),
    "Tuple-v0": seen("Tuple-v0", observes="tuple", fault="No algorithm here can read it."),
}


def test_an_algorithm_is_offered_what_it_can_act_in_and_what_nobody_knows_yet():
    fit = env_fit(IDS, FOUND, algorithm("SAC"))
    assert fit.ids == ("Box-v0", "New-v0")
    assert fit.words == (
        "2 hidden: SAC acts in continuous actions only. 1 hidden: cannot be made. "
        "1 hidden: no algorithm here can be trained there."
    )
    assert fit.hidden["Left-v0"].startswith("SAC acts in continuous actions only; Left-v0's are discrete.")
    assert fit.hidden["Gone-v0"] == "Gone-v0 cannot be made: RuntimeError: no."


def test_another_algorithm_fits_elsewhere():
    assert env_fit(IDS, FOUND, algorithm("PPO")).ids == ("Box-v0", "Left-v0", "Right-v0", "New-v0")
    assert env_fit(IDS, FOUND, algorithm("DQN")).ids == ("Left-v0", "Right-v0", "New-v0")


def test_observations_that_only_others_read():
    found = {"Dict-v0": seen("Dict-v0", observes="dict")}
    fit = env_fit(["Dict-v0"], found, algorithm("ARS"))
    assert fit.words == "1 hidden: ARS has no policy for the observations."


def test_nothing_known_hides_nothing():
    fit = env_fit(IDS, {}, algorithm("SAC"))
    assert (fit.ids, fit.hidden, fit.words) == (IDS, {}, "")
