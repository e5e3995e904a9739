from dataclasses import replace

import pytest

from pages.components.environment_choice import study_name
from pages.components.launch_fields import PREFIX
from pages.components.launch_form import advice_in_form_words
from tuning import env_child, launch
from tuning.algorithms import algorithm
from tuning.env_description import EnvDescription
from tuning.environments import EnvInfo, EnvironmentsError
from tuning.spec import load_spec

PAGE = "pages/launch.py"
PENDULUM = EnvDescription(
    "Pendulum-v1", "Box(3)", "continuous", "Box(1)", "continuous", 200, None, "MlpPolicy", None, None
)


@pytest.fixture(autouse=True)
def _known_environments(monkeypatch):
    infos = [EnvInfo("CartPole-v1", 500, 475.0, "gymnasium"), EnvInfo("Pendulum-v1", 200, None, "gymnasium")]
    monkeypatch.setattr(env_child, "catalogue_from_child", lambda: infos)
    monkeypatch.setattr(env_child, "describe_from_child", lambda env: PENDULUM)


@pytest.fixture
def started(monkeypatch):
    folders = []
    monkeypatch.setattr(launch, "start", folders.append)
    return folders


def test_the_form_starts_as_the_story_and_launches_it(open_page, shown, started):
    app = open_page(PAGE)
    text = shown(app)
    assert "60 trials on" in text
    assert "Episodes end after 200 steps" in text
    app.button(key="launch").click().run()
    assert not app.exception
    assert len(started) == 1
    spec = load_spec(started[0].spec)
    assert (spec.env.id, spec.budget.n_trials, len(spec.search_space)) == ("Pendulum-v1", 60, 4)
    assert app.title[0].value == "Live"
    assert started[0].id in shown(app).replace("\\", "")


def test_a_fallback_to_sb3_is_told_before_the_launch(open_page, shown):
    app = open_page(PAGE)
    assert "own code will train" not in shown(app)
    app.text_area(key=PREFIX + "hyperparameters").set_value("use_sde: true").run()
    assert "own code will train these trials: the fast kernels do not cover gSDE" in shown(app).replace(
        "\\", ""
    )


def test_a_second_press_does_not_launch_twice(open_page, started):
    app = open_page(PAGE)
    app.button(key="launch").click().run()
    app.switch_page(PAGE).run()
    app.button(key="launch").click().run()
    assert len(started) == 1
    app.switch_page(PAGE).run()
    app.number_input(key=PREFIX + "trials").set_value(3).run()
    app.button(key="launch").click().run()
    assert len(started) == 2


def test_a_preset_replaces_the_table(open_page, shown):
    app = open_page(PAGE)
    app.get_by_key(PREFIX + "preset").set_value("rl-zoo").run()
    assert not app.exception
    assert len(app.dataframe[0].value) == 11
    assert "is about 5 each" in shown(app) or "trials or more" in shown(app)


def test_a_preset_is_marked_while_the_table_is_its_own(open_page, shown):
    app = open_page(PAGE)
    preset = PREFIX + "preset"
    assert app.session_state[preset] == "starter"
    key = next(k for k in app.session_state if k.startswith("space-"))
    app.session_state[key] = {"edited_rows": {1: {"low": "0.9"}}, "added_rows": [], "deleted_rows": []}
    app.run()
    assert app.session_state[preset] is None
    app.get_by_key(preset).set_value("starter").run()
    assert app.session_state[preset] == "starter"
    assert "0.97 … 0.9999" in app.dataframe[1].value.to_string()


def test_another_algorithm_brings_its_own_preset_but_keeps_an_edited_table(open_page, started):
    app = open_page(PAGE)
    names = ["learning_rate", "n_steps", "one_minus_gamma", "gae_lambda"]
    app.selectbox(key=PREFIX + "algorithm").set_value("A2C").run()
    assert not app.exception
    assert app.session_state[PREFIX + "preset"] == "starter"
    assert list(app.dataframe[0].value["name"]) == names
    key = max(k for k in app.session_state if k.startswith("space-"))
    app.session_state[key] = {"edited_rows": {}, "added_rows": [], "deleted_rows": [3]}
    app.run()
    app.selectbox(key=PREFIX + "algorithm").set_value("PPO").run()
    assert list(app.dataframe[0].value["name"]) == names
    app.selectbox(key=PREFIX + "algorithm").set_value("A2C").run()
    app.selectbox(key=PREFIX + "trainer").set_value("sb3").run()
    app.button(key="launch").click().run()
    spec = load_spec(started[0].spec)
    assert (spec.algorithm, spec.trainer, spec.n_train_envs) == ("A2C", "sb3", 8)
    assert [p.name for p in spec.search_space] == ["learning_rate", "n_steps", "one_minus_gamma"]


