"""What a re-evaluation trains: candidates and baselines again, all with the same fresh seeds."""

import math
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median

from storage.artifacts import kept_trials
from storage.trials import completed, own
from tuning import env_child
from tuning.analysis.outcomes import finite_values
from tuning.analysis.words import count, duration, listed, whole
from tuning.candidates import (
    NothingToReevaluate,
    ReevaluationError,
    budget_notes,
    choose,
    top_trials,
    trainable_spec,
)
from tuning.estimate import episodes_seconds, study_seconds, training_seconds
from tuning.launch import Run
from tuning.lineage import TrialHome, trial_home
from tuning.reevaluation import MOST_CANDIDATES, MOST_EPISODES, MOST_SEEDS, Candidate, Mode, Reevaluation
from tuning.retraining_plan import (
    MAX_RUNS,
    RetrainPlan,
    TrainingRun,
    seconds_of_a_run,
    seed_pairs,
    with_seeds,
)
from tuning.seeds import further_seeds, retraining_seeds
from tuning.spec import StudySpec
from tuning.trainers import speaks_for

__all__ = [
    "MOST_EPISODES",
    "NothingToReevaluate",
    "PlannedReevaluation",
    "ReevaluationError",
    "extended",
    "plan_reevaluation",
    "reevaluation_seconds",
    "top_trials",
]

MOST_EPISODES_IN_ALL = 1_000_000  # 20 MB, which take seconds to read for the first time
BAD_SHARE = 0.05  # of a study's trials that may be worse than what counts as the worst level
FEWEST_FOR_QUANTILE = 10  # trials
FEWEST_SEEDS = 3  # below, nothing can be said about how runs differ


@dataclass(frozen=True)
class PlannedReevaluation:
    """A re-evaluation, ready to run."""

    question: Reevaluation
    plan: RetrainPlan
    study: str  # its id
    study_seed: int
    notes: tuple[str, ...] = ()  # what a person should know before, in sentences; plain text
    policies: tuple[TrialHome, ...] = ()  # mode "weights": where each run's kept policy lies

    def with_draw(self, draw: int) -> "PlannedReevaluation":
        """Return it with the fresh seeds of another draw."""
        pairs = retraining_seeds(self.study_seed, draw, len(seed_pairs(self.plan)), study=self.study)
        return replace(self, plan=with_seeds(self.plan, pairs))

    @property
    def words(self) -> str:
        """What will be done, in plain text, with the notes."""
        q = self.question
        trials = [c for c in q.candidates if not c.is_baseline]
        named = [_trials_named(trials)] if trials else []
        baselines = [c.name if c.kind == "tuned" else f"the {c.name}" for c in q.candidates if c.is_baseline]
        who = listed([*named, *baselines])
        if q.mode == "weights":
            said = (
                f"Plays {whole(q.n_episodes)} new episodes with the kept policy of {who}, "
                "all from the same starts. Nothing is trained."
            )
        else:
            seeds = "new seed" if q.n_seeds == 1 else count(q.n_seeds, "new seed")
            said = (
                f"Trains {who} from scratch, each with the same {seeds}: {count(len(self.plan.runs), 'run')} "
                f"of {whole(q.n_timesteps)} steps, each judged by {count(q.n_episodes, 'episode')}."
            )
            if q.racing and len(q.candidates) > 1 and q.n_seeds > FEWEST_SEEDS:
                said += " Candidates that cannot win any more are not trained further."
        return " ".join([said, *self.notes])


