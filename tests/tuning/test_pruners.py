"""Pruners by name: never in the warm-up, never before enough trials are complete, and each prunes at all."""

import optuna
import pytest

from tuning.pruner_choice import LABELS, USES, prune_schedule, report_steps, seeds_for_wilcoxon
from tuning.pruners import build_pruner
from tuning.spec import SpecError, build_spec

SPACE = [{"name": "gamma", "kind": "float", "low": 0.9, "high": 0.99}]
ALL = {
    "median": {},
    "percentile": {"percentile": 50},
    "successive_halving": {},
    "hyperband": {},
    "wilcoxon": {},
    "patient": {"patience": 0},
    "threshold": {"threshold": 0.0},
    "none": {},
}


def spec_of(
    name="median", *, n_timesteps=1_000, n_evaluations=10, n_seeds=1, maximize=True, n_trials=60, **pruner
):
    return build_spec(
        {
            "env": {"id": "CartPole-v1"},
            "search_space": SPACE,
            "pruner": {"name": name, **ALL[name], **pruner},
            "budget": {"n_timesteps": n_timesteps, "n_evaluations": n_evaluations, "n_trials": n_trials},
            "objective": {"n_seeds": 6 if name == "wilcoxon" and n_seeds == 1 else n_seeds},
            "maximize": maximize,
        }
    )


def cut_at(spec, *, n_complete=10, hopeless=lambda k: -100.0 - k):
    """Return the step at which a trial that gets worse and worse is cut, after some good ones; or None."""
    study = optuna.create_study(
        study_name="pruned",  # by which Hyperband deals trials out
        pruner=build_pruner(spec),
        direction="maximize" if spec.maximize else "minimize",
    )
    sign = 1 if spec.maximize else -1
    steps = [step for step, _ in report_steps(spec)]
    for number in range(n_complete):
        trial = study.ask()
        for k, step in enumerate(steps):
            trial.report(sign * (100.0 + number + k / 100), step)
            trial.should_prune()  # as a worker asks
        study.tell(trial, sign * (100.0 + number))
    trial = study.ask()
    for k, step in enumerate(steps[:-1]):  # after the last one there is nothing left to save
        trial.report(sign * hopeless(k), step)
        if trial.should_prune():
            return step
    return None


@pytest.mark.parametrize("maximize", [True, False])
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("median", 400),
        ("percentile", 400),
        ("successive_halving", 400),
        ("hyperband", 400),
        ("patient", 400),
        ("threshold", 400),
        ("wilcoxon", 4_000),
        ("none", None),
    ],
)
def test_each_pruner_cuts_a_hopeless_trial_where_the_schedule_says_first(name, expected, maximize):
    spec = spec_of(name, n_startup_trials=5, maximize=maximize)
    assert cut_at(spec) == expected
    earliest = prune_schedule(spec).earliest
    assert (earliest.step if earliest else None) == expected


@pytest.mark.parametrize("name", [name for name in ALL if name not in ("none", "threshold")])
@pytest.mark.parametrize(("n_complete", "expected"), [(4, False), (5, True)])
def test_no_pruning_before_enough_trials_are_complete(name, n_complete, expected):
    spec = spec_of(name, n_startup_trials=5)
    assert (cut_at(spec, n_complete=n_complete) is not None) is expected
    assert prune_schedule(spec).first_trial == 5


@pytest.mark.parametrize(
    ("fraction", "expected"), [(0, 100), (1 / 3, 400), (0.4, 400), (0.41, 500), (0.95, None), (1, None)]
)
@pytest.mark.parametrize("name", ["median", "threshold", "successive_halving"])
def test_the_warmup_is_a_fraction_of_training(name, fraction, expected):
    spec = spec_of(name, n_startup_trials=1, warmup_fraction=fraction)
    assert cut_at(spec) == expected
    schedule = prune_schedule(spec)
    assert (schedule.earliest.step if schedule.earliest else None) == expected
    assert (schedule.first_trial is None) is (expected is None)


def test_patience_waits_until_a_trial_no_longer_gains():
    climbing = spec_of("patient", patience=1, n_startup_trials=1)
    assert cut_at(climbing, hopeless=lambda k: -100.0 + k) is None
    assert cut_at(climbing) == 400
    assert prune_schedule(spec_of("patient", patience=4, warmup_fraction=0)).earliest.step == 600


def test_halving_compares_at_rungs_that_grow_by_the_factor():
    schedule = prune_schedule(spec_of("successive_halving", warmup_fraction=0.1, reduction_factor=3))
    assert [mark.step for mark in schedule.marks if mark.can_prune] == [100, 300, 900]


