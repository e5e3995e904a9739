"""Who can play in a rollout of a study: its winner, its kept trials, the defaults, each re-evaluated run."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from storage.artifacts import kept_trials
from storage.paths import RunFolder, list_runs
from storage.trials import BASELINE, completed, ranked
from storage.winner import Winner, read_winner
from tuning import jobs
from tuning.analysis.words import THIN, count, three_digits, whole
from tuning.jobs import JobState
from tuning.launch import Run
from tuning.lineage import trial_home
from tuning.reevaluation import Candidate, Reevaluation
from tuning.retraining_plan import PlanError, RetrainPlan, RunResult, load_plan, read_model, read_results
from tuning.rollout import Actor, JobRun, KeptTrial, Role
from tuning.spec_parts import EnvSpec

REEVALUATION = "reevaluation"
MOST_TRIALS = 10  # kept ones that are offered, besides the winner and the defaults

NO_DEFAULTS = (
    "The policy of the SB3 defaults was not kept, so there is nothing to compare with. Re-evaluate the study "
    "with the defaults: each of their runs keeps its policy."
)
FOREIGN = (
    "This study was not launched here, so none of its policies are here. Re-evaluate it: every run that is "
    "trained again keeps its policy."
)
NOTHING_KEPT = (
    "No trial of this study kept its weights. Re-evaluate its best trials: every run that is trained again "
    "keeps its policy. In a new study, `retention` says how many trials keep theirs."
)
NOTHING_COMPLETE = "No trial is complete yet. The first one that is can be shown here."


@dataclass(frozen=True)
class Part:
    """One policy that can be put on stage."""

    key: str  # unique for the study, and the same whenever it is asked for
    actor: Actor
    value: float | None  # its mean return, as the search or its re-evaluation measured it
    note: str  # where that number comes from, for people
    job: str | None = None  # id of the re-evaluation that trained it; None for what the search kept
    trial: int | None = None  # the trial of the study whose configuration it is
    average: str = ""  # what it gave on average, for people; empty where nobody knows


@dataclass(frozen=True)
class Comparison:
    """Several policies that are worth seeing beside each other."""

    label: str
    keys: tuple[str, ...]  # of parts


@dataclass(frozen=True)
class Cast:
    """All who can play, and whom to begin with."""

    env: EnvSpec | None  # None when nobody can
    parts: tuple[Part, ...]
    pair: tuple[str, ...]  # keys: the defaults against the tuned agent, as far as they are there
    comparisons: tuple[Comparison, ...]
    missing: str  # what cannot be shown and what to do about it; empty when nothing is missing

    def part(self, key: str) -> Part:
        """Return the part of this key; raises KeyError when there is none."""
        for part in self.parts:
            if part.key == key:
                return part
        raise KeyError(key)

    def average_of(self, policy: KeptTrial | JobRun) -> str:
        """Return what a policy gave on average, for people; empty where nobody knows."""
        return next((part.average for part in self.parts if part.actor.policy == policy), "")


@dataclass(frozen=True)
class _Measured:
    """The runs of one candidate that kept their policies, best first."""

    candidate: Candidate
    job: RunFolder
    env: EnvSpec
    n_timesteps: int | None  # where they are not those of the study
    runs: tuple[tuple[int, float, int], ...]  # place in the plan, mean return, episodes; best first
    n_broken: int  # that gave no value

    @property
    def mean(self) -> float:
        """Mean return of the runs."""
        return statistics.fmean(value for _, value, _ in self.runs)

    @property
    def median(self) -> int:
        """Where the median run lies among the runs; of two in the middle the worse one."""
        return len(self.runs) // 2


def find_cast(run: Run) -> Cast:
    """Return who can play in a study's rollouts. Reads records and folders, no weights."""
    winner = read_winner(run.folder)
    measured = _measured(run.folder, winner, maximize=run.study.maximize)
    kept = list(_kept_parts(run, winner))
    parts = (*(part for m in measured for part in _run_parts(m)), *kept)
    if not parts:
        return Cast(None, (), (), (), _nothing(run))
    baseline, tuned = _pair(run, winner, measured, kept)
    pair = tuple(part.key for part in (baseline, tuned) if part is not None)
    env = run.spec.env if run.spec else measured[0].env
    missing = "" if baseline else NO_DEFAULTS
    return Cast(env, parts, pair, tuple(_comparisons(measured, pair)), missing)