def test_typed_training_envs_outlive_another_algorithm(open_page):
    app = open_page(PAGE)
    envs = PREFIX + "train-envs"
    assert app.number_input(key=envs).value == 5  # the preset's
    app.number_input(key=envs).set_value(3).run()
    app.selectbox(key=PREFIX + "algorithm").set_value("A2C").run()
    assert app.number_input(key=envs).value == 3
    app.number_input(key=envs).set_value(8).run()  # what the preset of A2C would have brought
    app.selectbox(key=PREFIX + "algorithm").set_value("PPO").run()
    assert app.number_input(key=envs).value == 5


def test_the_name_follows_the_environment_until_it_is_typed(open_page):
    app = open_page(PAGE)
    app.selectbox(key=PREFIX + "env").set_value("CartPole-v1").run()
    assert app.text_input(key=PREFIX + "name").value == "cartpole"
    app.text_input(key=PREFIX + "name").set_value("mine").run()
    app.selectbox(key=PREFIX + "env").set_value("Pendulum-v1").run()
    assert app.text_input(key=PREFIX + "name").value == "mine"


@pytest.mark.parametrize(
    ("env_id", "name"), [("CartPole-v1", "cartpole"), ("ns/My_Env-v0", "my-env"), ("--", "study")]
)
def test_a_study_is_named_after_its_environment(env_id, name):
    assert study_name(env_id) == name


def test_an_edit_of_the_table_reaches_the_spec(open_page, started):
    app = open_page(PAGE)
    key = next(k for k in app.session_state if k.startswith("space-"))
    app.session_state[key] = {"edited_rows": {1: {"low": "9e-1"}}, "added_rows": [], "deleted_rows": [3]}
    app.run()
    app.button(key="launch").click().run()
    space = load_spec(started[0].spec).search_space
    assert [p.name for p in space] == ["n_steps_pow", "gamma", "learning_rate"]
    assert space[1].low == 0.9


def test_faults_are_sentences_and_keep_the_study_from_starting(open_page, shown):
    app = open_page(PAGE)
    app.text_input(key=PREFIX + "name").set_value("../<b>").run()
    key = next(k for k in app.session_state if k.startswith("space-"))
    app.session_state[key] = {"edited_rows": {1: {"low": "2"}}, "added_rows": [], "deleted_rows": []}
    app.run()
    text = shown(app)
    assert "This cannot be launched yet." in text
    plain = text.replace("\\", "")
    assert "Row 2 (gamma), Low and High: Low of gamma must be below High: received low=2" in plain
    assert "Search space: 1 fault, named below the table" in plain
    assert r"received \'\.\.\/\<b\>" in text
    assert app.button(key="launch").disabled


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("trials", 0, "Trials: it should be greater than or equal to 1: received 0"),
        ("trials", 10**11, "Trials: it should be less than or equal to 100000"),
        ("timesteps", -1, "Steps a trial: it should be greater"),
        ("workers", 500, "Workers: it should be less than or equal to 256"),
        ("seed", -1, "Seed: it should be greater"),
        ("keep", -1, "Keep the weights of the best: it should be greater"),
    ],
)
def test_a_number_beyond_its_limits_launches_nothing_else(open_page, shown, key, value, said):
    app = open_page(PAGE)
    app.number_input(key=PREFIX + key).set_value(value).run()
    assert said in shown(app).replace("\\", "")
    assert app.button(key="launch").disabled


def test_a_misspelt_hyperparameter_gets_a_hint(open_page, shown):
    app = open_page(PAGE)
    app.text_area(key=PREFIX + "hyperparameters").set_value("n_epoch: 5").run()
    assert r"Did you mean n\_epochs?" in shown(app)
    assert app.button(key="launch").disabled


def test_an_environment_that_cannot_be_made_is_named(open_page, shown, monkeypatch):
    def fail(env):
        raise EnvironmentsError("There is no environment Nope-v0. Did you mean CartPole-v1?")

    monkeypatch.setattr(env_child, "describe_from_child", fail)
    app = open_page(PAGE)
    assert r"There is no environment Nope\-v0" in shown(app)
    assert app.button(key="launch").disabled


def test_the_form_is_kept_while_another_page_is_open(open_page, shown):
    app = open_page(PAGE)
    app.number_input(key=PREFIX + "trials").set_value(7).run()
    key = next(k for k in app.session_state if k.startswith("space-"))
    app.session_state[key] = {"edited_rows": {}, "added_rows": [], "deleted_rows": [0, 1]}
    app.run()
    app.switch_page("app.py").run()
    app.switch_page(PAGE).run()
    assert "7 trials on" in shown(app)
    assert app.dataframe[0].value["name"].tolist() == ["learning_rate", "activation_fn"]


def test_a_pasted_spec_fills_the_form(open_page, shown):
    app = open_page(PAGE)
    text = "env: {id: CartPole-v1}\nname: mine\nsearch_space: learning-rate-only\nbudget: {n_trials: 3}\n"
    app.text_area(key="spec-text").set_value(text).run()
    app.button(key="spec-fill").click().run()
    assert "3 trials on" in shown(app)
    assert app.text_input(key=PREFIX + "name").value == "mine"
    assert app.dataframe[0].value["name"].tolist() == ["learning_rate"]
    app.text_area(key="spec-text").set_value("env: *x").run()
    app.button(key="spec-fill").click().run()
    assert "This cannot be launched yet" in shown(app)


