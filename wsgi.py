"""The WSGI entry point: settings from the environment, nothing else."""

import sys

from config.settings import from_environment
from recycling.app import create_app
from recycling.errors import ConfigError

try:
    app = create_app(from_environment())
except ConfigError as refusal:  # in words: whoever sets a server up needs the sentence, not the stack under it
    sys.exit(f"refused to start: {refusal.message}")
