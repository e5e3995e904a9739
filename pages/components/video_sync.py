"""Videos that start together stay together: what is done to one of them happens to all of a stage.

Streamlit's player knows nothing of its neighbours, and timers drift: a small script keeps them in step. It
also hears Escape where a page wants to be left by it. It is constant and gets nothing from a study.
"""

from collections.abc import Callable

import streamlit as st

STAGE = "rollout-stage"  # key of the container with the videos

_JS = """
const states = new WeakMap()
const started = new WeakSet()

export default function (component) {
  const { parentElement, data, setTriggerValue } = component
  const state = states.get(parentElement) ?? { quiet: new WeakMap(), heard: new Set() }
  states.set(parentElement, state)
  state.stop?.()

  const videos = () => [...document.querySelectorAll(".st-key-rollout-stage video")]
  // What this script does to a video is told as an event too, and must not lead the others in turn.
  const hush = (video, time) => state.quiet.set(video, { time, until: performance.now() + 400 })
  const isQuiet = (video) => {
    const own = state.quiet.get(video)
    return own && performance.now() < own.until && Math.abs(video.currentTime - own.time) < 0.4
  }

  const move = (video, leader) => {
    if (Math.abs(video.currentTime - leader.currentTime) > 0.06) {
      hush(video, leader.currentTime)
      video.currentTime = leader.currentTime
    }
  }
  const follow = (event) => {
    const leader = event.target
    if (isQuiet(leader)) return
    for (const video of videos()) {
      if (video === leader) continue
      move(video, leader)
      if (video.playbackRate !== leader.playbackRate) {
        hush(video, video.currentTime)
        video.playbackRate = leader.playbackRate
      }
      // a seek says nothing about playing
      if (event.type !== "seeked" && video.paused !== leader.paused) {
        hush(video, video.currentTime)
        leader.paused ? video.pause() : video.play().catch(() => {})
      }
    }
  }
  const events = ["play", "pause", "seeked", "ratechange"]
  const listen = () => {
    for (const video of videos()) {
      if (state.heard.has(video)) continue
      state.heard.add(video)
      if (started.has(video)) continue
      started.add(video)
      video.loop = true // Streamlit restarts each one by itself once it has ended, with a gap
      video.play().catch(() => {}) // Streamlit starts a video only once in a session
      for (const event of events) video.addEventListener(event, follow)
    }
  }
  const tick = () => {
    listen()
    const [leader, ...others] = videos()
    if (!leader || leader.paused || leader.seeking || leader.readyState < 2) return
    for (const video of others) {
      if (!video.paused && !video.seeking && video.readyState >= 2) move(video, leader)
    }
  }
  const onKey = (event) => {
    if (event.key === "Escape" && data.escapes && !document.fullscreenElement) setTriggerValue("leave", true)
  }

  tick()
  const timer = setInterval(tick, 300)
  document.addEventListener("keydown", onKey)
  state.stop = () => {
    clearInterval(timer)
    document.removeEventListener("keydown", onKey)
    for (const video of state.heard) for (const event of events) video.removeEventListener(event, follow)
    state.heard.clear()
  }
  return () => state.stop()
}
"""

# Streamlit gives a player no height, a metric no size, and every page its header: without these rules the
# returns would lie below the edge of a projector's picture, too small to be read from across the table.
_BARE_CSS = """
[data-testid="stHeader"], [data-testid="stSidebar"] { display: none }
[data-testid="stMainBlockContainer"] { padding: 1.5rem 2rem 0.5rem; max-width: none }
.st-key-rollout-stage video { display: block; width: auto; max-width: 100%; height: 60vh; margin: 0 auto;
  object-fit: contain }
.st-key-rollout-stage [data-testid="stVerticalBlock"] { gap: 0.25rem }
.st-key-rollout-stage [data-testid="stCaptionContainer"] { text-align: center; margin: 0 }
.st-key-rollout-stage [data-testid="stCaptionContainer"] p { font-size: 1.1rem; margin: 0 }
.st-key-rollout-stage [data-testid="stMetric"] { text-align: center }
.st-key-rollout-stage [data-testid="stMetricLabel"] { display: flex; justify-content: center; width: 100% }
.st-key-rollout-stage [data-testid="stMetricValue"] { font-size: 4rem; line-height: 1.1 }
.st-key-rollout-stage [data-testid="stMetricValue"] > div { line-height: 1.1 }
.st-key-rollout-stage [data-testid="stMetricLabel"] p { font-size: 1.1rem }
@media (max-width: 640px) {
  [data-testid="stMainBlockContainer"] { padding: 1rem }
  .st-key-rollout-stage video { width: 100%; height: auto }
  .st-key-rollout-stage [data-testid="stMetricValue"] { font-size: 2.5rem }
}
"""

_sync = st.components.v2.component("edgewise_video_sync", js=_JS)
_bare = st.components.v2.component("edgewise_bare_stage", js=_JS, css=_BARE_CSS, isolate_styles=False)


def keep_together() -> None:
    """Keep the videos in the container with the key `STAGE` in step."""
    _sync(key="video-sync", data={"escapes": False}, on_leave_change=lambda: None)


def keep_together_alone(on_escape: Callable[[], None]) -> None:
    """Do the same on a page that shows nothing else, without Streamlit's header; Escape leaves it."""
    _bare(key="video-sync-alone", data={"escapes": True}, on_leave_change=on_escape)