def _nothing(run: Run) -> str:
    if run.spec is None:
        return FOREIGN
    return NOTHING_KEPT if completed(run.study.trials) else NOTHING_COMPLETE


def _kept_parts(run: Run, winner: Winner | None) -> Iterator[Part]:
    """Yield the trials whose weights lie somewhere: baselines first, then the best."""
    kept: dict[RunFolder, set[int]] = {}
    labels: set[str] = set()
    n_others = 0
    order = ranked(run.study.trials, maximize=run.study.maximize)
    for trial in sorted(order, key=lambda t: BASELINE not in t.user_attrs):
        home = trial_home(run.folder, trial)
        if home.folder is None:
            continue
        if home.folder not in kept:
            kept[home.folder] = kept_trials(home.folder)
        if home.number not in kept[home.folder]:
            continue
        name = trial.user_attrs.get(BASELINE)
        is_baseline = isinstance(name, str)
        is_winner = winner is not None and winner.trial == trial.number
        if not is_baseline and not is_winner:
            n_others += 1
            if n_others > MOST_TRIALS:
                continue
        label = _plain(str(name)) if is_baseline else f"Tuned (trial {trial.number})"
        if label in labels:  # a study that continues another one may have both studies' defaults
            label = _plain(f"{label[:60]} (trial {trial.number})")
        labels.add(label)
        yield Part(
            key=f"trial-{trial.number}",
            actor=_actor(label, is_baseline, KeptTrial(study=home.study, number=home.number)),
            value=trial.value,
            note=f"{three_digits(trial.value or 0.0)} in the search",
            trial=trial.number,
            average="" if trial.value is None else f"{three_digits(trial.value)} on average in the search",
        )


def _measured(study: RunFolder, winner: Winner | None, *, maximize: bool) -> list[_Measured]:
    """Return each candidate that was trained again, the job that tells most about it first and alone.

    That is the job by which the winner was chosen, then one that is finished, the newest first, then the one
    that has come furthest: a job that has just started has nothing to say beside one that is complete.
    """
    found = []
    for age, folder in enumerate(list_runs(study.jobs)):
        if not folder.reevaluation.is_file():
            continue
        status = jobs.job_status(folder)
        if status.kind != REEVALUATION:
            continue
        measured = _of_job(folder, maximize=maximize)
        is_chosen = winner is not None and winner.reevaluation == folder.id
        is_finished = status.state == JobState.FINISHED
        n_runs = sum(len(m.runs) for m in measured)
        found.append((not is_chosen, not is_finished, 0 if is_finished else -n_runs, age, measured))
    seen: dict[tuple[str, int | None], _Measured] = {}
    for *_, measured in sorted(found, key=lambda job: job[:-1]):
        for m in measured:
            seen.setdefault((m.candidate.key, m.n_timesteps), m)
    return list(seen.values())


def _of_job(folder: RunFolder, *, maximize: bool) -> list[_Measured]:
    """Return the candidates of one job that have runs to show; none where its files cannot be read."""
    try:
        question, plan = read_model(folder.reevaluation, Reevaluation), load_plan(folder)
    except PlanError:
        return []  # the page of re-evaluations says so
    if question.mode != "retrain":
        return []
    results, kept = read_results(folder, plan), kept_trials(folder)
    other = question.n_timesteps if question.n_timesteps != question.study_timesteps else None
    measured = []
    for candidate in question.candidates:
        runs = _runs(question, plan, candidate, results, kept, maximize=maximize)
        if runs:
            keys = {question.run_key(candidate, seed) for seed in range(question.n_seeds)}
            n_broken = sum(r.key in keys and r.mean is None for r in results.values())
            measured.append(_Measured(candidate, folder, plan.env, other, tuple(runs), n_broken))
    return measured


def _runs(
    question: Reevaluation,
    plan: RetrainPlan,
    candidate: Candidate,
    results: dict[str, RunResult],
    kept: set[int],
    *,
    maximize: bool,
) -> list[tuple[int, float, int]]:
    """Return the candidate's runs that kept their policy (place in the plan, mean, episodes), best first."""
    own = {question.run_key(candidate, seed) for seed in range(question.n_seeds)}
    found = []
    for place, planned in enumerate(plan.runs):
        result = results.get(planned.key)
        if planned.key in own and place in kept and result is not None and result.mean is not None:
            found.append((place, result.mean, len(result.returns)))
    return sorted(found, key=lambda run: (-run[1] if maximize else run[1], run[0]))


