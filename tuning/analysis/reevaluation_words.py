"""What a re-evaluation comes to, as sentences for a colleague, and what its numbers cannot say."""

from collections.abc import Sequence

from tuning.analysis.comparison import fewest_pairs
from tuning.analysis.reevaluation_result import CandidateResult, ReevaluationInfo
from tuning.analysis.run_statistics import is_lopsided
from tuning.analysis.words import count, three_digits, whole
from tuning.reevaluation import MOST_SEEDS, Reevaluation

FEWEST_TO_JUDGE = 3  # runs
FEW = 5  # runs: with fewer the intervals are no more than a hint
USUAL = 10  # runs: from here on it is no reason to doubt everything else that a collapse may be unseen
FEW_TO_SEE_COLLAPSE = 20  # runs
RARE_COLLAPSE = 0.1  # share of runs that collapse, for the example in a warning

NOTHING_BOUGHT = "tuning bought nothing that these runs can show"


def recommendation(info: ReevaluationInfo) -> str:
    """Return what to use and what to expect of it."""
    if not info.n_done:
        return "No run has ended yet."
    open_runs = info.n_runs - info.n_saved - info.n_done
    so_far = f"After {info.n_done} of {info.n_runs - info.n_saved} runs: " if open_runs > 0 else ""
    winner = info.winner
    if winner is None or winner.mean is None:
        return _joined(
            so_far, f"Every run broke ({info.n_done} of {info.n_done}), so no candidate can be judged."
        )
    fewest = min(n_counted(r) for r in info.tied)
    if fewest < FEWEST_TO_JUDGE and info.question.mode == "retrain":
        return _joined(so_far, _little(info, winner, fewest))
    return _joined(
        so_far,
        " ".join(
            part
            for part in (
                _who(info, winner),
                _expect(info.question, winner, info.expected),
                _best_trial(info, winner),
                _more(info),
            )
            if part
        ),
    )


def warnings(info: ReevaluationInfo) -> tuple[str, ...]:
    """Return what to keep in mind, the gravest first."""
    found = [
        _broken(info),
        _winner_collapsed(info),
        _few(info, 1, USUAL - 1),
        _lopsided(info),
        _estimates_disagree(info),
        _given_up_but_ahead(info),
        _told_apart_though_ahead(info),
        _few(info, USUAL, FEW_TO_SEE_COLLAPSE),
        _one_agent(info),
        _budget(info),
    ]
    return tuple(sentence for sentence in found if sentence)


def test_note(info: ReevaluationInfo) -> str:
    """Return why no candidate has a p-value; nothing where one has."""
    if any(r.p_value is not None for r in info.candidates):
        return ""
    if info.question.mode == "weights":
        return (
            "Only training runs are tested against a baseline; these are episodes of one trained agent each."
        )
    if info.baseline is None:
        return "There is no baseline to test against."
    others = len(info.candidates) - 1
    if not others:
        return "There is nothing to test against the baseline."
    pairs = max(r.n_pairs for r in info.candidates)
    fewest = fewest_pairs(others)
    have = "there is none yet" if not pairs else f"there are at most {pairs}" if pairs > 1 else "there is 1"
    add = " Add seeds." if info.question.n_seeds < fewest else ""
    return (
        f"No paired test against {info.baseline.candidate.name} can be significant: "
        f"{count(others, 'comparison')} take {fewest} seeds that both have, and {have}.{add}"
    )


def n_counted(result: CandidateResult) -> int:
    """Return on how many runs a candidate is judged: a broken one counts, once one has a value."""
    return result.n_runs + result.n_broken if result.n_runs else 0


def names(results: Sequence[CandidateResult]) -> str:
    """Return their names as a list in words: "Trials 17, 25 and 31", "Trial 17 and SB3 defaults"."""
    numbers = sorted(r.candidate.trial for r in results if _is_trial(r) and r.candidate.trial is not None)
    others = [r.candidate.name for r in results if not _is_trial(r)]
    if not numbers:
        return _listed(others)
    if len(numbers) == 1:
        return _listed([f"Trial {numbers[0]}", *others])
    if not others:
        return f"Trials {_listed([str(n) for n in numbers])}"
    return f"Trials {_listed([*map(str, numbers), *others])}"


def _is_trial(result: CandidateResult) -> bool:
    return result.candidate.kind == "trial" and result.candidate.trial is not None


def _short(result: CandidateResult) -> str:
    """Return a name that follows others: "17" after "Trials 17, 25 and 31"."""
    return str(result.candidate.trial) if _is_trial(result) else result.candidate.name


def _in_sentence(result: CandidateResult) -> str:
    return f"trial {result.candidate.trial}" if _is_trial(result) else result.candidate.name


def _listed(items: Sequence[str]) -> str:
    return " and ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else "".join(items)


def _joined(so_far: str, said: str) -> str:
    lower = not said[1:2].isupper()  # SB3 stays SB3
    return so_far + (said[:1].lower() + said[1:] if so_far and lower else said)


