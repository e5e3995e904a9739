"""A request is plain, frozen, complete, and every fault of it is one sentence."""

import json
import random
import time

import pytest
import yaml
from pydantic import ValidationError

from storage.paths import RunFolder
from tuning.algorithms import algorithm
from tuning.spec import (
    MAX_SPEC_BYTES,
    SpecError,
    StudySpec,
    build_spec,
    load_spec,
    parse_spec,
    stored_spec,
)
from tuning.spec_parts import Budget

BASE = {"env": {"id": "Pendulum-v1"}, "search_space": "starter"}
RATE = {"name": "learning_rate", "kind": "float", "low": 1e-5, "high": 1e-3, "log": True}
STEPS = {"name": "n_steps_pow", "kind": "int", "low": 5, "high": 8, "transform": "2^x"}
CLIP = {"name": "clip_range", "kind": "categorical", "choices": [0.1, 0.2]}


def faults_of(function, argument):
    with pytest.raises(SpecError) as error:
        function(argument)
    faults = error.value.faults
    assert faults
    assert str(error.value) == "\n".join(faults)
    for fault in faults:
        assert fault.isprintable(), fault
        assert len(fault) < 500, fault
        assert fault[-1] in ".?", fault
    return faults


def random_spec(seed):
    """Return the plain data of some valid request."""
    rng = random.Random(seed)
    space = [
        {
            **RATE,
            "low": 10 ** rng.uniform(-8, -4),
            "high": 10 ** rng.uniform(-3, 0),
            "log": rng.random() < 0.5,
        },
        {**STEPS, "low": rng.randint(1, 5), "high": rng.randint(6, 12)},
        {"name": "one_minus_gamma", "kind": "float", "low": 1e-4, "high": rng.random(), "transform": "1 - x"},
        {**CLIP, "choices": rng.sample([0.1, 0.2, 0.3, 0.4, 1], 3)},
        {"name": "kl", "kind": "categorical", "choices": [None, 0.01, 0.1], "target": "target_kl"},
        {"name": "ent_coef", "kind": "float", "low": 0, "high": 1, "step": 0.125},
        {"name": "net", "kind": "categorical", "choices": ["tiny", "medium"], "transform": "net_arch"},
        {"name": "norm", "kind": "categorical", "choices": [True, False], "target": "normalize_advantage"},
    ]
    texts = [
        "1e3",
        "1e-5",
        "null",
        "true",
        "~",
        "a: b",
        "# x",
        "",
        " ",
        "ü\u2028\x85",
        "\U0001f600",
        "0x1F",
        "1_0",
    ]
    texts += ["-", "*a", "&a", "!t", "<<", "=", "a\nb\ttab", "'\"", "1:30", "2024-01-01", "\x7f", ".inf"]
    return {
        "name": rng.choice(["study", "3e5", "1e3", "null", "0x10", "2024-01-01", "1.5", "on", "a" * 64]),
        "env": {
            "id": rng.choice(["CartPole-v1", "ALE/Pong-v5", "1e5"]),
            "kwargs": {
                "text": rng.choice(texts),
                "any": rng.choice([None, True, 0, -1.5, 1e-300, 10**18, [], {}, {rng.choice(texts): 1}]),
                "deep": {"list": [1, [2.0, None, {"x": rng.choice(texts)}]]},
            },
        },
        "search_space": rng.sample(space, rng.randint(1, len(space))),
        "hyperparameters": rng.choice(
            [
                {},
                {"n_epochs": 5, "clip_range_vf": None},
                {"vf_coef": 0.1, "policy_kwargs.log_std_init": -2.5},
                {"use_sde": True, "sde_sample_freq": 4, "gae_lambda": 1},
            ]
        ),
        "sampler": {"name": rng.choice(["tpe", "random"]), "n_startup_trials": rng.randint(0, 50)},
        "pruner": {"name": rng.choice(["median", "none"]), "warmup_fraction": rng.random()},
        "budget": {
            "n_trials": rng.randint(1, 1000),
            "timeout_s": rng.choice([None, 0.5, 3600]),
            "n_timesteps": rng.randint(1, 10**6),
        },
        "maximize": rng.random() < 0.5,
        "n_train_envs": rng.randint(1, 9),
        "n_workers": rng.randint(1, 9),
        "seed": rng.randrange(2**32),
        "defaults_first": rng.random() < 0.5,
        "tuned_first": rng.random() < 0.5,
        "retention": {"top": rng.randint(0, 30)},
    }


