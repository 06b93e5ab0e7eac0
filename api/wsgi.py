"""For any WSGI server: `gunicorn 'api.wsgi:application()'`. The product's own way is `fieldvisit serve`."""

from flask import Flask

from api.app import create_app
from api.logs import configure_logs
from fieldvisit.settings import read_settings


def application() -> Flask:
    settings = read_settings()
    configure_logs(settings.log_level)
    return create_app(settings)
