"""The WSGI entry point: settings from the environment, and a start that is left alone by the collector."""

import gc
import sys

from config.settings import from_environment
from recycling.app import create_app
from recycling.errors import ConfigError

try:
    app = create_app(from_environment())
except ConfigError as refusal:  # in words: whoever sets a server up needs the sentence, not the stack under it
    sys.stderr.write(f"refused to start: {refusal.message}\n")
    sys.exit(3)  # gunicorn's own code for a worker that cannot start; at any other it tries again for ever

# A full collection looks through everything that lives, a tenth of a second and more for the program alone, and whoever
# asks for a year's figures at that moment waits for it. What was made at the start never goes: it is left out.
gc.collect()
gc.freeze()