def _run_parts(m: _Measured) -> Iterator[Part]:
    """Yield the median run of a candidate, then its best and its worst one."""
    n = len(m.runs)
    words = {m.median: "median"}
    for place, word in ((0, "best"), (n - 1, "worst")):
        words.setdefault(place, word)
    if n == 2:
        words = {1: "worse", 0: "better"}
    for place, word in words.items():
        index, value, n_episodes = m.runs[place]
        which = f"{word} of {n} runs" if n > 1 else "trained again"
        over = f" over {count(n_episodes, 'episode')}" if n_episodes else ""
        broken = f"; {count(m.n_broken, 'other run')} gave no value" if m.n_broken else ""
        yield Part(
            key=f"{m.job.id}-{index}",
            actor=_actor(_label(m, which), m.candidate.is_baseline, JobRun(job=m.job.id, run=index)),
            value=value,
            note=f"{three_digits(value)}{over}{broken}",
            job=m.job.id,
            trial=m.candidate.trial,
            average=f"{three_digits(value)} on average{over}",
        )


def _label(m: _Measured, which: str) -> str:
    steps = f"{whole(m.n_timesteps)} steps, " if m.n_timesteps is not None else ""
    if m.candidate.is_baseline:
        return _plain(f"{m.candidate.name[:40]} ({steps}{which})")
    name = f"trial {m.candidate.trial}" if m.candidate.trial is not None else m.candidate.name[:20]
    return _plain(f"Tuned ({name}, {steps}{which})")


def _plain(label: str) -> str:
    """Return a label on one line, with ordinary spaces in its numbers."""
    text = "".join(c if c.isprintable() else " " for c in label.replace(THIN, " "))
    return " ".join(text.split())[:80] or "Unnamed"


def _actor(label: str, is_baseline: bool, policy: KeptTrial | JobRun) -> Actor:
    role: Role = "baseline" if is_baseline else "tuned"
    return Actor(label=label, role=role, policy=policy)


def _median_part(m: _Measured) -> Part:
    return next(_run_parts(m))


def _pair(
    run: Run, winner: Winner | None, measured: list[_Measured], kept: list[Part]
) -> tuple[Part | None, Part | None]:
    """Return the defaults and the tuned agent. Of runs it is the median, never the best.

    Runs of a re-evaluation go before the policy that the search kept, which was picked for its luck; and what
    is compared comes from one re-evaluation where it can.
    """
    tuned = _tuned(run, winner, measured, kept)
    of_runs = [m for m in measured if m.candidate.kind == "defaults"]
    of_kept = [part for part in kept if part.actor.role == "baseline"]
    if tuned is not None and tuned.job is None and of_kept:
        return of_kept[0], tuned
    of_runs.sort(key=lambda m: tuned is None or m.job.id != tuned.job)
    if of_runs:
        return _median_part(of_runs[0]), tuned
    return (of_kept[0] if of_kept else None), tuned


def _tuned(run: Run, winner: Winner | None, measured: list[_Measured], kept: list[Part]) -> Part | None:
    trials = [m for m in measured if m.candidate.kind == "trial"]
    of_kept = [part for part in kept if part.actor.role == "tuned"]
    if winner is not None:
        for m in trials:
            if winner.trial == m.candidate.trial or winner.trial in m.candidate.merged:
                return _median_part(m)
        for part in of_kept:
            if part.trial == winner.trial:
                return part
    if trials:
        first = [m for m in trials if m.job == trials[0].job]
        pick = max if run.study.maximize else min
        return _median_part(pick(first, key=lambda m: m.mean))
    return of_kept[0] if of_kept else None


def _comparisons(measured: list[_Measured], pair: tuple[str, ...]) -> Iterator[Comparison]:
    """Yield the best, the median and the worst run of each of the pair, the tuned one first."""
    for key in reversed(pair):
        for m in measured:
            keys = {f"{m.job.id}-{index}" for index, _, _ in m.runs}
            if key in keys and len(m.runs) > 2:
                places = (0, m.median, len(m.runs) - 1)
                name = m.candidate.name if m.candidate.is_baseline else f"trial {m.candidate.trial}"
                yield Comparison(
                    f"Best, median and worst run of {_plain(name)}",
                    tuple(f"{m.job.id}-{m.runs[place][0]}" for place in places),
                )
