"""The district with a larger fleet: its configuration with vans and crews added, for days of thousands of pickups."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.table import ROOT

SKILLS = '["two-person-lift", "dismantling", "refrigerant", "gas-fitting"]'


def enlarged(folder: Path, *, vehicles: int) -> Path:
    """Copy the configuration into a folder and add ``vehicles`` vans, shared out among the stations, two people each.

    Returns
    -------
    Path
        The folder, for ``CONFIG_DIR``.
    """
    made = folder / f"config-{vehicles}"
    shutil.copytree(ROOT / "config", made, ignore=shutil.ignore_patterns("__pycache__"))
    network = made / "district" / "network.toml"
    text = network.read_text(encoding="utf-8")
    stations = [line.split('"')[1] for line in text.split("[[stations]]")[1:] for line in [_first(line, "key")]]
    rows = []
    for number in range(vehicles):
        key = f"extra-{number}"
        rows.append(
            f'[[vehicles]]\nkey = "{key}"\nclass_key = "van"\nstation_key = "{stations[number % len(stations)]}"\n'
        )
        rows += (
            f'[[collectors]]\nkey = "{key}-{who}"\nname_zh = "演示"\nname_en = "Made up"\nskills = {SKILLS}\n'
            f'shift_key = "day"\nvehicle_key = "{key}"\n'
            for who in ("a", "b")
        )
    network.write_text(text + "\n" + "\n".join(rows), encoding="utf-8")
    return made


def _first(table: str, name: str) -> str:
    return next(line for line in table.splitlines() if line.startswith(f"{name} ="))
