import pytest

from pages.components.launch_fields import PREFIX
from pages.components.launch_form import data_from_fields, fields_from_spec
from tuning import examples
from tuning.calibration_words import rough_range
from tuning.spec import build_spec, load_spec


@pytest.mark.parametrize("name", ["pendulum", "smoke"])
def test_a_spec_survives_the_form(name):
    spec = load_spec(examples.FOLDER / f"{name}.yaml")
    data, faults = data_from_fields(fields_from_spec(spec))
    assert faults == []
    assert build_spec({**data, "search_space": [p.model_dump() for p in spec.search_space]}) == spec


def test_every_field_of_the_form_arrives():
    spec = build_spec(
        {
            "name": "x",
            "env": {"id": "Pendulum-v1", "kwargs": {"g": 9.81}},
            "hyperparameters": {
                "n_steps": 64,
                "policy_kwargs.net_arch": {"pi": [8], "vf": [8]},
                "use_sde": True,
            },
            "search_space": "learning-rate-only",
            "sampler": {"name": "random", "n_startup_trials": 3, "multivariate": False},
            "pruner": {"name": "none", "n_startup_trials": 4, "warmup_fraction": 0.5},
            "budget": {
                "n_trials": 7,
                "timeout_s": 90,
                "n_timesteps": 123,
                "n_evaluations": 3,
                "n_eval_episodes": 4,
            },
            "n_train_envs": 3,
            "n_eval_envs": 4,
            "n_workers": 1,
            "seed": 9,
            "defaults_first": False,
            "tuned_first": False,
            "retention": {"top": 2},
        }
    )
    data, faults = data_from_fields(fields_from_spec(spec))
    assert faults == []
    assert build_spec({**data, "search_space": "learning-rate-only"}) == spec


@pytest.mark.parametrize(
    "text", ["n_steps", "- 1", "{", "a: &x 1\nb: *x", "a: .nan", "!!python/object:os.system x", "[" * 2000]
)
def test_a_field_that_is_no_mapping_says_what_to_write(text):
    fields = fields_from_spec(examples.pendulum_story())
    fields[PREFIX + "hyperparameters"] = text
    data, faults = data_from_fields(fields)
    assert data["hyperparameters"] == {}
    assert faults == [
        "Fixed hyperparameters: write one `name: value` a line, such as `vf_coef: 0.5`, or a JSON object."
    ]


def test_the_example_of_a_field_fits_the_field():
    fields = fields_from_spec(examples.pendulum_story())
    fields[PREFIX + "env-kwargs"] = "{"
    assert "such as `g: 9.81`" in data_from_fields(fields)[1][0]


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("minutes", 0, "Time limit, min: write more than 0"),
        ("minutes", -5.0, "Time limit, min: write more than 0"),
        ("warmup", 200.0, "Never before, % of a trial: write 0 to 100: received 200."),
        ("warmup", -1.0, "Never before, % of a trial: write 0 to 100"),
    ],
)
def test_fields_in_units_of_their_own_have_faults_in_them(key, value, said):
    data, faults = data_from_fields({**fields_from_spec(examples.pendulum_story()), PREFIX + key: value})
    assert len(faults) == 1
    assert faults[0].startswith(said)
    build_spec({**data, "search_space": "learning-rate-only"})  # said once, not twice


def test_numbers_are_read_as_people_write_them():
    fields = fields_from_spec(examples.pendulum_story())
    fields[PREFIX + "hyperparameters"] = "learning_rate: 3e-4\nuse_sde: true\nn_epochs: 5"
    assert data_from_fields(fields)[0]["hyperparameters"] == {
        "learning_rate": 3e-4,
        "use_sde": True,
        "n_epochs": 5,
    }


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (256, 918, "4.3 to 15 min"),
        (46, 119, "46 to 120 s"),
        (46, 160, "46 s to 2.7 min"),
        (25, 900, "25 s to 15 min"),
        (256, 9000, "4.3 min to 2.5 h"),
        (3600, 400_000, "60 min to 4.6 d"),
        (90, 300, "1.5 to 5 min"),
        (10, 30, "10 to 30 s"),
        (7000, 20_000, "1.9 to 5.6 h"),
        (60, 60, "60 s"),
    ],
)
def test_the_ends_of_a_rough_time_share_a_unit_that_suits_both(low, high, said):
    assert rough_range(low, high) == said
