import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from tuning.analysis.reevaluation import reevaluation_info
from tuning.analysis.reevaluation_result import ReevaluationInfo
from tuning.reevaluation import Candidate, Reevaluation
from tuning.retraining_plan import RunResult

RATE = FloatDistribution(1e-5, 1e-1, log=True)
GAMMA = FloatDistribution(0.9, 0.9999)
STEPS = IntDistribution(5, 12)
ACTIVATION = CategoricalDistribution(["tanh", "relu"])
START = datetime.datetime(2025, 3, 1, 10, 0, 0)

MakeTrial = Callable[..., FrozenTrial]


@pytest.fixture
def trial() -> MakeTrial:
    """Builds one trial; a value makes it complete, reports alone make it pruned."""

    def make(
        number: int,
        value: float | None = None,
        *,
        state: TrialState | None = None,
        params: dict[str, Any] | None = None,
        space: dict[str, Any] | None = None,
        reports: dict[int, float] | None = None,
        attrs: dict[str, Any] | None = None,
        start_s: float | None = None,
        end_s: float | None = None,
    ) -> FrozenTrial:
        if state is None:
            state = TrialState.COMPLETE if value is not None else TrialState.FAIL
            if value is None and reports:
                state = TrialState.PRUNED
        known = {"learning_rate": RATE, "gamma": GAMMA, "n_steps_pow": STEPS, "activation_fn": ACTIVATION}
        known |= space or {}
        params = params or {}
        made = create_trial(
            state=state,
            value=value,
            params=params,
            distributions={name: known[name] for name in params},
            intermediate_values=reports or {},
            user_attrs=attrs or {},
        )
        made.number = number
        made.datetime_start = None if start_s is None else START + datetime.timedelta(seconds=start_s)
        made.datetime_complete = None if end_s is None else START + datetime.timedelta(seconds=end_s)
        return made

    return make


@pytest.fixture
def failed_only(trial: MakeTrial) -> list[FrozenTrial]:
    error = {"failure": {"kind": "error", "message": "ValueError: boom\nsecond line"}}
    return [trial(i, params={"learning_rate": 1e-3}, attrs=error) for i in range(3)]


@pytest.fixture
def pruned_only(trial: MakeTrial) -> list[FrozenTrial]:
    return [trial(i, params={"learning_rate": 1e-3}, reports={100: -5.0, 200: -4.0 + i}) for i in range(3)]


@pytest.fixture
def non_finite(trial: MakeTrial) -> list[FrozenTrial]:
    values = [float("inf"), float("-inf")]
    return [trial(i, v, params={"learning_rate": 1e-3}, reports={1: v}) for i, v in enumerate(values)]


@pytest.fixture
def foreign(trial: MakeTrial) -> list[FrozenTrial]:
    """A study made elsewhere: hostile names, mixed distributions, conditional parameters, every JSON type."""
    name = "<script>alert(1)</script>%{x}"
    choices = CategoricalDistribution([None, True, 1, "1", 0.5, "<b>bold</b>"])
    trials = []
    for i in range(14):
        params: dict[str, Any] = {name: choices.choices[i % 6], "mixed": "a" if i % 2 else 0.25}
        mixed = CategoricalDistribution(["a", "=1+1"]) if i % 2 else FloatDistribution(0, 1 + i)
        if i % 3 == 0:
            params["only_some"] = i
        space = {name: choices, "mixed": mixed, "only_some": IntDistribution(0, 20)}
        attrs = {"baseline": "<img src=x>"} if i == 0 else {"evaluations": "no list", "failure": 3}
        trials.append(trial(i, float(-i), params=params, space=space, attrs=attrs, start_s=i, end_s=i + 2))
    return trials


@pytest.fixture
def study(trial: MakeTrial) -> list[FrozenTrial]:
    """Twenty trials, better with a larger learning rate; two pruned, one failed, one running."""
    trials = []
    for i in range(16):
        params = {
            "learning_rate": 10 ** (-5 + i / 4),
            "gamma": 0.9 + (i * 7 % 16) / 200,
            "activation_fn": "tanh" if i % 2 else "relu",
        }
        value = -1000.0 + 50 * i
        reports = {1000: value - 300, 2000: value}
        trials.append(trial(i, value, params=params, reports=reports, start_s=10 * i, end_s=10 * i + 15))
    base = {"learning_rate": 1e-4, "gamma": 0.95, "activation_fn": "relu"}
    trials.append(trial(16, params=base, reports={1000: -1300.0}, start_s=160, end_s=165))
    diverged = {"diverged": "The weights became NaN."}
    trials.append(trial(17, params=base, reports={1000: -2000.0}, attrs=diverged, start_s=165, end_s=170))
    failure = {"failure": {"kind": "killed", "message": "Out of memory"}}
    trials.append(trial(18, params=base, attrs=failure, start_s=170, end_s=171))
    trials.append(trial(19, state=TrialState.RUNNING, params=base, reports={1000: -900.0}, start_s=171))
    return trials


MakeReevaluation = Callable[..., ReevaluationInfo]


@pytest.fixture
def reevaluated() -> MakeReevaluation:
    """Builds what a re-evaluation has found, from each candidate's returns by seed; None: it diverged."""

    def make(
        runs: Mapping[str, Sequence[float | None]],
        *,
        searched: Mapping[str, float] | None = None,
        n_seeds: int | None = None,
        mode: str = "retrain",
        maximize: bool = True,
        n_timesteps: int = 1000,
        racing: bool = False,
        names: Mapping[str, str] | None = None,
    ) -> ReevaluationInfo:
        """Keys are "defaults", "tuned" or "trial N"; in the mode "weights" the returns are episodes."""
        kinds = {"defaults": "SB3 defaults", "tuned": "Tuned values"}
        candidates = [
            Candidate(
                key=key,
                kind=key if key in kinds else "trial",
                name=(names or {}).get(key) or kinds.get(key) or key.capitalize(),
                trial=None if key in kinds else int(key.split()[1]),
                resolved={"key": key},
                n_train_envs=1,
                search_value=(searched or {}).get(key),
            )
            for key in runs
        ]
        most = max((len(values) for values in runs.values()), default=1)
        question = Reevaluation(
            mode=mode,
            candidates=candidates,
            n_seeds=1 if mode == "weights" else n_seeds or max(most, 1),
            n_episodes=max(most, 1) if mode == "weights" else 5,
            n_timesteps=n_timesteps,
            study_timesteps=1000,
            maximize=maximize,
            racing=racing,
        )
        results = []
        for candidate in candidates:
            values = runs[candidate.key]
            if mode == "weights" and values:
                mean = sum(values) / len(values)
                key = question.run_key(candidate, 0)
                results.append(RunResult(key=key, state="ok", mean=mean, returns=tuple(values)))
                continue
            for seed, value in enumerate(values):
                state = "diverged" if value is None else "ok"
                key = question.run_key(candidate, seed)
                results.append(RunResult(key=key, state=state, mean=value, duration_s=10.0))
        return reevaluation_info(question, {r.key: r for r in results})

    return make