def test_a_runner_that_does_not_start_is_explained_on_live(open_page, shown, monkeypatch):
    def fail(folder):
        raise launch.jobs.StartFailed("The runner ended at once. Its log ends: boom")

    monkeypatch.setattr(launch, "start", fail)
    app = open_page(PAGE)
    app.button(key="launch").click().run()
    assert app.title[0].value == "Live"
    assert "The runner ended at once" in shown(app)


HOSTILE = [
    "",
    " ",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "[x](javascript:alert(1)) ![y](http://example.org/z.png)",
    ":material/home: :red[x] $\\frac{1}{0}$ `code`",
    "a\x00b\x1b[31m",
    "\u202egnp.exe",
    "mod:Env-v0",
    "os.system",
    "!!python/object/apply:os.system ['true']",
    "&a [*a, *a]",
    "{" * 500,
    "9" * 5000,
    "x" * 100_000,
    "n_steps: [1, 2]",
    '{"g": NaN}',
    "gamma: .inf",
    "n_steps: 1e400",
    "null",
]


@pytest.mark.parametrize("field", ["name", "env-kwargs", "hyperparameters"])
def test_hostile_text_in_a_field_is_a_fault_or_harmless(open_page, shown, field):
    app = open_page(PAGE)
    for text in HOSTILE:
        app.session_state[PREFIX + field] = text
        app.run()
        said = shown(app)
        assert "<script>" not in said.replace("\\<script\\>", "")
        assert "](javascript" not in said


def test_hostile_specs_are_refused_in_words(open_page, shown):
    app = open_page(PAGE)
    for text in HOSTILE:
        app.text_area(key="spec-text").set_value(text).run()
        app.button(key="spec-fill").click().run()
        assert "This cannot be launched yet" in shown(app), text[:40]


def test_advice_names_fields_as_the_form_does():
    text = "the first evaluation is late. Raise n_timesteps, or lower n_steps."
    assert advice_in_form_words(text).endswith('Raise "Steps a trial", or lower n_steps.')


def test_sac_is_launched_on_pendulum_and_dqn_on_cartpole(open_page, shown, started, monkeypatch):
    app = open_page(PAGE)
    app.selectbox(key=PREFIX + "algorithm").set_value("SAC").run()
    app.segmented_control(key=PREFIX + "preset").set_value("sac-for-speed").run()
    app.button(key="launch").click().run()
    assert not app.exception
    sac = load_spec(started[0].spec)
    assert (sac.algorithm, sac.policy, sac.n_train_envs) == ("SAC", "MlpPolicy", 256)
    assert {p.transform for p in sac.search_space} >= {"auto_x", "net_arch_complexity", "2^x"}

    app.switch_page(PAGE).run()
    app.selectbox(key=PREFIX + "algorithm").set_value("DQN").run()
    said = "DQN acts in discrete actions only; Pendulum-v1's are continuous. Choose SAC"
    assert said in shown(app).replace("\\", "")
    cartpole = replace(PENDULUM, id="CartPole-v1", action_kind="discrete", observation_bytes=16)
    monkeypatch.setattr(env_child, "describe_from_child", lambda env: cartpole)
    app.selectbox(key=PREFIX + "env").set_value("CartPole-v1").run()
    app.segmented_control(key=PREFIX + "preset").set_value("rl-zoo").run()
    app.button(key="launch").click().run()
    assert not app.exception
    dqn = load_spec(started[1].spec)
    assert (dqn.algorithm, dqn.env.id, dqn.n_train_envs) == ("DQN", "CartPole-v1", 1)
    assert dqn.parameter("subsample_steps").at_most == "train_freq", "the table keeps what caps a value"


def test_recurrent_and_linear_policies_are_chosen_with_their_algorithm(open_page, started):
    app = open_page(PAGE)
    for number, (name, policy) in enumerate([("RecurrentPPO", "MlpLstmPolicy"), ("ARS", "LinearPolicy")]):
        app.switch_page(PAGE).run()
        app.selectbox(key=PREFIX + "algorithm").set_value(name).run()
        app.button(key="launch").click().run()
        assert not app.exception
        spec = load_spec(started[number].spec)
        assert (spec.algorithm, spec.policy) == (name, policy)
        assert spec.search_space == algorithm(name).preset("starter").space


def test_a_table_that_another_algorithm_cannot_use_gives_way_to_its_starter(open_page, shown):
    app = open_page(PAGE)
    app.selectbox(key=PREFIX + "algorithm").set_value("SAC").run()
    app.segmented_control(key=PREFIX + "preset").set_value("sac-for-speed").run()
    app.selectbox(key=PREFIX + "algorithm").set_value("TD3").run()  # it has no preset of that name
    assert app.session_state[PREFIX + "preset"] == "starter"
    assert "noise_type: " in app.text_area(key=PREFIX + "hyperparameters").value, "the preset fixes the noise"
    assert not app.button(key="launch").disabled
