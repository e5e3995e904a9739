"""What plays a rollout in a worker process: all actors step by step beside each other, filmed as they go.

What needs torch is imported inside the functions: the watchdog must be up before the seconds that takes.
"""

import traceback
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from storage.paths import RunFolder
from tuning.analysis.words import duration, whole
from tuning.jobs import requested_stop
from tuning.reporter import Reporter
from tuning.retraining_plan import PlanError, read_model
from tuning.rollout import ActorResult, Episode, Rollout, RolloutResult, episode_seed
from tuning.rollout_player import MAX_STEPS, Player, Unplayable, env_of, kept_policy
from tuning.watchdog import CONTROL

if TYPE_CHECKING:
    from tuning.rollout_camera import Camera

NOT_THE_SAME = (
    "The environment does not start alike for one seed: what is seen is no comparison from the same start."
)


class _Stopped(Exception):
    """Somebody asked to stop, or the runner died."""


@dataclass(frozen=True)
class RolloutTask:
    """One rollout to play."""

    folder: str


@dataclass(frozen=True)
class RolloutOutcome:
    """How it ended: with a result, with a failure in words, or with neither when it was stopped."""

    result: RolloutResult | None = None
    failure: str = ""


def play_rollout(task: RolloutTask) -> RolloutOutcome:
    """Play and film a rollout. Never raises for what the environment does."""
    folder = RunFolder(Path(task.folder))
    if requested_stop(folder) or CONTROL.stop_kind:
        return RolloutOutcome()
    CONTROL.busy = True
    try:
        request = read_model(folder.rollout, Rollout)
        with Reporter(folder, 0, request.n_episodes * MAX_STEPS) as reporter:
            return RolloutOutcome(_play(folder, request, reporter))
    except _Stopped:
        return RolloutOutcome()
    except (Unplayable, PlanError) as error:
        return RolloutOutcome(failure=str(error))
    except (Exception, SystemExit) as error:  # an env may raise anything, and must not end the worker
        traceback.print_exc()
        from tuning.rendering import said

        return RolloutOutcome(failure=f"Playing failed: {said(error)}.")
    finally:
        CONTROL.busy = False


def _play(folder: RunFolder, request: Rollout, reporter: Reporter) -> RolloutResult:
    import torch  # and, with the camera, Pillow and an encoder

    from tuning.rendering import make_filmed
    from tuning.rollout_camera import MAX_FILM_S, Camera

    torch.set_num_threads(1)
    study = RunFolder(folder.path.parent.parent)
    with ExitStack() as open_envs:
        players: list[Player] = []
        refusals = []
        for actor in request.actors:
            kept, training = kept_policy(study, actor, request)
            env, refusal = make_filmed(env_of(kept, request))
            open_envs.callback(env.close)
            refusals.append(refusal)
            players.append(Player(actor, kept, env, training))
            _check_stop()
        refusal = next(filter(None, refusals), "")
        camera = Camera(folder.path, players, request, refusal=refusal)
        try:
            episodes, notes = _play_episodes(players, camera, request, reporter)
            reporter.phase("encode")
            videos, together, poster = camera.finish()
            _check_stop()
        except BaseException:
            camera.give_up("It was stopped.")
            raise
    if camera.is_full and not camera.refusal:
        notes.append(f"Only the first {duration(MAX_FILM_S)} are filmed; the returns are of whole episodes.")
    return RolloutResult(
        actors=tuple(
            ActorResult(
                label=player.actor.label,
                role=player.actor.role,
                episodes=tuple(played),
                video=video,
                training=player.training,
            )
            for player, played, video in zip(players, episodes, videos, strict=True)
        ),
        side_by_side=together,
        poster=poster,
        fps=None if camera.refusal else camera.fps,
        n_frames=0 if camera.refusal else camera.videos[0].n_frames,
        no_video=camera.refusal,
        notes=tuple(notes),
    )


def _play_episodes(
    players: list[Player], camera: "Camera", request: Rollout, reporter: Reporter
) -> tuple[list[list[Episode]], list[str]]:
    """Play all episodes, all actors in step; return each actor's episodes, and notes."""
    import torch

    limit = _step_limit(players[0].env)
    reporter.set_total(request.n_episodes * limit)
    reporter.phase("play")
    played: list[list[Episode]] = [[] for _ in players]
    same = True
    for episode in range(request.n_episodes):
        seed = episode_seed(request, episode)
        starts = [player.start(seed) for player in players]
        same = same and all(
            _equal(starts[0], start)
            for player, start in zip(players, starts, strict=True)
            if player.env.observation_space == players[0].env.observation_space  # in the same wrappers
        )
        camera.film(episode)
        step = 0
        while moving := [player for player in players if player.ending is None]:
            for player in moving:
                if not request.deterministic:
                    torch.manual_seed(hash((seed, step)) % 2**32)  # the same for each, whoever else plays
                player.step(deterministic=request.deterministic)
            step += 1
            reporter.timesteps = episode * limit + min(step, limit)
            camera.film(episode)
            _check_stop()
        reporter.timesteps = (episode + 1) * limit
        for episodes, player in zip(played, players, strict=True):
            episodes.append(player.episode())
    notes = [] if same else [NOT_THE_SAME]
    if any(e.ending == "cut short" for episodes in played for e in episodes):
        notes.append(
            f"An episode was cut short after {whole(MAX_STEPS)} steps: the environment has no earlier limit."
        )
    return played, notes


def _step_limit(env: Any) -> int:
    limit = env.spec.max_episode_steps if env.spec else None
    return min(int(limit), MAX_STEPS) if limit and limit > 0 else MAX_STEPS


def _check_stop() -> None:
    if CONTROL.stop_kind:
        raise _Stopped


def _equal(a: Any, b: Any) -> bool:
    """Say whether two observations are the same; dicts and tuples of arrays are compared part by part."""
    if isinstance(a, Mapping):
        return isinstance(b, Mapping) and a.keys() == b.keys() and all(_equal(a[k], b[k]) for k in a)
    if isinstance(a, tuple):
        return isinstance(b, tuple) and len(a) == len(b) and all(map(_equal, a, b))
    return bool(np.array_equal(np.asarray(a), np.asarray(b)))
