"""The WSGI entry point: settings from the environment, nothing else."""

from config.settings import from_environment
from recycling.app import create_app

app = create_app(from_environment())
