"""What a re-evaluation comes to, as sentences for a colleague, and what its numbers cannot say."""

from collections.abc import Sequence

from tuning.analysis.comparison import fewest_pairs
from tuning.analysis.reevaluation_result import CandidateResult, ReevaluationInfo
from tuning.analysis.words import count, listed, three_digits, whole
from tuning.budget_words import run_words, study_words
from tuning.reevaluation import MOST_EPISODES, MOST_SEEDS

FEWEST_TO_JUDGE = 3  # runs
FAR = 1 / 4  # of its interval's width: so much worse than the mean, an honest number needs a reason

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
    if is_early(info):
        return _joined(so_far, _little(info, winner, _fewest(info)))
    return _joined(
        so_far,
        " ".join(
            part
            for part in (
                _who(info, winner),
                _expected_then_baseline(info, winner),
                _best_trial(info, winner),
                _more(info),
            )
            if part
        ),
    )


def is_early(info: ReevaluationInfo) -> bool:
    """Say whether the best have too few runs for anything to be recommended."""
    return info.question.mode == "retrain" and bool(info.tied) and _fewest(info) < FEWEST_TO_JUDGE


def winner_word(info: ReevaluationInfo) -> str:
    """Return what the best one is called, beside its name and its star."""
    return "ahead so far" if is_early(info) else "recommended"


def _fewest(info: ReevaluationInfo) -> int:
    return min(n_counted(r) for r in info.tied)


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
    take = "takes" if others == 1 else "take"
    add = " Add seeds." if info.question.n_seeds < fewest else ""
    return (
        f"No paired test against {info.baseline.candidate.name} can be significant: "
        f"{count(others, 'comparison')} {take} {fewest} seeds that both have, and {have}.{add}"
    )


def n_counted(result: CandidateResult) -> int:
    """Return on how many runs a candidate is judged: a broken one counts, once one has a value."""
    return result.n_runs + result.n_broken if result.n_runs else 0


def names(results: Sequence[CandidateResult]) -> str:
    """Return their names as a list in words: "Trials 17, 25 and 31", "Trial 17 and SB3 defaults"."""
    numbers = sorted(r.candidate.trial for r in results if _is_trial(r) and r.candidate.trial is not None)
    others = [r.candidate.name for r in results if not _is_trial(r)]
    if not numbers:
        return listed(others)
    if len(numbers) == 1:
        return listed([f"Trial {numbers[0]}", *others])
    if not others:
        return f"Trials {listed([str(n) for n in numbers])}"
    return f"Trials {listed([*map(str, numbers), *others])}"


def _is_trial(result: CandidateResult) -> bool:
    return result.candidate.kind == "trial" and result.candidate.trial is not None


def _short(result: CandidateResult) -> str:
    """Return a name that follows others: "17" after "Trials 17, 25 and 31"."""
    return str(result.candidate.trial) if _is_trial(result) else result.candidate.name


def in_sentence(result: CandidateResult) -> str:
    """Return a name inside a sentence: "trial 17", "SB3 defaults"."""
    return f"trial {result.candidate.trial}" if _is_trial(result) else result.candidate.name


def _joined(so_far: str, said: str) -> str:
    is_word = not said[1:2].isupper()  # SB3 stays SB3
    return so_far + (said[:1].lower() + said[1:] if so_far and is_word else said)