def _little(info: ReevaluationInfo, winner: CandidateResult, fewest: int) -> str:
    runs = "One run says" if fewest == 1 else "Two runs say"
    if len(info.candidates) == 1:
        return f"{runs} little. {winner.candidate.name} gave {_number(winner.mean)}."
    return (
        f"{runs} little about a candidate. {winner.candidate.name} is ahead with {_number(winner.mean)}; "
        "at least 3 seeds are needed to tell any two apart."
    )


def _who(info: ReevaluationInfo, winner: CandidateResult) -> str:
    tied = info.tied
    agents = info.question.mode == "weights"
    if len(info.candidates) == 1:
        return f"{winner.candidate.name} was measured alone, so there is nothing to compare it with."
    bought = _bought(info)
    if len(tied) == 1:
        of = "the trained agent of " if agents else ""
        if winner.candidate.is_baseline:
            return f"No trial comes near {of}{winner.candidate.name}: {NOTHING_BOUGHT}."
        rest = _baseline_gives(info)
        others = len(info.candidates) - 1
        beaten = "the other candidate is" if others == 1 else f"each of the other {others} candidates is"
        name = _in_sentence(winner) if of else winner.candidate.name
        return f"{of.capitalize()}{name} is the best: {beaten} worse by more than chance.{rest}"
    of = "the trained agents of " if agents else ""
    all_of_them = names(tied) if not of else of.capitalize() + _lower(names(tied))
    why = _why(info, winner)
    told = f"{all_of_them} cannot be told apart"
    if bought:
        name = f"That of {_in_sentence(winner)}" if agents else winner.candidate.name
        return f"{told}: {bought}. {name} {why}."
    return f"{told}; {'that of ' if agents else ''}{_short(winner)} {why}.{_baseline_gives(info)}"


def _why(info: ReevaluationInfo, winner: CandidateResult) -> str:
    best = min(info.tied, key=lambda r: r.rank or 0)
    plural = winner.candidate.is_baseline and info.question.mode == "retrain"
    if winner is best:
        return "have the best mean" if plural else "has the best mean"
    verb = "are" if plural else "is"
    seconds = [r.seconds for r in info.tied if r.seconds is not None]
    if winner.seconds is not None and winner.seconds <= min(seconds):
        return f"{verb} the cheapest to train"
    return f"{verb} about as likely the best as {_in_sentence(best)}, and cheaper to train"


def _bought(info: ReevaluationInfo) -> str:
    return NOTHING_BOUGHT if any(r.candidate.kind == "defaults" for r in info.tied) else ""


def _baseline_gives(info: ReevaluationInfo) -> str:
    baseline = info.baseline
    if baseline is None or baseline.mean is None:
        return ""
    return f" {baseline.candidate.name} give {_number(baseline.mean)}."


def _expect(q: Reevaluation, chosen: CandidateResult, value: float | None) -> str:
    if value is None:
        return ""
    searched, expect = chosen.candidate.search_value, f"Expect {_number(value)}"
    if searched is None:
        return f"{expect}."
    if q.n_timesteps != q.study_timesteps and q.mode == "retrain":
        return (
            f"{expect} with {whole(q.n_timesteps)} steps; the search reported {_number(searched)} with "
            f"{whole(q.study_timesteps)}."
        )
    if _number(value) == _number(searched):
        return f"{expect}, as the search reported."
    worse = value < searched if q.maximize else value > searched
    if worse:
        return f"{expect}, not the {_number(searched)} that the search reported."
    return f"{expect}; the search reported {_number(searched)}."


def _best_trial(info: ReevaluationInfo, winner: CandidateResult) -> str:
    """Return what the search's own best is worth, where something else is recommended."""
    trial = info.best_trial
    if trial is None or trial is winner:
        return ""
    expect = _expect(info.question, trial, info.expected_trial)
    return f"Of the study's trials, {_in_sentence(trial)} is ahead. {expect}".rstrip()


def _more(info: ReevaluationInfo) -> str:
    if len(info.tied) < 2 or info.seeds_to_tell is None:
        return ""
    if info.seeds_to_tell > MOST_SEEDS:
        return f"More than {MOST_SEEDS} seeds would be needed to tell the best two apart."
    if info.seeds_to_tell <= min(n_counted(r) for r in info.tied):
        return ""
    return f"About {info.seeds_to_tell} seeds would be needed to tell the best two apart."


def _broken(info: ReevaluationInfo) -> str:
    broken = [r for r in info.candidates if r.n_broken]
    if not broken:
        return ""
    each = _listed([f"{r.n_broken} of {r.n_broken + r.n_runs} of {_in_sentence(r)}" for r in broken])
    counts = (
        ""
        if info.broken_level is None
        else (f" A broken run counts as the worst level seen, {_number(info.broken_level)}.")
    )
    return f"Some runs broke (failed or diverged): {each}.{counts}"


