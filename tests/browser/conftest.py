"""A real dashboard in a real Chromium.

`visit("history?study=ID")` is the short way in: it starts a dashboard on an empty runs folder, opens the page
and waits until its script has run. Whatever goes wrong in the browser fails the test by itself at its end: an
exception on the page, an error on the console, a request that leaves this machine.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlparse

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

PROJECT_ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
START_TIMEOUT_S = 60
READY_TIMEOUT_S = 60
QUIET_MS = 300  # a click reaches the script a moment later: only a state that lasts counts

ARGS = [
    "--no-sandbox",  # root in a container has no user namespaces
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

IS_QUIET = """(quietMs) => {
    const app = document.querySelector("[data-testid=stApp]")
    const quiet = app && app.dataset.testConnectionState === "CONNECTED"
        && app.dataset.testScriptState === "notRunning"
    if (!quiet) { window.quietSince = undefined; return false }
    window.quietSince ??= performance.now()
    return performance.now() - window.quietSince >= quietMs
}"""


@dataclass
class Dashboard:
    """A running `streamlit run app.py`."""

    url: str  # without a slash at its end
    runs_dir: Path
    log: Path  # what the server prints: tracebacks are only here
    process: subprocess.Popen

    def kill(self) -> None:
        """SIGKILL the server. Runners live on, as they would for a person."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def log_tail(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]


@dataclass
class Faults:
    """What went wrong in the browser. A test that breaks something on purpose says so with `ignore`."""

    seen: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    def ignore(self, pattern: str) -> None:
        """Let pass, from the start of the test, every fault in which this regular expression is found."""
        self.ignored.append(pattern)

    def remaining(self) -> list[str]:
        return [fault for fault in self.seen if not any(re.search(p, fault) for p in self.ignored)]


def compulsory() -> bool:
    names = ("CI", "EDGEWISE_REQUIRE_BROWSER")
    return any(os.environ.get(name, "").lower() not in ("", "0", "false") for name in names)


@pytest.fixture(scope="session")
def chromium_path() -> str:
    named = os.environ.get("CHROMIUM")
    found = [
        shutil.which(name)
        for name in ([named] if named else ["chromium", "chromium-browser", "google-chrome"])
    ]
    path = next(filter(None, found), None)
    if path is None:
        reason = "no Chromium: install the chromium package, or name one with CHROMIUM=/path/to/chromium"
        (pytest.fail if compulsory() else pytest.skip)(reason)
    return path


@pytest.fixture(
    scope="module"
)  # not the session: Playwright's event loop would run under the tests that follow
def chromium(chromium_path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=ARGS)
        yield browser
        browser.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def wait_for_health(dashboard: Dashboard) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        assert dashboard.process.poll() is None, f"The dashboard ended at once:\n{dashboard.log_tail()}"
        try:
            with urllib.request.urlopen(f"{dashboard.url}/_stcore/health", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    pytest.fail(f"The dashboard did not answer within {START_TIMEOUT_S} s:\n{dashboard.log_tail()}")


@pytest.fixture
def dashboards() -> list[Dashboard]:
    """Every dashboard this test started, the newest last."""
    return []


@pytest.fixture
def start_dashboard(
    chromium_path: str,
    runs_dir: Path,
    tmp_path: Path,
    dashboards: list[Dashboard],
    end_processes_under: Callable[[Path], None],
) -> Iterator[Callable[..., Dashboard]]:
    """`start_dashboard(env=None)` -> Dashboard on the test's runs folder; call it again after `kill()`."""

    def start(env: dict[str, str] | None = None) -> Dashboard:
        port = free_port()
        log = tmp_path / f"dashboard-{len(dashboards)}.log"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("STREAMLIT_")}
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
                cwd=PROJECT_ROOT,
                env={**inherited, "EDGEWISE_RUNS_DIR": str(runs_dir), "NO_COLOR": "1", **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        dashboard = Dashboard(f"http://{HOST}:{port}", runs_dir, log, process)
        dashboards.append(dashboard)
        wait_for_health(dashboard)
        return dashboard

    yield start
    for dashboard in dashboards:
        dashboard.kill()
    end_processes_under(runs_dir)


@pytest.fixture
def dashboard(start_dashboard: Callable[..., Dashboard]) -> Dashboard:
    return start_dashboard()


def watch(page: Page, faults: Faults) -> None:
    def on_console(message: ConsoleMessage) -> None:
        # on a deep link Streamlit first looks for its server under the page's own path: that 404 is no fault
        if message.type == "error" and "/_stcore/" not in message.location.get("url", ""):
            faults.seen.append(f"console: {message.text[:300]}")

    def on_address(url: str) -> None:
        address = urlparse(url)
        if address.scheme in ("http", "https", "ws", "wss") and address.hostname != HOST:
            faults.seen.append(f"request to another host: {url[:200]}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: faults.seen.append(f"script error: {error.message[:300]}"))
    page.on("request", lambda request: on_address(request.url))
    page.on("websocket", lambda websocket: on_address(websocket.url))


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def new_page(
    chromium: Browser,
    faults: Faults,
    dashboards: list[Dashboard],
    tmp_path: Path,
    start_dashboard: Callable[..., Dashboard],  # so that pages close before their server goes
) -> Iterator[Callable[..., Page]]:
    """`new_page(*, width=1280, height=900, dark=False)` -> Page in a browser profile of its own."""
    pages: list[Page] = []

    def make(*, width: int = 1280, height: int = 900, dark: bool = False) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
        )
        page = context.new_page()
        page.set_default_timeout(20_000)
        watch(page, faults)
        pages.append(page)
        return page

    yield make
    for number, page in enumerate(pages):
        if page.is_closed():
            continue
        page.screenshot(path=tmp_path / f"page-{number}.png")
        if page.get_by_test_id("stException").count():
            faults.seen.append(f"exception on {page.url}")
        page.context.close()
    remaining = faults.remaining()
    logs = "\n".join(dashboard.log_tail() for dashboard in dashboards)
    assert not remaining, "\n".join([*remaining, f"Pictures of the last state: {tmp_path}", logs])


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """A page 1280 px wide, in light."""
    return new_page()


@pytest.fixture
def wait_ready(dashboards: list[Dashboard]) -> Callable[..., None]:
    """`wait_ready(page, timeout_s=60)`: until the page's script has run; fails when it shows an exception."""

    def wait(page: Page, timeout_s: float = READY_TIMEOUT_S) -> None:
        page.evaluate("window.quietSince = undefined")
        page.wait_for_function(IS_QUIET, arg=QUIET_MS, polling=50, timeout=timeout_s * 1000)
        if page.get_by_test_id("stException").count():
            pytest.fail(f"{page.url} shows an exception. The server says:\n{dashboards[-1].log_tail()}")

    return wait


@pytest.fixture
def visit(
    start_dashboard: Callable[..., Dashboard],
    dashboards: list[Dashboard],
    new_page: Callable[..., Page],
    wait_ready: Callable[..., None],
) -> Callable[..., Page]:
    """`visit("history?study=ID", page=None)` -> the page, ready; starts a dashboard if the test has none."""

    def open_path(path: str = "", page: Page | None = None) -> Page:
        dashboard = dashboards[-1] if dashboards else start_dashboard()
        page = page or new_page()
        page.goto(f"{dashboard.url}/{path}", timeout=60_000)
        wait_ready(page)
        return page

    return open_path