# -- round trips


@pytest.mark.parametrize("seed", range(60))
def test_random_specs_survive_every_way_of_writing_them(seed):
    data = random_spec(seed)
    spec = build_spec(data)
    written = {
        "yaml": spec.to_yaml(),
        "json": spec.model_dump_json(),
        "indented": spec.model_dump_json(indent=1),
        "escaped": json.dumps(spec.model_dump(mode="json")),
        "hand": json.dumps(data),
    }
    for how, text in written.items():
        assert parse_spec(text) == spec, how
    assert build_spec(spec.model_dump()) == spec
    assert build_spec(spec.model_dump(mode="json")) == spec


def test_a_spec_in_a_file(tmp_path):
    spec = build_spec(random_spec(1))
    path = tmp_path / "spec.json"
    path.write_text(spec.model_dump_json(indent=1), encoding="utf-8")
    assert load_spec(path) == spec
    path.write_text("\ufeff" + spec.to_yaml(), encoding="utf-8")
    assert load_spec(path) == spec


@pytest.mark.parametrize(
    ("text", "value"),
    [("3e-5", 3e-5), ("3E-5", 3e-5), (".5e-3", 5e-4), ("1.e-4", 1e-4), ("1e-4", 1e-4), ("+2e-4", 2e-4)],
)
def test_numbers_are_read_as_people_write_them(text, value):
    row = f"{{name: learning_rate, kind: float, low: {text}, high: 1}}"
    assert parse_spec(f"env: {{id: A-v0}}\nsearch_space: [{row}]").search_space[0].low == value


def test_whole_floats_are_accepted_where_whole_numbers_are_meant():
    assert build_spec({**BASE, "budget": {"n_timesteps": 4e4}}).budget.n_timesteps == 40_000


def test_shipped_examples_are_valid():
    from tuning.examples import FOLDER

    files = sorted(FOLDER.glob("*.yaml"))
    assert files
    for path in files:
        spec = load_spec(path)
        assert parse_spec(spec.to_yaml()) == spec


# -- what follows from a spec


def test_defaults_and_lookups():
    spec = build_spec(BASE)
    assert (spec.algorithm, spec.policy, spec.budget, spec.maximize) == ("PPO", "MlpPolicy", Budget(), True)
    assert spec.info is algorithm("PPO")
    assert spec.parameter("gamma").low == 0.97
    with pytest.raises(KeyError):
        spec.parameter("delta")


def test_a_spec_is_frozen():
    spec = build_spec(BASE)
    for change in (
        lambda: setattr(spec, "seed", 1),
        lambda: setattr(spec.budget, "n_trials", 1),
        lambda: setattr(spec.search_space[0], "low", 1),
        lambda: setattr(spec.env, "id", "x"),
    ):
        with pytest.raises(ValidationError, match="frozen"):
            change()
    assert build_spec(BASE).hyperparameters is not spec.hyperparameters


def test_other_budget_same_request():
    spec = build_spec(random_spec(3))
    more = spec.with_trials(1234)
    assert more.budget.n_trials == 1234
    assert more.with_trials(spec.budget.n_trials) == spec
    with pytest.raises(SpecError, match=r"budget\.n_trials"):
        spec.with_trials(0)