def _winner_collapsed(info: ReevaluationInfo) -> str:
    w = info.winner
    if w is None or not w.collapsed:
        return ""
    ended = w.n_runs + w.n_broken
    return (
        f"{w.candidate.name} collapsed in {round(w.collapsed * ended)} of {count(ended, 'run')}: train it "
        "more than once, and look at what you got before you use it."
    )


def _few(info: ReevaluationInfo, least: int, most: int) -> str:
    """Say what so few runs cannot show, where the least judged candidate has between `least` and `most`."""
    judged = [n_counted(r) for r in info.candidates if n_counted(r) and r.dropped_after is None]
    if info.question.mode == "weights" or not judged or not least <= min(judged) <= most:
        return ""
    n = min(judged)
    unseen = f"a collapse in one run of ten is unseen {(1 - RARE_COLLAPSE) ** n:.0%} of the time".replace(
        "%", " %"
    )
    if n < FEW:
        return f"With {count(n, 'run')} a candidate the intervals are no more than a hint, and {unseen}."
    return f"With {n} runs {unseen}, and then every interval is too narrow."


def _lopsided(info: ReevaluationInfo) -> str:
    """Name whose runs are so skewed that the interval of their mean is too narrow."""
    found = [
        r for r in info.candidates if r.n_runs and r.dropped_after is None and is_lopsided(_counted(info, r))
    ]
    if not found:
        return ""
    unit = "Episodes" if info.question.mode == "weights" else "Runs"
    its = "the interval of the mean" if len(found) == 1 else "the intervals of their means"
    verb = "is" if len(found) == 1 else "are"
    return (
        f"{unit} of {_lower(names(found))} are skewed or hold an outlier: {its} {verb} too narrow. "
        "Look at the worst run too."
    )


def _counted(info: ReevaluationInfo, result: CandidateResult) -> list[float]:
    broken = [] if info.broken_level is None else [info.broken_level] * result.n_broken
    return [x for x in result.returns if x is not None] + broken


def _estimates_disagree(info: ReevaluationInfo) -> str:
    judged = [r for r in info.candidates if r.iqm is not None and r.dropped_after is None]
    if len(judged) < 2 or any(r.shown != "IQM" for r in judged) or info.question.mode == "weights":
        return ""
    by_mean = min(judged, key=lambda r: r.rank or 0)
    sign = 1 if info.question.maximize else -1
    by_iqm = max(judged, key=lambda r: (sign * (r.iqm or 0.0), -(r.rank or 0)))
    if by_iqm is by_mean:
        return ""
    return (
        f"The IQM puts {_in_sentence(by_iqm)} first ({_number(by_iqm.iqm)} against {_number(by_mean.iqm)}), "
        f"the mean {_in_sentence(by_mean)} ({_number(by_mean.mean)} against {_number(by_iqm.mean)}). The IQM "
        "leaves out the worst runs; candidates are ranked by the mean, because such runs do happen."
    )


def _given_up_but_ahead(info: ReevaluationInfo) -> str:
    best = next((r for r in info.candidates if r.rank == 1), None)
    if best is None or best.mean is None:
        return ""
    sign = 1 if info.question.maximize else -1
    ahead = [
        r
        for r in info.candidates
        if r.dropped_after and r.mean is not None and sign * (r.mean - best.mean) > 0
    ]
    if not ahead:
        return ""
    return (
        f"{names(ahead)} would be ahead by the mean of fewer runs, but racing gave up on that. The "
        "others did worse in later runs than in their first: re-evaluate again without racing."
    )


def _told_apart_though_ahead(info: ReevaluationInfo) -> str:
    """Say why one with a better mean than a tied one is not tied itself: it varies less."""
    last = max((r.rank or 0 for r in info.tied), default=0)
    apart = [
        r for r in info.candidates if not r.is_tied and r.dropped_after is None and (r.rank or last) < last
    ]
    if not apart:
        return ""
    behind = [r for r in info.tied if (r.rank or 0) > min(r.rank or 0 for r in apart)]
    ahead = "have better means" if len(apart) > 1 or apart[0].candidate.is_baseline else "has a better mean"
    because = "count as tied all the same: their" if len(behind) > 1 else "counts as tied all the same: its"
    return (
        f"{names(apart)} {ahead} than {_lower(names(behind))}, which {because} runs spread so far that less "
        "is sure about what to expect."
    )


def _one_agent(info: ReevaluationInfo) -> str:
    if info.question.mode != "weights":
        return ""
    return (
        "One trained agent of each candidate was judged, over its episodes. That says nothing about what "
        "training the configuration again would give."
    )


def _budget(info: ReevaluationInfo) -> str:
    q = info.question
    if q.mode == "weights" or len(q.candidates) < 2:
        return ""
    trained = f"Every run trained for {whole(q.n_timesteps)} steps"
    as_study = ", as in the study" if q.n_timesteps == q.study_timesteps else ""
    return f"{trained}{as_study}. At another budget the order may differ."


def _lower(name: str) -> str:
    return name.replace("Trial", "trial", 1) if name.startswith("Trial") else name


def _number(x: float | None) -> str:
    return three_digits(float("nan") if x is None else x)
