"""Takes a picture of every screen in both languages: ``python -m tests.pictures [name …]`` fills ``docs/screens/``."""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from recycling.policy.access import Role
from recycling.routes.pages.words import ROLE_WORDS
from tests.pages.screens import Visit, running_chromium, what_is_missing
from tests.pictures.demo_morning import DemoMorning, demo_morning
from tests.pictures.shots import HEIGHTS, MOST_PX, Shot, shots
from tests.servers import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser

KEPT_IN = ROOT / "docs" / "screens"
LANGUAGES = {"zh": "中文", "en": "English"}
COLOURS = 128  # of a palette: a screen has few, and a picture then takes a third of the bytes


def main(arguments: list[str] | None = None) -> int:
    """Take the pictures, all or the named ones, and write the page that shows them; 1 when a screen complained."""
    parser = argparse.ArgumentParser(prog="python -m tests.pictures", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"some of: {', '.join(shot.name for shot in shots())}")
    names = set(parser.parse_args(arguments).names)
    wanted = [shot for shot in shots() if not names or shot.name in names]
    if missing := what_is_missing():
        print(missing, file=sys.stderr)
        return 2
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as folder, demo_morning(Path(folder)) as demo, running_chromium() as browser:
        for role in dict.fromkeys(shot.role for shot in wanted):
            faults += _pictured(demo, browser, role, [shot for shot in wanted if shot.role == role])
    (KEPT_IN / "README.md").write_text(_page(shots()), encoding="utf-8")
    print("\n".join(faults), file=sys.stderr)
    return 1 if faults else 0


def path_of(shot: Shot, *, lang: str, width: int) -> Path:
    """Where a picture is kept."""
    return KEPT_IN / lang / f"{shot.name}-{width}.png"


def _pictured(demo: DemoMorning, browser: Browser, role: Role | None, wanted: list[Shot]) -> list[str]:
    """Picture one role's screens; returns what they complained of."""
    faults: list[str] = []
    for lang in LANGUAGES:
        for width in sorted({width for shot in wanted for width in shot.widths}):
            visit = demo.visit(browser, role, size=(width, HEIGHTS[width]), lang=lang)
            for shot in wanted:
                if width in shot.widths:
                    _picture(visit, shot, demo.places, path_of(shot, lang=lang, width=width), most_px=MOST_PX[width])
            faults += visit.faults
            visit.context.close()
    return faults


def _picture(visit: Visit, shot: Shot, places: dict[str, str], path: Path, *, most_px: int) -> None:
    page = visit.open(shot.address.format_map(places))
    if shot.ready is not None:
        shot.ready(page)
    page.wait_for_load_state("networkidle")
    whole = Image.open(io.BytesIO(page.screenshot(full_page=True, animations="disabled", caret="hide")))
    content = whole.crop((0, 0, whole.width, min(whole.height, most_px))).convert("RGB")
    path.parent.mkdir(parents=True, exist_ok=True)
    content.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.relative_to(ROOT)}  {path.stat().st_size // 1000} kB", flush=True)


def _page(listed: list[Shot]) -> str:
    """The page of all screens by role, in Markdown: small pictures that lead to the large ones."""
    by_role: dict[Role | None, list[Shot]] = defaultdict(list)
    for shot in listed:
        by_role[shot.role].append(shot)
    lines = [
        "# Screens 页面", "", "Made by `make screens` from the demo day at half past ten. 由 `make screens` 生成。",
    ]  # fmt: skip
    for role, mine in by_role.items():
        zh, en = ROLE_WORDS[role] if role is not None else ("无需登录", "anybody")
        lines += ["", f'<a id="{role or "anybody"}"></a>', "", f"## {zh} · {en}", ""]
        for shot in mine:
            pictures = [
                f'<a href="{name}"><img src="{name}" alt="{shot.zh} {shot.en}, {width} px, {spoken}" height="320"></a>'
                for width in shot.widths
                for lang, spoken in LANGUAGES.items()
                if (name := path_of(shot, lang=lang, width=width).relative_to(KEPT_IN).as_posix())
            ]
            lines += [f"**{shot.zh} · {shot.en}** `{shot.address}`", "", *pictures, ""]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