@pytest.mark.parametrize("n_timesteps", [1, 2, 3, 7, 100, 40_000, 10**10])
@pytest.mark.parametrize("n_evaluations", [1, 2, 3, 7, 1000])
def test_evaluation_marks_rise_to_the_whole_budget(n_timesteps, n_evaluations):
    budget = {"n_timesteps": n_timesteps, "n_evaluations": n_evaluations}
    marks = build_spec({**BASE, "budget": budget}).evaluation_marks()
    assert marks[-1] == n_timesteps
    assert marks[0] >= 1
    assert list(marks) == sorted(set(marks))
    assert len(marks) == min(n_timesteps, n_evaluations)


@pytest.mark.parametrize(
    ("space", "expected"),
    [
        ([RATE], {"learning_rate": 3e-4}),
        ([{**RATE, "low": 1e-3, "high": 1e-2}], None),
        ([{**RATE, "low": 3e-4}], {"learning_rate": 3e-4}),
        ([STEPS], None),
        ([{**STEPS, "high": 11}], {"n_steps_pow": 11}),
        ([CLIP], {"clip_range": 0.2}),
        ([{**CLIP, "choices": [0.1, 0.3]}], None),
        ([{"name": "kl", "kind": "float", "low": 0.1, "high": 1, "target": "target_kl"}], None),
        ([{"name": "t", "kind": "categorical", "choices": [None, 0.1], "target": "target_kl"}], {"t": None}),
        ([{"name": "ent_coef", "kind": "float", "low": 0, "high": 1}], {"ent_coef": 0.0}),
        (
            [{"name": "one_minus_gamma", "kind": "float", "low": 0.01, "high": 0.1, "transform": "1 - x"}],
            {"one_minus_gamma": 0.01},
        ),
    ],
)
def test_default_configuration_gives_the_defaults_back_or_none(space, expected):
    spec = build_spec({**BASE, "search_space": space})
    configuration = spec.default_configuration()
    assert configuration == expected
    for name, stored in (configuration or {}).items():
        parameter = spec.parameter(name)
        assert parameter.contains(stored)
        assert parameter.resolve(stored) == pytest.approx(spec.info.arguments[parameter.target].default)