def test_one_in_so_many_goes_on_at_a_rung():
    spec = spec_of("successive_halving", warmup_fraction=0.5, reduction_factor=2, n_startup_trials=0)
    study = optuna.create_study(pruner=build_pruner(spec), direction="maximize")
    study.tell(study.ask(), 0.0)
    went_on = []
    for value in (0.0, 1.0, 2.0, 0.5, 3.0, 0.2, 4.0, 0.1):
        trial = study.ask()
        trial.report(value, 500)
        went_on.append(not trial.should_prune())
    assert went_on == [True, True, True, False, True, False, True, False]


def test_several_seeds_are_reported_in_the_first_training_and_at_the_end_of_each_other_one():
    spec = spec_of(n_evaluations=2, n_seeds=3)
    assert report_steps(spec) == ((500, 0), (1000, 0), (2000, 1), (3000, 2))
    assert [mark.can_prune for mark in prune_schedule(spec).marks] == [True, True, True, False]
    assert report_steps(spec_of("wilcoxon")) == tuple((1000 * (k + 1), k) for k in range(6))


@pytest.mark.parametrize(("p", "n"), [(0.5, 2), (0.2, 3), (0.1, 4), (0.05, 5), (0.01, 7)])
def test_the_signed_rank_test_needs_so_many_seeds(p, n):
    from scipy.stats import wilcoxon

    assert seeds_for_wilcoxon(p) == n
    assert wilcoxon([-1.0 - k for k in range(n)], alternative="less").pvalue < p


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("wilcoxon", {"n_seeds": 4}, "Train 5 seeds a trial or more"),
        ("threshold", {"threshold": None}, "`pruner.threshold` is missing"),
    ],
)
def test_what_a_pruner_cannot_serve_is_refused_with_the_remedy(name, options, said):
    with pytest.raises(SpecError, match=said):
        spec_of(name, **options)


def test_nothing_is_pruned_with_two_objectives():
    with pytest.raises(SpecError, match="Nothing can be pruned with two objectives"):
        build_spec(
            {"env": {"id": "CartPole-v1"}, "search_space": SPACE, "objective": {"second": "training_time"}}
        )


def test_every_pruner_has_a_name_and_says_when_to_use_it():
    assert set(LABELS) == set(USES) == set(ALL)


@pytest.mark.parametrize(("n_trials", "first"), [(10, None), (11, 10)])
def test_a_study_that_ends_with_the_startup_prunes_nothing(n_trials, first):
    assert prune_schedule(spec_of(n_trials=n_trials)).first_trial == first


@pytest.mark.parametrize("name", ["median", "percentile", "patient"])
def test_a_lucky_first_training_does_not_save_a_trial_whose_mean_falls_behind(name):
    spec = spec_of(name, n_evaluations=2, n_seeds=4, n_startup_trials=1)

    def falls(k):
        return [900.0, 900.0, 90.0, 50.0][k]  # 500 and 1000 of the first training, then means of 2 and 3

    assert [mark.step for mark in prune_schedule(spec).marks if mark.can_prune][-1] == 3_000
    assert cut_at(spec, n_complete=5, hopeless=falls) == 2_000


def test_patience_is_for_learning_curves_not_for_means_over_trainings():
    spec = spec_of("patient", n_evaluations=1, n_seeds=3, patience=5, n_startup_trials=1)
    assert prune_schedule(spec).earliest.step == 2_000
    assert cut_at(spec, n_complete=5, hopeless=lambda k: [900.0, 1.0][k]) == 2_000


@pytest.mark.parametrize("name", ["successive_halving", "hyperband"])
def test_halvings_warmup_is_a_share_of_one_training(name):
    spec = spec_of(name, n_evaluations=10, n_seeds=5, n_startup_trials=1, warmup_fraction=0.3)
    earliest = prune_schedule(spec).earliest
    assert (earliest.step, earliest.seed) == (300, 0)
    assert cut_at(spec) == 300


def test_the_very_first_trial_stands_on_its_rung():
    spec = spec_of("successive_halving", warmup_fraction=0.5, reduction_factor=2, n_startup_trials=0)
    study = optuna.create_study(pruner=build_pruner(spec), direction="maximize")
    first, second = study.ask(), study.ask()
    for trial, value in ((first, 5.0), (second, 1.0)):
        trial.report(value, 500)
        if trial is first:
            assert not trial.should_prune()
            study.tell(first, 5.0)
    assert second.should_prune()
