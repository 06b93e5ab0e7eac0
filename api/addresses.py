"""The addresses that people open from outside: in a browser, from a link or a code."""

from flask import request

from api.context import settings


def public_address(path: str) -> str:
    """The whole address of a path of ours, under the name that the world knows us by."""
    return (settings().public_url or request.url_root).rstrip("/") + path
