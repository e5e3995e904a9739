import threading
import time

import pytest

from pages.components.background import Background

WAIT_S = 10


def test_two_who_ask_at_once_share_one_computation():
    background, calls, gate = Background(), [], threading.Event()

    def work():
        calls.append(threading.current_thread())
        gate.wait(WAIT_S)
        return 7

    first, second = (background.ask("g", 1, work) for _ in range(2))
    assert background.is_busy("g")
    gate.set()
    assert first.result(WAIT_S) == second.result(WAIT_S) == 7
    assert len(calls) == 1
    assert calls[0] is not threading.current_thread()
    assert not background.is_busy("g")


def test_another_version_is_computed_anew_and_the_newest_result_stays_until_then():
    background, gate = Background(), threading.Event()
    assert background.newest("g") is None
    assert background.ask("g", 1, lambda: "old").result(WAIT_S) == "old"
    second = background.ask("g", 2, lambda: gate.wait(WAIT_S) and "new")
    assert background.newest("g") == (1, "old")
    gate.set()
    assert second.result(WAIT_S) == "new"
    assert background.newest("g") == (2, "new")


def test_what_was_asked_last_comes_first():
    background, gate, order = Background(), threading.Event(), []
    futures = [background.ask("blocks", 1, lambda: gate.wait(WAIT_S))]
    futures += [background.ask(name, 1, lambda name=name: order.append(name)) for name in ("home", "page")]
    gate.set()
    for future in futures:
        future.result(WAIT_S)
    assert order == ["page", "home"]


def test_an_earlier_request_that_comes_last_is_not_the_newest():
    background, gate = Background(), threading.Event()
    futures = [background.ask("blocks", 1, lambda: gate.wait(WAIT_S))]
    futures += [background.ask("g", version, lambda version=version: version) for version in (1, 2)]
    gate.set()
    for future in futures:
        future.result(WAIT_S)
    assert background.newest("g") == (2, 2)


def test_an_error_is_kept_for_whoever_asks_and_the_thread_goes_on(capsys):
    background = Background()
    with pytest.raises(ZeroDivisionError):
        background.ask("g", 1, lambda: 1 / 0).result(WAIT_S)
    with pytest.raises(ZeroDivisionError):
        background.ask("g", 1, lambda: 2).result(WAIT_S)
    assert background.newest("g") is None
    assert background.ask("g", 2, lambda: 3).result(WAIT_S) == 3
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_it_keeps_only_the_latest_and_no_thread_without_work():
    background = Background(most=3)
    for version in range(10):
        background.ask("g", version, lambda: None).result(WAIT_S)
    calls = []
    background.ask("g", 9, lambda: calls.append(9)).result(WAIT_S)
    background.ask("g", 0, lambda: calls.append(0)).result(WAIT_S)
    assert calls == [0]
    deadline = time.monotonic() + WAIT_S
    while any(thread.name == "background" for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