# -- faults


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"env": {}}, "`env.id` is missing. Add it."),
        (
            {"env": {"id": "mod:Env-v0"}},
            "received 'mod:Env-v0'. Modules are named by whoever starts the server",
        ),
        ({"env": {"id": "../x"}}, "`env.id` must be an id of the Gymnasium registry"),
        ({"env": {"id": "A-v0\n"}}, "must be an id of the Gymnasium registry, such as Pendulum-v1"),
        ({"env": {"id": "A-v0", "kwargs": {"a": float("nan")}}}, "`env.kwargs` must hold finite numbers"),
        ({"env": {"id": "A-v0", "kwargs": {"a": [10**400]}}}, "`env.kwargs` must hold finite numbers"),
        ({"env": {"id": "A-v0", "kwargs": {"a": b"x"}}}, "must hold text, numbers, true, false, null"),
        *(
            ({"env": {"id": "A-v0", "kwargs": {name: 2}}}, "one that Python takes for a keyword argument")
            for name in ("class", "x-y", "", "a b", "a\nb", "1a", "\u00e9")
        ),
        ({"env": {"id": "A-v0", "kwargs": {1: 2}}}, "A name in `env.kwargs` must be text: received 1"),
        ({"name": ""}, "`name` must start with a letter or digit and hold no spaces or symbols"),
        ({"name": "x" * 65}, "in at most 64 characters: received 'xxx"),
        ({"name": "../x"}, "`name` must start with a letter or digit"),
        ({"name": "a\n"}, "received 'a\\n'"),
        ({"name": 5}, "`name`: it should be a valid string: received 5"),
        ({"nmae": "x"}, "`nmae` is not a field of a spec. Remove it, or check its spelling."),
        ({"budget": {"trials": 5}}, "`budget.trials` is not a field of a spec"),
        ({"algorithm": "PPPO"}, "There is no algorithm 'PPPO'. There are: A2C, "),
        ({"algorithm": "../ppo"}, "There is no algorithm '../ppo'"),
        ({"policy": "os.system"}, "`policy` must be one of MlpPolicy, CnnPolicy, MultiInputPolicy: received"),
        ({"search_space": "stater"}, "PPO has no preset 'stater'. There are: starter, rl-zoo"),
        ({"search_space": []}, "`search_space` is empty: name a preset, or list at least one parameter."),
        ({"search_space": 5}, "`search_space`: it should be a valid list: received 5."),
        ({"search_space": [RATE] * 101}, "should have at most 100 items"),
        ({"search_space": [RATE, RATE]}, "names learning_rate more than once. Keep one of them."),
        (
            {"search_space": [STEPS, {"name": "n_steps", "kind": "int", "low": 2, "high": 9}]},
            "n_steps_pow, n_steps all set `n_steps`. Keep one of them.",
        ),
        (
            {"search_space": [{**RATE, "name": "learning_rat"}]},
            "which PPO does not have. Did you mean `learning_rate`?",
        ),
        ({"search_space": [{**RATE, "name": "zzz"}]}, "`python -m tuning presets` lists what can be set"),
        (
            {"search_space": [{**RATE, "low": 1e-3, "high": 1e-5}]},
            "`low` of learning_rate must be below `high`: received low=0.001, high=1e-05. Swap them?",
        ),
        (
            {"search_space": [{"name": "gamma", "kind": "float", "low": 0.9, "high": 1}]},
            "`gamma` must be at least 0 and below 1: received 1. Move the bound of gamma inside.",
        ),
        (
            {"search_space": [{**STEPS, "name": "batch_size_pow", "low": 0}]},
            "`batch_size` must be at least 2: received 1 (for batch_size_pow=0). Move the bound",
        ),
        (
            {"search_space": [{"name": "n_steps", "kind": "float", "low": 8, "high": 64}]},
            "`n_steps` must be a whole number: received 8.0. Set kind: int for n_steps.",
        ),
        (
            {"search_space": [{"name": "use_sde", "kind": "int", "low": 0, "high": 1}]},
            "`use_sde` must be true or false: received 0. Set kind: categorical for use_sde.",
        ),
        (
            {"search_space": [{**CLIP, "choices": [0.1, "wide"]}]},
            "`clip_range` must be a number: received 'wide'. Change that choice of clip_range.",
        ),
        ({"search_space": [{**CLIP, "choices": [0, 0.1]}]}, "`clip_range` must be above 0: received 0"),
        (
            {"search_space": [RATE], "hyperparameters": {"learning_rate": 1e-3}},
            "`learning_rate` is both fixed and searched (as learning_rate). Remove one of the two.",
        ),
        ({"hyperparameters": {"bach_size": 5}}, "no hyperparameter 'bach_size'. Did you mean `batch_size`?"),
        ({"hyperparameters": {"a\nb": 5}}, "PPO has no hyperparameter 'a\\nb'."),
        ({"hyperparameters": {"batch_size": 64.0}}, "`batch_size` must be a whole number: received 64.0."),
        ({"hyperparameters": {"batch_size": True}}, "`batch_size` must be a whole number: received True."),
        ({"hyperparameters": {"batch_size": "64"}}, "`batch_size` must be a whole number: received '64'."),
        ({"hyperparameters": {"vf_coef": -1}}, "`vf_coef` must be at least 0: received -1."),
        ({"hyperparameters": {"vf_coef": float("inf")}}, "must hold finite numbers: received inf."),
        ({"hyperparameters": {"vf_coef": None}}, "`vf_coef` must be a number: received None."),
        (
            {"hyperparameters": {"policy_kwargs.net_arch": [64, -1]}},
            "whole numbers above 0), or one list each under pi and vf: received [64, -1].",
        ),
        ({"hyperparameters": {"policy_kwargs.net_arch": {"pi": [64], "qf": [64]}}}, "under pi and vf"),
        ({"hyperparameters": {"policy_kwargs.ortho_init": 1}}, "must be true or false: received 1."),
        (
            {"budget": {"n_trials": 0}},
            "`budget.n_trials`: it should be greater than or equal to 1: received 0",
        ),
        ({"budget": {"n_trials": True}}, "`n_trials` must be a number: received True."),
        ({"budget": {"n_trials": "many"}}, "`budget.n_trials`: it should be a valid integer"),
        ({"budget": {"n_trials": 1.5}}, "`budget.n_trials`: it should be a valid integer"),
        ({"budget": {"timeout_s": 0}}, "`budget.timeout_s`: it should be greater than 0: received 0."),
        ({"budget": {"timeout_s": float("inf")}}, "`budget.timeout_s`: it should be a finite number"),
        ({"budget": {"timeout_s": False}}, "`timeout_s` must be a number: received False."),
        ({"budget": []}, "`budget`: it should be a valid mapping or instance of Budget: received []."),
        ({"seed": 2**32}, "`seed`: it should be less than 4294967296: received 4294967296."),
        ({"seed": -1}, "`seed`: it should be greater than or equal to 0: received -1."),
        ({"seed": 16**6000}, "received a number that is too long to show."),
        ({"n_train_envs": 1000}, "`n_train_envs`: it should be less than or equal to 999"),
        ({"sampler": {"name": "bohb"}}, "`sampler.name`: it should be 'auto', 'tpe', 'gp', 'cmaes', 'qmc',"),
        (
            {"pruner": {"warmup_fraction": 2}},
            "`pruner.warmup_fraction`: it should be less than or equal to 1",
        ),
        ({"maximize": "maybe"}, "`maximize`: it should be a valid boolean"),
        ({5: 1}, "A name in the spec is not text: received 5. Quote it, or remove it."),
        (
            {"search_space": [{**STEPS, "low": 0}]},
            "A rollout must hold at least 2 env steps: received n_steps=1 with n_train_envs=1. Raise n_steps",
        ),
        ({"search_space": [RATE], "hyperparameters": {"n_steps": 1}}, "Raise `n_steps` or `n_train_envs`."),
    ],
    ids=lambda value: str(value)[:60] if isinstance(value, str) else None,
)
def test_each_fault_is_one_sentence_with_name_rule_value_and_remedy(change, said):
    faults = faults_of(build_spec, {**BASE, **change})
    assert len([fault for fault in faults if said in fault]) == 1, faults


