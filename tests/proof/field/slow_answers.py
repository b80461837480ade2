"""The application, answering late: a kill must find requests that are committed and that nobody was told of."""

from __future__ import annotations

import os
import time

from flask import Response, request

from config.settings import from_environment
from recycling.app import create_app

ANSWERS_AFTER_S = float(os.environ.get("TEST_ANSWERS_AFTER_S", "0"))

app = create_app(from_environment())


@app.after_request
def answer_late(response: Response) -> Response:
    """Leave time for a kill between the commit and the answer."""
    if request.method == "POST":
        time.sleep(ANSWERS_AFTER_S)
    return response
