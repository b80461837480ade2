"""Asking another server: an end to waiting, trying and reading, and no word of the points in what went wrong."""

from __future__ import annotations

import threading
import time

import pytest

from recycling.errors import Unavailable
from recycling.gateways import json_client
from recycling.gateways.json_client import TRIES, JsonClient
from tests.roads.scripted import scripted_server

PATH = "/table/v1/driving/117.254321,34.801234;117.271234,34.812345"


def ask(address: str, *, timeout_s: float = 5.0, seconds: float = 20.0) -> json_client.JsonAnswer:
    """Ask for two points."""
    return JsonClient(address, timeout_s=timeout_s).ask(PATH, until=time.monotonic() + seconds)


@pytest.mark.parametrize("fault", ["error", "garbage", "cut", "hang", "drip"])
def test_a_fault_that_passes_is_tried_again(fault: str) -> None:
    with scripted_server(fault, "well") as (address, script):
        assert ask(address, timeout_s=3, seconds=60).content["code"] == "Ok"
    assert len(script.asked) == 2


@pytest.mark.parametrize("fault", ["error", "garbage", "cut", "hang", "drip", "drip_head"])
def test_a_fault_that_stays_ends_after_so_many_tries_and_their_time(fault: str) -> None:
    with scripted_server(fault) as (address, script):
        begun = time.monotonic()
        with pytest.raises(Unavailable) as failed:
            ask(address, timeout_s=0.5)
        took_s = time.monotonic() - begun
    assert 1 <= len(script.asked) <= TRIES
    # Three tries of at most 0.5 s and pauses of 0.2 and 0.4 s between them, with room for a busy machine. Waited for
    # byte by byte, as a socket's own time-out does, a single try would last 30 s and more.
    assert took_s < 3 * 0.5 + 0.6 + 10
    # and the points that were asked for are in no message
    assert "117.25" not in str(failed.value)
    assert "34.80" not in str(failed.value)


def test_nothing_is_tried_after_its_time() -> None:
    with scripted_server("hang") as (address, script):
        begun = time.monotonic()
        with pytest.raises(Unavailable):
            ask(address, timeout_s=5, seconds=0.4)
        assert time.monotonic() - begun < 4
        with pytest.raises(Unavailable, match="the time for it is over"):
            ask(address, seconds=-1)
    assert len(script.asked) == 1


def test_a_server_that_is_not_there_is_unavailable_before_any_time_out() -> None:
    with scripted_server() as (address, _):
        pass
    begun = time.monotonic()
    with pytest.raises(Unavailable, match="did not answer"):
        ask(address, timeout_s=30)
    assert time.monotonic() - begun < 10


def test_an_answer_without_end_is_cut_off_at_the_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_client, "LARGEST_ANSWER", 1 << 20)
    with scripted_server("flood") as (address, _), pytest.raises(Unavailable, match="no end of its answer"):
        ask(address, timeout_s=30, seconds=60)


def test_nobody_is_sent_elsewhere() -> None:
    # given a server that sends its callers to another address
    with scripted_server("moved") as (address, script), pytest.raises(Unavailable):
        ask(address)
    # then the other address was never asked: it would have been told the points
    assert all(path.startswith("/table/") for path in script.asked)


def test_a_proxy_of_the_machine_is_not_told_the_points(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted_server() as (proxy, seen), scripted_server() as (address, asked):
        monkeypatch.setenv("http_proxy", proxy)
        ask(address)
    assert (len(seen.asked), len(asked.asked)) == (0, 1)


@pytest.mark.parametrize("text", [b"[1]", b'{"a": NaN}', b'{"a": 1', b"[" * 100_000, b"\xff\xfe", b""])
def test_what_is_no_json_object_is_no_answer(text: bytes) -> None:
    with (
        scripted_server(lambda _: text) as (address, _),
        pytest.raises(Unavailable, match="something else than a JSON"),
    ):
        ask(address)


def test_an_exchange_that_is_given_up_does_not_keep_the_process_alive() -> None:
    with scripted_server("hang") as (address, _), pytest.raises(Unavailable):
        ask(address, timeout_s=0.2, seconds=0.2)
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "json-client")