def test_a_rollout_of_one_step_is_fine_where_no_advantage_is_normalised():
    alone = {**BASE, "algorithm": "A2C", "search_space": [RATE]}
    assert build_spec({**alone, "hyperparameters": {"n_steps": 1}}).n_train_envs == 1
    (fault,) = faults_of(
        build_spec, {**alone, "hyperparameters": {"n_steps": 1, "normalize_advantage": True}}
    )
    assert fault.startswith("A rollout must hold at least 2 env steps")


def test_a_study_trains_with_fast_kernels_unless_told_otherwise():
    assert build_spec(BASE).trainer == "auto"
    chosen = build_spec({**BASE, "trainer": "sb3"})
    assert parse_spec(chosen.to_yaml()).trainer == "sb3"
    for wrong in ("fast", None, True):
        (fault,) = faults_of(build_spec, {**BASE, "trainer": wrong})
        assert f"`trainer`: it should be 'auto' or 'sb3': received {wrong!r}." in fault


def test_a_stored_study_from_before_there_was_a_choice_goes_on_with_auto(tmp_path):
    stored = json.loads(build_spec({**BASE, "trainer": "sb3"}).model_dump_json())
    del stored["trainer"]
    (tmp_path / "spec.json").write_text(json.dumps(stored))
    assert stored_spec(RunFolder(tmp_path)) == build_spec({**BASE, "trainer": "auto"})


