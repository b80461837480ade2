"""The command line: everything an operator does by hand, as `flask` commands."""

from __future__ import annotations

from flask import Flask

from recycling.cli import (
    audit,
    check_data,
    custody,
    demo,
    jobs,
    learn,
    limits,
    messages,
    plan,
    replay,
    report,
    scales,
    scheduler,
    staff,
)

GROUPS = (
    audit.group,
    check_data.command,
    custody.group,
    demo.group,
    jobs.group,
    learn.group,
    limits.group,
    messages.group,
    plan.group,
    replay.command,
    report.group,
    scales.group,
    scheduler.group,
    staff.group,
)


def register(app: Flask) -> None:
    """Hang every command group into the app."""
    for group in GROUPS:
        app.cli.add_command(group)
