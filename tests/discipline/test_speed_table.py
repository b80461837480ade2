"""The page of speed figures keeps each area's newest table and leaves the others alone."""

from pathlib import Path

from benchmarks.table import Row, keep


def _row(name: str, figure: float) -> Row:
    return Row(name=name, figure=figure, unit="/s", target=">= 0.4 x", ok=True, peer="bare Flask", peer_figure=800.0)


def test_a_new_measurement_replaces_its_own_areas_table_only(tmp_path: Path) -> None:
    # given a page with two areas
    page = tmp_path / "benchmarks.md"
    page.write_text("# Speed\n", encoding="utf-8")
    keep("line", [_row("booking | create", 400.0)], path=page)
    keep("planner", [_row("solve", 1.0)], path=page)

    # when one is measured again
    keep("line", [_row("booking | create", 600.0)], path=page)

    # then its old figure is gone, 600 / 800 = 0.75 stands there, and the other area is as it was
    text = page.read_text(encoding="utf-8")
    assert "| booking \\| create | 600 /s | >= 0.4 x | bare Flask 800 /s | 0.75 | ok |" in text
    assert "| 400 /s |" not in text
    assert "| solve | 1 /s |" in text
    assert text.count("<!-- line: begin -->") == text.count("<!-- planner: end -->") == 1
