"""Road engines out of their PyPI wheels: unpacked, never imported; fetched once and kept beside the environment.

``python -m tests.roads.wheels`` fetches them before a run without a network.
"""

from __future__ import annotations

import contextlib
import hashlib
import platform
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

KEPT = Path(__file__).resolve().parents[2] / ".venv" / "road-engines"  # stays when build/ is cleaned
FETCH_S = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """A wheel that carries programs. ``programs`` is the folder of them inside it."""

    package: str
    version: str
    sha256: str
    programs: str


# Built for Python 3.12, but what is used are ordinary programs of x86-64 Linux that no Python runs.
OSRM = Wheel(
    package="osrm-bindings",
    version="26.10.0",
    sha256="840d6f82812eb9f9e17c71eb9083dfa15f3be2bfec4965c32aefa48b00d3a951",
    programs="osrm/bin",
)
VALHALLA = Wheel(
    package="pyvalhalla",
    version="3.9.1",
    sha256="7b49c5e5f86cefd555b473aaaf34df3305889d30aa889b8abd3b4c2acc622271",
    programs="valhalla/bin",
)


class NotHere(Exception):
    """The engine cannot be had; the message says why and what to do."""


def unpacked(wheel: Wheel) -> Path:
    """The folder a wheel is unpacked in; fetched when it is not there yet.

    Raises
    ------
    NotHere
        When this is no x86-64 Linux, or no package index answers.
    """
    folder = KEPT / f"{wheel.package}-{wheel.version}"
    if folder.is_dir():
        return folder
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise NotHere(f"{wheel.package} {wheel.version}: its wheel runs on x86-64 Linux only")
    KEPT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=KEPT) as aside:
        file = _fetched(wheel, Path(aside))
        made = Path(aside) / "unpacked"
        with zipfile.ZipFile(file) as content:
            content.extractall(made)
        for program in (made / wheel.programs).iterdir():
            program.chmod(0o755)
        # Put in its place whole: of several workers that fetch at once, the first one's stays.
        with contextlib.suppress(OSError):
            made.rename(folder)
    return folder


def _fetched(wheel: Wheel, into: Path) -> Path:
    asked = f"{wheel.package}=={wheel.version}"
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--python-version",
        "3.12", "--platform", "manylinux_2_28_x86_64", "--retries", "1", "--timeout", "10", "--dest", str(into), asked,
    ]  # fmt: skip
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=FETCH_S)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        raise NotHere(f"{asked}: no package index gave it; run `python -m tests.roads.wheels` with a network") from None
    (file,) = into.glob("*.whl")
    if hashlib.sha256(file.read_bytes()).hexdigest() != wheel.sha256:
        raise NotHere(f"{asked}: what the package index gave is not the file that these tests were written with")
    return file


if __name__ == "__main__":
    for one in (OSRM, VALHALLA):
        print(unpacked(one))