def test_only_a_stored_study_from_before_the_random_share_goes_on_without_one(tmp_path):
    sampler = {"name": "tpe", "n_startup_trials": 10, "multivariate": True}
    assert build_spec({**BASE, "sampler": sampler}).sampler.random_share == 0.15
    for asked, share in ((sampler, 0.0), ({**sampler, "random_share": 0.3}, 0.3)):
        stored = json.loads(build_spec(BASE).model_dump_json()) | {"sampler": asked}
        (tmp_path / "spec.json").write_text(json.dumps(stored))
        assert stored_spec(RunFolder(tmp_path)).sampler.random_share == share


def test_a_field_of_the_spec_is_no_hyperparameter():
    (fault,) = faults_of(build_spec, {**BASE, "hyperparameters": {"trainer": "sb3"}})
    assert "`trainer` is a field of the spec: set it at the top level" in fault


@pytest.mark.parametrize(
    "change",
    [
        {"search_space": [RATE, {**RATE, "name": "x", "choices": [[1]], "kind": "categorical"}]},
        {"search_space": "nope"},
        {"search_space": "starter", "algorithm": "nope"},
        {"search_space": [{**RATE, "low": "a"}]},
        {"env": {"id": "A-v0", "kwargs": {"a": {1}}}},
    ],
)
def test_one_fault_is_one_sentence(change):
    assert len(faults_of(build_spec, {**BASE, **change})) == 1


def test_every_fault_is_named_at_once():
    space = [{**RATE, "high": 0}, {**STEPS, "transform": "1 - x"}]
    faults = faults_of(build_spec, {"name": "a b", "search_space": space, "n_workers": 0, "extra": 1})
    assert len(faults) == 6, faults


def test_no_flood_of_faults():
    faults = faults_of(build_spec, {**BASE, **{f"x{i}": 1 for i in range(500)}})
    assert len(faults) == 31
    assert faults[-1] == "There are 470 more faults. Mend these first."


def test_a_rollout_of_one_step_in_several_envs_is_enough():
    space = [{**STEPS, "low": 0}]
    assert build_spec({**BASE, "search_space": space, "n_train_envs": 2})


# -- hostile texts