def plan_reevaluation(
    run: Run,
    *,
    mode: Mode = "retrain",
    top: int = 5,
    trials: Sequence[int] | None = None,
    defaults: bool = True,
    tuned: bool = True,
    n_seeds: int = 10,
    n_episodes: int = 50,
    n_timesteps: int | None = None,
    racing: bool = True,
) -> PlannedReevaluation:
    """Plan a re-evaluation of a study of ours, or of one that a person mapped (`tuning.mapping`).

    The runs come seed by seed, so that one that is stopped early has whole rounds. Their seeds are those of
    the study's first draw: which one is next is certain only once nobody else can start a job.

    Args:
        run: the study.
        mode: "retrain" trains each candidate again; "weights" plays more episodes with the kept policies.
        top: how many of the best distinct trials are candidates; near-equal ones count as one.
        trials: numbers of the candidates, picked by hand, imported and pruned ones too; then without `top`.
        defaults: SB3's own defaults are a candidate too.
        tuned: so are values that others tuned for this environment, where some are known.
        n_seeds: training runs of each candidate; the mode "weights" has none.
        n_episodes: that each run, or each kept policy, is judged by.
        n_timesteps: of a training run; by default the study's own.
        racing: candidates that cannot win any more are not trained further.

    Raises:
        ReevaluationError: it makes no sense.
        NothingToReevaluate: there is nothing to measure anew yet.
    """
    spec = trainable_spec(run)
    for what, n, least, most in (
        ("top trials", top, 0, MOST_CANDIDATES),
        ("seeds", n_seeds, 1, MOST_SEEDS),
        ("episodes", n_episodes, 1, MOST_EPISODES),
        ("steps", spec.budget.n_timesteps if n_timesteps is None else n_timesteps, 1, 10**10),
    ):
        if not least <= n <= most:
            raise ReevaluationError(f"The number of {what} must be {least} to {whole(most)}: received {n}.")
    if mode == "weights" and n_timesteps is not None:
        raise ReevaluationError("Kept policies are not trained further: leave the steps out, or retrain.")
    chosen = choose(run, spec, top=top, trials=trials, defaults=defaults, tuned=tuned)
    candidates, notes, homes = chosen.candidates, chosen.notes, tuple[TrialHome, ...]()
    if mode == "weights":
        candidates, homes, missing = _with_weights(run, candidates)
        notes = (*notes, *missing)
    steps = n_timesteps or spec.budget.n_timesteps
    seconds = seconds_of_a_run(spec, steps)
    if not candidates:
        raise ReevaluationError("There is no candidate: pick at least one trial or a baseline.")
    if len(candidates) > MOST_CANDIDATES:
        raise ReevaluationError(
            f"A re-evaluation has at most {MOST_CANDIDATES} candidates: received {len(candidates)}. "
            "Pick fewer."
        )
    worst = worst_level(finite_values(own(run.study.trials)).values(), maximize=run.study.maximize)
    question = Reevaluation(
        mode=mode,
        candidates=candidates,
        n_seeds=n_seeds if mode == "retrain" else 1,
        n_episodes=n_episodes,
        n_timesteps=steps,
        study_timesteps=spec.budget.n_timesteps,
        study_seconds=spec.budget.trial_seconds if mode == "retrain" else None,
        maximize=run.study.maximize,
        racing=racing and mode == "retrain",
        reward_threshold=env_child.reward_threshold(spec.env.id),
        worst_seen=worst,
    )
    if mode == "retrain":
        notes = (
            *notes,
            *(budget_notes(spec, candidates, steps) if seconds is None else _time_notes(seconds)),
        )
    study = run.folder.id
    seeds = retraining_seeds(spec.seed, 0, question.n_seeds, study=study)
    plan = RetrainPlan(
        env=spec.env,
        algorithm=spec.algorithm,
        policy=spec.policy,
        trainer=spec.trainer,
        n_train_envs=spec.n_train_envs,
        n_timesteps=steps,
        trial_seconds=seconds if mode == "retrain" else None,
        n_eval_episodes=n_episodes,
        n_eval_envs=spec.n_eval_envs,
        n_workers=spec.n_workers,
        keep_weights=mode == "retrain",
        runs=_runs(question, spec.n_train_envs, seeds),
    )
    return PlannedReevaluation(question, plan, study, spec.seed, notes, homes)


def _time_notes(seconds: float) -> list[str]:
    return [
        f"The study gives each training a time, not steps: a run trains for {duration(seconds)}, on this "
        "machine and beside whatever else runs on it. Steps say how the time compares with the study's."
    ]


def worst_level(values: Iterable[float], *, maximize: bool) -> float | None:
    """Return about what no learning gives: the 5 % quantile of a study's values, from the bad end.

    Not the worst value: one trial that ran away would decide what a broken run costs, and no other run would
    count as collapsed. Where the quantile falls between two values it is the better one. With fewer than 10
    values it is the worst all the same, as one trial in five may well be what no learning gives.
    """
    from_bad = sorted(values, reverse=not maximize)
    if not from_bad:
        return None
    few = len(from_bad) < FEWEST_FOR_QUANTILE
    return from_bad[0 if few else math.ceil(BAD_SHARE * (len(from_bad) - 1))]


def extended(
    question: Reevaluation, plan: RetrainPlan, n_seeds: int, *, done: Container[str] = ()
) -> tuple[Reevaluation, RetrainPlan]:
    """Return both with a new total of seeds; the runs there are stay where they are, with their seeds.

    Args:
        question: what was asked.
        plan: its runs. After an extension that broke off between its two files it may have more or fewer than
            the question says.
        n_seeds: the new total.
        done: keys of the runs that have a result.

    Raises:
        ReevaluationError: it has that many already, or none at all because it plays kept policies.
    """
    if question.mode == "weights":
        raise ReevaluationError(
            "Kept policies play once, from fixed starts. Start a new re-evaluation with more episodes."
        )
    there = {run.key for run in plan.runs}
    is_whole = there.issuperset(question.run_keys)
    there_are = question.n_seeds if is_whole else question.n_seeds - 1
    if not there_are < n_seeds <= MOST_SEEDS:
        raise ReevaluationError(
            f"The new total of seeds must be above {there_are} and at most {MOST_SEEDS}: received {n_seeds}."
        )
    longer = question.model_copy(update={"n_seeds": n_seeds})
    asked_for = {*longer.run_keys}
    kept = list(plan.runs)
    while kept and kept[-1].key not in asked_for and kept[-1].key not in done:
        kept.pop()  # from the end alone: weights and curves go by a run's place
    known = seed_pairs(plan)
    seeds = [*known, *further_seeds(known[-1], n_seeds - len(known))][:n_seeds]
    new = [run for run in _runs(longer, plan.n_train_envs, seeds) if run.key not in there]
    return longer, plan.model_copy(update={"runs": (*kept, *new)})


