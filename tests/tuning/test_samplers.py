"""Samplers by name: one for each task, whose draws never repeat one another's."""

import collections

import optuna
import pytest
from optuna.trial import TrialState

from tuning.combinations import combinations_left
from tuning.samplers import build_sampler, is_drawn_at_random
from tuning.spec import SpecError, build_spec

NUMBERS = [
    {"name": "learning_rate", "kind": "float", "low": 1e-5, "high": 1e-2, "log": True},
    {"name": "gamma", "kind": "float", "low": 0.9, "high": 0.99},
    {"name": "n_steps_pow", "kind": "int", "low": 5, "high": 9, "transform": "2^x"},
]
CHOICES = [
    {
        "name": "activation_fn",
        "kind": "categorical",
        "choices": ["tanh", "relu"],
        "transform": "activation_fn",
    }
]
SMALL = [*CHOICES, {"name": "n_epochs", "kind": "int", "low": 3, "high": 5}]


def spec_of(name="tpe", *, space=NUMBERS, n_trials=60, second=None, **sampler):
    return build_spec(
        {
            "env": {"id": "CartPole-v1"},
            "search_space": space,
            "sampler": {"name": name, "random_share": 0.0, **sampler},
            "budget": {"n_trials": n_trials},
            "objective": {"second": second},
            "pruner": {"name": "none"},
            "maximize": False,
        }
    )


def study_of(spec):
    directions = ["minimize"] * (2 if spec.objective.second else 1)
    return optuna.create_study(directions=directions)


def ask(study, spec, task):
    """Ask as a worker does: with a sampler of the task's own."""
    n_ended = sum(t.state.is_finished() for t in study.get_trials(deepcopy=False))
    study.sampler = build_sampler(spec, task=task, n_ended=n_ended)
    trial = study.ask()
    for parameter in spec.search_space:
        parameter.suggest(trial)
    return trial


def badness(params):
    return sum(hash_free(value) for value in params.values())


def hash_free(value):
    return value if isinstance(value, int | float) else len(value)


def run(spec, n_trials):
    study = study_of(spec)
    for task in range(n_trials):
        trial = ask(study, spec, task)
        study.tell(trial, [badness(trial.params)] * len(study.directions))
    return study


CASES = [
    ("tpe", {}),
    ("tpe", {"space": [*NUMBERS, *CHOICES], "group": True}),
    ("tpe", {"second": "training_time"}),
    ("auto", {}),
    ("auto", {"space": [*NUMBERS, *CHOICES]}),
    ("gp", {"space": [*NUMBERS, *CHOICES]}),
    ("cmaes", {}),
    ("qmc", {"space": [*NUMBERS, *CHOICES]}),
    ("random", {}),
    ("grid", {}),
    ("brute_force", {"space": SMALL}),
    ("nsga2", {"second": "training_time"}),
]


@pytest.mark.parametrize(("name", "options"), CASES)
def test_every_sampler_repeats_with_its_seed_and_stays_within_the_space(name, options):
    n = 6 if name in ("gp", "auto", "brute_force") else 16
    spec = spec_of(name, **{"n_startup_trials": 4, **options})
    study = run(spec, n)
    assert [t.params for t in run(spec, n).trials] == [t.params for t in study.trials]
    for trial in study.trials:
        assert all(p.contains(trial.params[p.name]) for p in spec.search_space)
    other = run(spec.model_copy(update={"seed": 1}), n)
    assert [t.params for t in other.trials] != [t.params for t in study.trials]


@pytest.mark.parametrize(
    ("name", "options", "n_ended", "expected"),
    [
        ("tpe", {}, 0, "TPESampler"),
        ("random", {}, 0, "RandomSampler"),
        ("auto", {"space": [*NUMBERS, *CHOICES]}, 999, "TPESampler"),
        ("auto", {}, 249, "GPSampler"),
        ("auto", {}, 250, "CmaEsSampler"),
        ("auto", {"second": "training_time"}, 0, "TPESampler"),
    ],
)
def test_the_name_decides_the_sampler_and_auto_decides_by_space_and_trials(name, options, n_ended, expected):
    assert type(build_sampler(spec_of(name, **options), task=0, n_ended=n_ended)).__name__ == expected


