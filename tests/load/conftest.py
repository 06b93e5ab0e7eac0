"""The app in this process, beside the server that is measured: it tells what a request asks of the database."""

from tests.api.conftest import app, client_for

__all__ = ["app", "client_for"]