def reevaluation_seconds(run: Run, planned: PlannedReevaluation) -> float:
    """Return roughly how long it takes if racing gives up nothing.

    A candidate takes what its own trial took. One that has none is priced by the model before launch for its
    very configuration, as a fallback to SB3's code takes several times longer than the kernels; where the
    study has trials, scaled to what those took.
    """
    spec, plan = trainable_spec(run), planned.plan
    episodes = episodes_seconds(spec, plan.n_eval_episodes)
    if planned.question.mode == "weights":  # one env at a time
        return episodes * min(spec.n_eval_envs, plan.n_eval_episodes) * _rounds(plan)
    complete = [t for t in completed(own(run.study.trials)) if t.duration]
    telling = [t for t in complete if run.source is None and speaks_for(t, plan.trainer)]
    took = {t.number: t.duration.total_seconds() for t in telling if t.duration}
    pace = median(took.values()) / study_seconds(spec).seconds_per_trial if took else 1.0
    share = plan.n_timesteps / spec.budget.n_timesteps

    def run_seconds(c: Candidate) -> float:
        if c.trial in took:
            return took[c.trial] / spec.objective.n_seeds * share + episodes
        return pace * training_seconds(_retrained(spec, plan, c), c.resolved)

    candidates = planned.question.candidates
    return sum(map(run_seconds, candidates)) / len(candidates) * _rounds(plan)


def _retrained(spec: StudySpec, plan: RetrainPlan, candidate: Candidate) -> StudySpec:
    """Return the request of a trial that costs what a run of the candidate does."""
    asked = {
        "n_timesteps": plan.n_timesteps,
        "n_evaluations": 1,
        "n_eval_episodes": plan.n_eval_episodes,
    }
    budget = spec.budget.model_copy(update=asked)
    return spec.model_copy(update={"budget": budget, "n_train_envs": candidate.n_train_envs})


def _rounds(plan: RetrainPlan) -> int:
    return math.ceil(len(plan.runs) / plan.n_workers)


def _runs(
    question: Reevaluation, n_train_envs: int, seeds: Sequence[tuple[int, int]]
) -> tuple[TrainingRun, ...]:
    n_runs = len(seeds) * len(question.candidates)
    if n_runs > MAX_RUNS:
        raise ReevaluationError(
            f"A re-evaluation has at most {whole(MAX_RUNS)} runs: received {len(question.candidates)} "
            f"candidates with {len(seeds)} seeds, {whole(n_runs)} runs. Ask for fewer of either."
        )
    if n_runs * question.n_episodes > MOST_EPISODES_IN_ALL:
        raise ReevaluationError(
            f"A re-evaluation records at most {whole(MOST_EPISODES_IN_ALL)} episodes: received "
            f"{whole(n_runs)} runs of {whole(question.n_episodes)}. Ask for fewer of either."
        )
    return tuple(
        TrainingRun(
            key=question.run_key(candidate, index),
            label=f"{candidate.name}, "
            + ("kept policy" if question.mode == "weights" else f"seed {index + 1}"),
            resolved=candidate.resolved,
            train_seed=train_seed,
            eval_seed=eval_seed,
            n_train_envs=None if candidate.n_train_envs == n_train_envs else candidate.n_train_envs,
            plays_only=question.mode == "weights",
        )
        for index, (train_seed, eval_seed) in enumerate(seeds)
        for candidate in question.candidates
    )


def _with_weights(
    run: Run, candidates: Sequence[Candidate]
) -> tuple[tuple[Candidate, ...], tuple[TrialHome, ...], tuple[str, ...]]:
    """Return the candidates whose policies were kept, where those lie, and who had to be left out."""
    trials = {t.number: t for t in run.study.trials}
    found: list[tuple[Candidate, TrialHome]] = []
    missing = []
    for candidate in candidates:
        home = None if candidate.trial is None else trial_home(run.folder, trials[candidate.trial])
        if home is not None and home.folder is not None and home.number in kept_trials(home.folder):
            found.append((candidate, home))
        else:
            missing.append(candidate.name)
    if not found:
        raise ReevaluationError(
            f"No policy of these candidates was kept: {listed(missing) or 'there are none'}. "
            "Pick trials that kept theirs, or retrain."
        )
    notes = (f"Left out, because no policy of theirs was kept: {listed(missing)}.",) if missing else ()
    return tuple(c for c, _ in found), tuple(home for _, home in found), notes


def _trials_named(trials: Sequence[Candidate]) -> str:
    numbers = [str(c.trial) for c in trials]
    return f"trial {numbers[0]}" if len(numbers) == 1 else f"trials {listed(numbers)}"
