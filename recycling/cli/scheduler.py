"""`flask scheduler`: the clock in a process of its own."""

from __future__ import annotations

from typing import cast

from flask import Flask, current_app
from flask.cli import AppGroup

from recycling.jobs.clockwork import run_scheduler

group = AppGroup("scheduler", help="The clock that runs scheduled jobs and delivers messages.")


@group.command("run")
def run() -> None:
    """Run until ctrl-C or SIGTERM. Any number may run at once: each due run still happens once."""
    run_scheduler(cast("Flask", current_app._get_current_object()))  # type: ignore[attr-defined]  # werkzeug's proxy
