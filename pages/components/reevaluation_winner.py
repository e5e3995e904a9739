"""Choose the trial that the study ends with, see what was chosen, take it home, take it back."""

import json

import streamlit as st

from pages.components import best_configuration, frame, winner_line
from storage.artifacts import kept_trials
from storage.paths import RunFolder
from storage.winner import Winner, read_winner
from tuning.access import ReadOnly, is_read_only
from tuning.analysis.look import count, three_digits
from tuning.analysis.reevaluation_result import CandidateResult, ReevaluationInfo
from tuning.analysis.reevaluation_words import winner_word
from tuning.expectation import expected_return
from tuning.jobs import PROJECT_ROOT
from tuning.launch import Run
from tuning.lineage import trial_home
from tuning.reevaluation_jobs import ReevaluationJob
from tuning.winner import choose_winner, take_back_winner

_CHOICE = "winner-choice"


def draw(run: Run, job: ReevaluationJob | None, info: ReevaluationInfo | None) -> None:
    """Draw what was chosen with its exports, else the choice among a finished one's candidates."""
    winner = read_winner(run.folder)
    if winner is not None:
        _draw_taken(run, winner)
    elif job is not None and info is not None and not is_read_only():
        _draw_choice(run, job, info)
    if problem := st.session_state.get(_problem_key(run.folder)):
        st.error(frame.escape(problem), icon=":material/error:")


def _draw_choice(run: Run, job: ReevaluationJob, info: ReevaluationInfo) -> None:
    if info.winner is not None and info.winner.candidate.trial is None:
        _draw_best_baseline(info.winner, winner_word(info))
    there = {t.number for t in run.study.trials}
    trials = [c for c in info.candidates if c.candidate.trial in there and c.n_runs]
    if not trials:
        return
    tied = {c.candidate.key for c in info.tied}
    order = sorted(trials, key=lambda c: (c.candidate.key not in tied, c.rank or len(trials)))
    words = {c.candidate.key: "tied" for c in info.tied} if len(info.tied) > 1 else {}
    if info.winner is not None:
        words[info.winner.candidate.key] = winner_word(info)
    first = info.best_trial or info.winner
    best = first.candidate.key if first else None
    by_number = {c.candidate.trial: c for c in order if c.candidate.trial is not None}
    numbers = list(by_number)
    index = next((i for i, c in enumerate(by_number.values()) if c.candidate.key == best), 0)
    key = f"{_CHOICE}-{job.folder.id}"
    with st.container(horizontal=True, vertical_alignment="bottom", key="choose-winner"):
        number = st.selectbox(
            "The trial to go on with",
            numbers,
            index=index,
            format_func=lambda n: _label(by_number[n], words.get(by_number[n].candidate.key, "")),
            key=key,
            width=340,
        )
        st.button(
            f"Choose trial {number}",
            type="primary" if by_number[number].candidate.key in tied else "secondary",
            icon=":material/verified:",
            key=f"choose-{job.folder.id}",
            on_click=_choose,
            args=(run.folder, job, info, by_number[number]),
            help="Marks it in the study, keeps its weights, and offers its exports. It can be taken back.",
        )


def _draw_best_baseline(winner: CandidateResult, word: str) -> None:
    """Show what is recommended or ahead where that is no trial, so that there is something to take home."""
    name = frame.escape(winner.candidate.name)
    st.markdown(f"What is {word} is no trial of this study, so it cannot be chosen here: {name}.")
    with st.expander(f"The arguments of {name}", icon=":material/tune:", key="baseline-arguments"):
        st.code(json.dumps(winner.candidate.resolved, indent=2), language="json", wrap_lines=True)
        n = winner.candidate.n_train_envs
        st.caption(f"Keyword arguments of the algorithm's class, with {count(n, 'training environment')}.")


def _label(result: CandidateResult, word: str) -> str:
    mean = three_digits(result.mean) if result.mean is not None else "no value"
    return f"Trial {result.candidate.trial}: {mean}" + (f", {word}" if word else "")


def _draw_taken(run: Run, winner: Winner) -> None:
    trial = next((t for t in run.study.trials if t.number == winner.trial), None)
    with st.container(border=True, key="winner"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f":material/verified: {winner_line.chosen_words(winner)}", width="content")
            if (PROJECT_ROOT / "pages" / "rollouts.py").is_file():
                st.page_link(
                    "pages/rollouts.py",
                    label="Watch it play",
                    icon=":material/movie:",
                    query_params={"study": run.folder.id},
                )
            if not is_read_only():
                st.button(
                    "Take it back",
                    type="tertiary",
                    icon=":material/undo:",
                    key="winner-take-back",
                    on_click=_take_back,
                    args=(run.folder,),
                )
        if trial is None:
            st.caption("The study has no such trial any more.")
            return
        home = trial_home(run.folder, trial)
        is_kept = home.folder is not None and home.number in kept_trials(home.folder)
        if run.spec is not None and not is_kept:
            st.caption(
                "Its weights from the search were not kept: only those of the best and the pinned trials "
                "are. Those trained here are kept with the re-evaluation."
            )
        with st.expander("Take its configuration home", icon=":material/download:", key="winner-home"):
            best_configuration.draw(run, trial, key="winner")


def _choose(folder: RunFolder, job: ReevaluationJob, info: ReevaluationInfo, result: CandidateResult) -> None:
    assert result.candidate.trial is not None
    q = info.question
    st.session_state.pop(_problem_key(folder), None)
    try:
        choose_winner(
            folder,
            result.candidate.trial,
            expected=expected_return(info, result.candidate.trial),
            reevaluation=job.folder.id,
            mode=q.mode,
            n_timesteps=q.n_timesteps if q.n_timesteps != q.study_timesteps else None,
        )
    except (ReadOnly, OSError) as error:
        st.session_state[_problem_key(folder)] = str(error)


def _take_back(folder: RunFolder) -> None:
    st.session_state.pop(_problem_key(folder), None)
    try:
        take_back_winner(folder)
    except (ReadOnly, OSError) as error:
        st.session_state[_problem_key(folder)] = str(error)


def _problem_key(folder: RunFolder) -> str:
    return f"winner-problem-{folder.id}"
