"""Real road engines on the made-up net, as fixtures; a run that cannot have them says so at its end."""

from __future__ import annotations

import contextlib
import json
import os
import runpy
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.roads.streets import write_net
from tests.roads.wheels import OSRM, VALHALLA, NotHere, Wheel, unpacked

START_S = 300  # on a machine with other work
SCRIPTED = Path(__file__).with_name("scripted.py")
TABLE_LIMIT = 100  # points in one request to OSRM: its own default


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadServer:
    """A running engine."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def address(self) -> str:
        """What to put before a path."""
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """End it at once, whatever it is doing."""
        self.process.kill()
        self.process.wait()


def osrm_files(folder: Path) -> Path:
    """Prepare the net for OSRM; returns what to start it with.

    Raises
    ------
    NotHere
        When there is no OSRM.
    """
    programs = unpacked(OSRM) / OSRM.programs
    write_net(folder / "town.osm.pbf")
    profile = unpacked(OSRM) / "osrm" / "share" / "profiles" / "car.lua"
    _run(programs / "osrm-extract", "-t1", "-p", profile, folder / "town.osm.pbf", folder=folder)
    # Multi-level Dijkstra: its preparation takes a quarter of a second, contracting a net of equal squares fifteen.
    for program in ("osrm-partition", "osrm-customize"):
        _run(programs / program, "-t1", folder / "town.osrm", folder=folder)
    return folder / "town.osrm"


@contextmanager
def serving_osrm(net: Path) -> Iterator[RoadServer]:
    """Serve a prepared net until the block ends."""
    program = unpacked(OSRM) / OSRM.programs / "osrm-routed"
    port = _free_port()
    options = ["--algorithm", "mld", "-i", "127.0.0.1", "-p", str(port), "-t", "1"]
    with _started([program, *options, "--max-table-size", str(TABLE_LIMIT), net], port, log=net.parent) as server:
        yield server


@contextmanager
def serving_stand_in(folder: Path) -> Iterator[RoadServer]:
    """Serve a process that answers as OSRM does, for a run without the real one."""
    port = _free_port()
    with _started([sys.executable, SCRIPTED, port], port, log=folder) as server:
        yield server


@contextmanager
def serving_valhalla(folder: Path) -> Iterator[RoadServer]:
    """Build the net's tiles and serve them with Valhalla until the block ends.

    Raises
    ------
    NotHere
        When there is no Valhalla.
    """
    root = unpacked(VALHALLA)
    programs, port = root / VALHALLA.programs, _free_port()
    write_net(folder / "town.osm.pbf")
    (folder / "tiles").mkdir()
    setup = _without_optional(runpy.run_path(str(root / "valhalla" / "valhalla_build_config.py"))["config"])
    setup["mjolnir"] |= {"tile_dir": str(folder / "tiles"), "concurrency": 1}
    for name in ("tile_extract", "admin", "timezone", "landmarks", "traffic_extract"):
        setup["mjolnir"].pop(name, None)
    setup["httpd"]["service"] |= {
        "listen": f"tcp://127.0.0.1:{port}", "loopback": f"ipc://{folder}/loopback", "interrupt": f"ipc://{folder}/stop",
    }  # fmt: skip
    (folder / "valhalla.json").write_text(json.dumps(setup))
    _run(programs / "valhalla_build_tiles", "-c", folder / "valhalla.json", folder / "town.osm.pbf", folder=folder)
    with _started([programs / "valhalla_service", folder / "valhalla.json", "1"], port, log=folder) as server:
        yield server


@pytest.fixture(scope="session")
def osrm_net(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The net as OSRM reads it."""
    return _or_skip(OSRM, lambda: osrm_files(tmp_path_factory.mktemp("osrm")))


@pytest.fixture(scope="session")
def osrm(osrm_net: Path) -> Iterator[RoadServer]:
    """A real OSRM; whoever means to kill one starts their own with `serving_osrm`."""
    with serving_osrm(osrm_net) as server:
        yield server


@pytest.fixture(scope="session")
def valhalla(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RoadServer]:
    """A real Valhalla."""
    _or_skip(VALHALLA, lambda: unpacked(VALHALLA))
    with serving_valhalla(tmp_path_factory.mktemp("valhalla")) as server:
        yield server


def _or_skip(wheel: Wheel, make: Callable[[], Path]) -> Path:
    try:
        return make()
    except NotHere as reason:
        if os.environ.get("REQUIRE_ROAD_ENGINES", "") not in ("", "0"):
            pytest.fail(f"REQUIRE_ROAD_ENGINES is set: {reason}", pytrace=False)
        pytest.skip(f"no real {wheel.package}: {reason}")


def _run(program: Path, *arguments: object, folder: Path) -> None:
    done = subprocess.run([program, *map(str, arguments)], cwd=folder, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(
            f"{program.name} ended with {done.returncode}:\n{done.stdout[-2000:]!r}{done.stderr[-2000:]!r}"
        )


@contextmanager
def _started(command: list[Any], port: int, *, log: Path) -> Iterator[RoadServer]:
    with (log / f"server-{port}.log").open("wb") as output:
        process = subprocess.Popen([str(part) for part in command], cwd=log, stdout=output, stderr=subprocess.STDOUT)
        try:
            _wait_until_open(process, port)
            yield RoadServer(port=port, process=process)
        finally:
            process.kill()
            process.wait()


def _wait_until_open(process: subprocess.Popen[bytes], port: int) -> None:
    patience = time.monotonic() + START_S
    while time.monotonic() < patience and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise RuntimeError(f"{process.args!r} did not listen on port {port}; it ended with {process.poll()}")


def _free_port() -> int:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        found: int = holder.getsockname()[1]
        return found


def _without_optional(value: Any) -> Any:
    """Valhalla's own default settings without those that it marks as empty."""
    if isinstance(value, dict):
        return {key: _without_optional(one) for key, one in value.items() if type(one).__name__ != "Optional"}
    return value