PREFIX = "env: {id: Pendulum-v1}\nsearch_space: starter\n"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(8)
)
HOSTILE = {
    "alias bomb": BOMB,
    "alias": PREFIX + "name: &n x\npolicy: *n",
    "recursive alias": "a: &a [*a]",
    "python tag": PREFIX + 'name: !!python/object/apply:os.mkdir ["CANARY"]',
    "python module": PREFIX + "name: !!python/module:os",
    "python name": PREFIX + "name: !!python/name:os.system",
    "python new": "!!python/object/new:os.mkdir [CANARY]",
    "own tag": PREFIX + "name: !evil x",
    "bad int tag": PREFIX + 'seed: !!int ""',
    "bad float tag": PREFIX + 'seed: !!float ""',
    "bad bool tag": PREFIX + "seed: !!bool maybe",
    "bad time tag": PREFIX + "seed: !!timestamp soon",
    "binary": PREFIX + "name: !!binary aGVsbG8=",
    "set": "!!set {env, search_space}",
    "pairs": PREFIX + "hyperparameters: !!omap [vf_coef: 1]",
    "impossible date": PREFIX + "name: 2024-99-99",
    "date": PREFIX + "name: 2024-01-01",
    "equals sign": PREFIX + "seed: =",
    "deep flow": "[" * 100_000,
    "deep flow mapping": "{a: " * 30_000,
    "deep flow closed": "[" * 90_000 + "]" * 90_000,
    "deep block": PREFIX + "x: " + "- " * 50_000,
    "deep keys": "? " * 50_000,
    "deep json": '{"env":' * 10_000,
    "deep json closed": '{"a":' * 20_000 + "1" + "}" * 20_000,
    "deep kwargs": '{"env": {"id": "A-v0", "kwargs": {"a": '
    + "[" * 500
    + "]" * 500
    + '}}, "search_space": "starter"}',
    "huge integer": PREFIX + "seed: " + "9" * 5_000,
    "huge hex": PREFIX + "seed: 0x" + "f" * 6_000,
    "huge hex argument": PREFIX + "hyperparameters: {gamma: 0x" + "f" * 6_000 + "}",
    "huge argument": PREFIX + "hyperparameters: {gamma: 1" + "0" * 400 + "}",
    "huge bound": "env: {id: A-v0}\nsearch_space: [{name: x, kind: float, low: 0, high: 0x"
    + "f" * 6_000
    + "}]",
    "infinite bound": "env: {id: A-v0}\nsearch_space: [{name: gamma, kind: float, low: 0, high: 1e400}]",
    "inf bound": "env: {id: A-v0}\nsearch_space: [{name: gamma, kind: float, low: -.inf, high: 0.5}]",
    "nan bound": "env: {id: A-v0}\nsearch_space: [{name: gamma, kind: float, low: .nan, high: 0.5}]",
    "json nan": '{"env": {"id": "A-v0", "kwargs": {"a": NaN}}, "search_space": "starter"}',
    "json infinity": json.dumps({**BASE, "hyperparameters": {"vf_coef": float("inf")}}),
    "json surrogate choice": json.dumps({**BASE, "search_space": [{**CLIP, "choices": ["\ud800", "a"]}]}),
    "json surrogate": '{"env": {"id": "A-v0", "kwargs": {"a": "\\ud800"}}, "search_space": "starter"}',
    "json surrogate key": '{"\\ud800": 1, "env": {"id": "A-v0"}, "search_space": "starter"}',
    "truth as number": "env: {id: A-v0}\nsearch_space: [{name: gamma, kind: float, low: no, high: yes}]",
    "truth as budget": PREFIX + "budget: {n_trials: on}",
    "text as number": PREFIX + 'seed: "0x10"',
    "module": "env: {id: 'os:Env-v0'}\nsearch_space: starter",
    "module with dots": "env: {id: 'a.b.c:Env-v0'}\nsearch_space: starter",
    "NUL": PREFIX + 'name: "a\0b"',
    "escaped NUL": PREFIX + 'name: "a\\0b"',
    "only NULs": "\0" * 1000,
    "surrogate": PREFIX + "name: \ud800",
    "control characters": "\x1b[2J\x07",
    "10 MB": "x" * 10_000_000,
    "10 MB of json": "{" + '"a": 1, ' * 1_250_000,
    "one long list": PREFIX + "x: [" + "1," * 90_000 + "]",
    "many keys": PREFIX + "hyperparameters: {" + ",".join(f"a{i}: 1" for i in range(15_000)) + "}",
    "many json keys": json.dumps({**BASE, "hyperparameters": {f"a{i}": 1 for i in range(15_000)}}),
    "many top keys": json.dumps({**BASE, **{f"a{i}": 1 for i in range(15_000)}}),
    "many choices": json.dumps({**BASE, "search_space": [{**CLIP, "choices": list(range(1, 30_000))}]}),
    "long key": PREFIX + "? " + "k" * 100_000 + "\n: 1",
    "long algorithm": PREFIX + "algorithm: " + "x" * 100_000,
    "long preset": "env: {id: A-v0}\nsearch_space: " + "x" * 100_000,
    "long policy": PREFIX + "policy: " + "x" * 100_000,
    "long target": "env: {id: A-v0}\nsearch_space: [{name: a, kind: float, low: 0, high: 1, target: "
    + "x" * 100_000
    + "}]",
    "line breaks in names": PREFIX + 'hyperparameters: {"a\\nb\\u2028c": 1}\n"x\\ny": 2',
    "list key": PREFIX + "? [a]\n: b",
    "mapping key": PREFIX + "? {a: b}\n: c",
    "number keys": PREFIX + "1: 2\n1.5: 3\nnull: 4\ntrue: 5\n2024-01-01: 6",
    "bad merge": PREFIX + "<<: 3",
    "two documents": PREFIX + "---\n" + PREFIX,
    "unclosed": "{env: [",
    "tab": "a:\n\tb: 1",
    "empty": "",
    "comment": "# nothing",
    "scalar": "hello",
    "list": "[1, 2]",
    "null": "null",
    "markup": PREFIX + "name: <script>alert(1)</script>",
    "directive": "%YAML 9.9\n---\na: b",
    "percent": "%",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_are_refused_soon_and_run_nothing(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    started = time.monotonic()
    faults_of(parse_spec, HOSTILE[name])
    assert time.monotonic() - started < 30
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("seed", range(30))
def test_broken_texts_never_raise_anything_else(seed):
    rng = random.Random(seed)
    spec = build_spec(random_spec(seed))
    for text in (spec.to_yaml(), spec.model_dump_json()):
        for _ in range(15):
            place = rng.randrange(len(text))
            junk = rng.choice(
                ["", "[", "{", ":", "\n", "*", "&a ", "!!int ", "'", "\0", "-", "1e999", "0x", "\t", "%"]
            )
            broken = text[:place] + junk + text[place + rng.choice([0, 1, 20]) :]
            try:
                parsed = parse_spec(broken)
            except SpecError:
                continue
            assert parse_spec(parsed.to_yaml()) == parsed


@pytest.mark.parametrize(
    "data",
    [None, 5, "text", [], [BASE], object(), {}, {"env": None}, {"env": BASE}, {**BASE, "search_space": {}}],
)
def test_data_of_any_type_is_refused(data):
    faults_of(build_spec, data)


def test_what_validates_can_be_stored_and_read_back():
    values = {f"k{i}": [0] * 490 for i in range(95)}
    text = json.dumps({**BASE, "env": {"id": "A-v0", "kwargs": values}}, separators=(",", ":"))
    assert len(text) < MAX_SPEC_BYTES
    assert "when written out" in faults_of(parse_spec, text)[0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe\0", "is not UTF-8 text. Is it the right file?"),
        (b"a" * (MAX_SPEC_BYTES + 1), "is longer than 200000 bytes"),
        (b"", "must be a mapping"),
    ],
)
def test_files_that_are_no_spec(tmp_path, content, said):
    path = tmp_path / "spec.yaml"
    path.write_bytes(content)
    assert said in faults_of(load_spec, path)[0]


def test_a_file_that_is_not_there_and_a_folder(tmp_path):
    assert "cannot be read: No such file" in faults_of(load_spec, tmp_path / "absent.yaml")[0]
    assert "cannot be read: Is a directory" in faults_of(load_spec, tmp_path)[0]


def test_yaml_of_a_spec_is_plain():
    text = build_spec(random_spec(5)).to_yaml()
    assert isinstance(yaml.safe_load(text), dict)
    assert "!!" not in text
    assert StudySpec.model_validate(yaml.safe_load(build_spec(BASE).to_yaml())) == build_spec(BASE)


def test_faults_between_fields_are_told_together_with_those_of_fields():
    with pytest.raises(SpecError) as caught:
        parse_spec("""
            env: {id: Pendulum-v1}
            hyperparameters: {gama: 0.9, gamma: 0.9}
            search_space:
              - {name: learning_rate, kind: float, low: 0.1, high: 0.01}
              - {name: gamma, kind: float, low: 0.9, high: 0.99}
            budget: {n_trials: 0}
            """)
    said = "\n".join(caught.value.faults)
    for part in ("Swap them?", "n_trials", "gama", "both fixed and searched"):
        assert part in said
    assert len(caught.value.faults) == 4
