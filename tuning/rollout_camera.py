"""Films the actors of a rollout as they play: one video of each, and one of all side by side."""

from pathlib import Path

import numpy as np

from tuning.rendering import NoPicture, Video, picture_of, render_fps, save_poster
from tuning.rollout import Rollout
from tuning.rollout_panel import Moment, Panel, side_by_side
from tuning.rollout_player import Player

MAX_FILM_S = 180.0  # of a video; what comes after is played without it


class Camera:
    """Films all players at once; at the first picture that fails it gives up and says why."""

    def __init__(self, folder: Path, players: list[Player], request: Rollout, *, refusal: str) -> None:
        self.refusal = refusal
        self.fps = render_fps(players[0].env)
        self.is_full = False
        self._players = players
        self._n_episodes = request.n_episodes
        self._shape: tuple[int, int] | None = None  # of the first frame; all are shown alike
        self._panels: list[Panel] = []
        self._frames: list[tuple[int, np.ndarray] | None] = [None] * len(players)  # with its step
        self.videos = [Video(folder / f"actor-{k + 1}.mp4", fps=self.fps) for k in range(len(players))]
        self.together = Video(folder / "side-by-side.mp4", fps=self.fps) if len(players) > 1 else None

    def film(self, episode: int) -> None:
        """Take a picture of each player; of one whose episode has ended the last one stays, dimmed."""
        if self.refusal or self.is_full:
            return
        pictures = []
        try:
            for place, player in enumerate(self._players):
                seen = self._frames[place]
                is_held = seen is not None and seen[0] == player.steps
                if seen is None or not is_held:
                    seen = self._frames[place] = (player.steps, picture_of(player.env))
                if len(self._panels) <= place:
                    self._shape = self._shape or (seen[1].shape[0], seen[1].shape[1])
                    self._panels.append(Panel(player.actor.label, player.actor.role, self._shape))
                ended = player.ending is not None
                moment = Moment(player.total, player.steps, ended, is_held, episode, self._n_episodes)
                pictures.append(self._panels[place].draw(seen[1], moment))
            for video, picture in zip(self.videos, pictures, strict=True):
                video.add(picture)
            if self.together is not None:
                self.together.add(side_by_side(pictures))
        except NoPicture as error:
            self.give_up(str(error))
        except OSError as error:
            self.give_up(f"The video could not be written: {' '.join(str(error).split())[:200]}.")
        self.is_full = self.videos[0].n_frames >= MAX_FILM_S * self.fps

    def finish(self) -> tuple[list[str | None], str | None, str | None]:
        """Finish the files; return the names of each player's video, of the common one and of the poster."""
        if self.refusal or not self.videos[0].n_frames:
            return [None] * len(self._players), None, None
        try:
            for video in self._all():
                video.finish()
            whole_one = self.together or self.videos[0]
            poster = whole_one.path.with_name("poster.jpg")
            save_poster(whole_one.path, poster, at_s=whole_one.n_frames / self.fps / 2)
        except OSError as error:
            self.give_up(f"The video could not be written: {' '.join(str(error).split())[:200]}.")
            return [None] * len(self._players), None, None
        together = self.together.path.name if self.together else None
        return [video.path.name for video in self.videos], together, poster.name

    def give_up(self, reason: str) -> None:
        """Leave no video, half or whole."""
        self.refusal = reason
        for video in self._all():
            video.discard()
            video.path.unlink(missing_ok=True)

    def _all(self) -> list[Video]:
        return [*self.videos, *([self.together] if self.together else [])]
