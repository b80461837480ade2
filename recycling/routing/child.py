"""What runs inside an engine's child process. Imports nothing heavy before the process has settled its own limits."""

from __future__ import annotations

import json
import os
import pickle
import signal
from multiprocessing.connection import Connection

GRACE_S = 5  # how long past its time a child that nobody kills may live


def run(address: str, packed_ask: bytes, wire: Connection) -> None:
    """Let an engine improve, and send each of its reports as JSON.

    Parameters
    ----------
    address
        The engine as ``module:name``.
    packed_ask
        A pickled `engines.Ask`, unpacked here so that NumPy is imported after the thread limits are set.
    wire
        Where the reports go; closing it tells the parent that the engine is done.
    """
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    from recycling.routing.engines import Ask, load_engine

    ask: Ask = pickle.loads(packed_ask)  # noqa: S301  # comes from our own parent process
    if hasattr(signal, "alarm"):
        # Should the parent die, the kernel ends this process even while C++ code holds the interpreter.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(int(ask.seconds) + GRACE_S)
    load_engine(address).improve(ask, lambda sequences: wire.send_bytes(json.dumps(sequences).encode()))
    wire.close()