def _little(info: ReevaluationInfo, winner: CandidateResult, fewest: int) -> str:
    runs = "One run says" if fewest == 1 else "Two runs say"
    if len(info.candidates) == 1:
        return f"{runs} little. {winner.candidate.name} gave {number(winner.mean)}."
    return (
        f"{runs} little about a candidate. {winner.candidate.name} is ahead with {number(winner.mean)}; "
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
        others = len(info.candidates) - 1
        beaten = "the other candidate is" if others == 1 else f"each of the other {others} candidates is"
        name = in_sentence(winner) if of else winner.candidate.name
        return f"{of.capitalize()}{name} is the best: {beaten} worse by more than chance."
    of = "the trained agents of " if agents else ""
    all_of_them = names(tied) if not of else of.capitalize() + lower(names(tied))
    why = _why(info, winner)
    told = f"{all_of_them} cannot be told apart"
    if bought:
        name = f"That of {in_sentence(winner)}" if agents else winner.candidate.name
        return f"{told}: {bought}. {name} {why}."
    return f"{told}; {'that of ' if agents else ''}{_short(winner)} {why}."


def _why(info: ReevaluationInfo, winner: CandidateResult) -> str:
    best = min(info.tied, key=lambda r: r.rank or 0)
    plural = winner.candidate.is_baseline and info.question.mode == "retrain"
    if winner is best:
        return "have the best mean" if plural else "has the best mean"
    verb = "are" if plural else "is"
    seconds = [r.seconds for r in info.tied if r.seconds is not None]
    if winner.seconds is not None and winner.seconds <= min(seconds):
        return f"{verb} the cheapest to train"
    return f"{verb} about as likely the best as {in_sentence(best)}, and cheaper to train"


def _bought(info: ReevaluationInfo) -> str:
    return NOTHING_BOUGHT if any(r.candidate.kind == "defaults" for r in info.tied) else ""


def _expected_then_baseline(info: ReevaluationInfo, winner: CandidateResult) -> str:
    """Return what to expect of what is recommended, and then what the baseline gives beside that."""
    expect, baseline = _expect(info, winner, info.expected), info.baseline
    if baseline is None or baseline.mean is None or baseline is winner or _bought(info):
        return expect
    gives = f"{baseline.candidate.name} give {number(baseline.mean)}."
    if not expect:
        return gives
    is_short = winner.candidate.search_value is None
    return f"{expect.removesuffix('.')}; {gives}" if is_short else f"{expect} {gives}"


def _less_than_mean(info: ReevaluationInfo, chosen: CandidateResult, value: float) -> str:
    """Say why the honest number is far worse than the mean, where it is; the tables show the mean."""
    q, mean, interval = info.question, chosen.mean, chosen.mean_interval
    if mean is None or interval is None:
        return ""
    worse = mean - value if q.maximize else value - mean
    if worse <= FAR * (interval.high - interval.low) or number(mean) == number(value):
        return ""
    its = "their" if chosen.candidate.is_baseline and q.mode == "retrain" else "its"
    rivals = [r for r in info.candidates if chosen is info.winner or not r.candidate.is_baseline]
    is_best = chosen.rank == min(r.rank for r in rivals if r.rank is not None)
    why = "which was chosen for being the best" if is_best else "as the best of them was lucky"
    return f" ({'less' if q.maximize else 'more'} than {its} mean of {number(mean)}, {why})"


def _expect(info: ReevaluationInfo, chosen: CandidateResult, value: float | None) -> str:
    if value is None:
        return ""
    q, searched = info.question, chosen.candidate.search_value
    expect = f"Expect {number(value)}{_less_than_mean(info, chosen, value)}"
    if searched is None:
        return f"{expect}."
    if q.n_timesteps != q.study_timesteps and q.mode == "retrain":
        return f"{expect} with {run_words(q)}; the search reported {number(searched)} with {study_words(q)}."
    if number(value) == number(searched):
        return f"{expect}, as the search reported."
    worse = value < searched if q.maximize else value > searched
    if worse:
        return f"{expect}, not the {number(searched)} that the search reported."
    return f"{expect}; the search reported {number(searched)}."


def _best_trial(info: ReevaluationInfo, winner: CandidateResult) -> str:
    """Return what the search's own best is worth, where something else is recommended."""
    trial = info.best_trial
    if trial is None or trial is winner:
        return ""
    expect = _expect(info, trial, info.expected_trial)
    return f"Of the study's trials, {in_sentence(trial)} is ahead. {expect}".rstrip()


def _more(info: ReevaluationInfo) -> str:
    if len(info.tied) < 2 or info.seeds_to_tell is None:
        return ""
    most, unit = (MOST_SEEDS, "seeds") if info.question.mode == "retrain" else (MOST_EPISODES, "episodes")
    if info.seeds_to_tell > most:
        return f"More than {whole(most)} {unit} would be needed to tell the best two apart."
    if info.seeds_to_tell <= min(n_counted(r) for r in info.tied):
        return ""
    return f"About {whole(info.seeds_to_tell)} {unit} would be needed to tell the best two apart."


def lower(name: str) -> str:
    """Return what `names` gave for the inside of a sentence."""
    return name.replace("Trial", "trial", 1) if name.startswith("Trial") else name


def number(x: float | None) -> str:
    """Return a return for people."""
    return three_digits(float("nan") if x is None else x)