@pytest.mark.parametrize("n_startup_trials", [0, 5])
def test_tpe_models_after_its_startup_trials_and_reckons_with_running_ones(n_startup_trials, monkeypatch):
    modelled = []
    spec = spec_of(n_startup_trials=n_startup_trials, multivariate=False)
    sampler = build_sampler(spec, task=0, n_ended=0)
    sample = type(sampler)._sample
    monkeypatch.setattr(
        type(sampler),
        "_sample",
        lambda self, study, trial, space: modelled.append(trial.number) or sample(self, study, trial, space),
    )
    run(spec, 8)
    assert min(modelled) == n_startup_trials
    assert sampler._constant_liar is True


@pytest.mark.parametrize("multivariate", [True, False])
def test_multivariate_and_group_are_passed_on(multivariate):
    sampler = build_sampler(spec_of(multivariate=multivariate, group=True), task=0, n_ended=0)
    assert (sampler._multivariate, sampler._group) == (multivariate, multivariate)


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        (
            "cmaes",
            {"space": [*NUMBERS, *CHOICES]},
            "CMA-ES takes numbers only, and activation_fn has choices",
        ),
        ("cmaes", {"second": "training_time"}, "CMA-ES weighs one objective"),
        ("gp", {"n_trials": 1000}, "1000 are more than its 500"),
        ("nsga2", {}, "NSGA-II is for two objectives"),
        ("brute_force", {}, "no end to the values of learning_rate, gamma"),
        ("grid", {"grid_levels": 1000}, "combinations, more than 100000"),
    ],
)
def test_what_a_sampler_cannot_serve_is_refused_with_the_remedy(name, options, said):
    with pytest.raises(SpecError, match=said):
        spec_of(name, **options)


# Workers side by side


@pytest.mark.parametrize(("name", "space"), [("qmc", NUMBERS), ("grid", NUMBERS), ("brute_force", SMALL)])
def test_trials_that_are_asked_for_at_the_same_time_never_share_a_point(name, space):
    spec, seen = spec_of(name, space=space), []
    study = study_of(spec)
    trials = [study.ask() for _ in range(6)]  # six workers that have not drawn anything yet
    for task in (3, 0, 5, 1, 4, 2):
        study.sampler = build_sampler(spec, task=task, n_ended=0)
        trial = optuna.Trial(study, trials[task]._trial_id)
        for parameter in spec.search_space:
            parameter.suggest(trial)
        seen.append(tuple(trial.params.values()))
    assert len(set(seen)) == 6


def test_a_grid_is_tried_once_whatever_is_queued_killed_or_failed():
    spec = spec_of("brute_force", space=SMALL)
    study = study_of(spec)
    study.enqueue_trial({"activation_fn": "relu", "n_epochs": 4})
    task = 0
    while combinations_left(spec, study.trials):
        trial = ask(study, spec, task)
        if task == 1:  # its worker died; its configuration comes back
            study.tell(trial, state=TrialState.FAIL)
            study.enqueue_trial(trial.params)
        elif task == 2:
            study.tell(trial, state=TrialState.FAIL)
        else:
            study.tell(trial, 1.0)
        task += 1
    tried = collections.Counter(tuple(t.params.values()) for t in study.trials)
    assert len(tried) == 6
    assert sorted(tried.values()) == [1, 1, 1, 1, 1, 2]


def test_the_quasi_random_points_cover_each_part_of_a_range_alike():
    study = run(spec_of("qmc"), 16)
    cells = collections.Counter(int((t.params["gamma"] - 0.9) / 0.09 * 16) for t in study.trials)
    assert cells == dict.fromkeys(range(16), 1)


# The random share


def test_the_random_share_is_what_was_asked_for_and_spread_through_the_study():
    spec = spec_of(random_share=0.15)
    drawn = [is_drawn_at_random(spec, task) for task in range(200)]
    assert sum(drawn) == 30
    assert all(sum(drawn[k : k + 20]) == 3 for k in range(0, 200, 20))
    assert drawn == [is_drawn_at_random(spec, task) for task in range(200)]
    assert type(build_sampler(spec, task=drawn.index(True), n_ended=99)).__name__ == "RandomSampler"


@pytest.mark.parametrize("name", ["random", "qmc", "grid"])
def test_samplers_without_a_model_have_no_random_share(name):
    spec = spec_of(name, random_share=0.5)
    assert not any(is_drawn_at_random(spec, task) for task in range(50))
