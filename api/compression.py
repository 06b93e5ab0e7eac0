"""Answers made small for the way: gzip, where the caller takes it and it is worth the work."""

import gzip

from flask import Response, request

SMALLEST = 800
"""Bytes. Below, headers and packets outweigh what is saved."""
LEVEL = 6


def compress(response: Response) -> Response:
    """The same answer, compressed. Its tag becomes a weak one: the bytes differ, the meaning does not."""
    if not _worth_it(response):
        return response
    # Without a time in it the same answer has the same bytes.
    response.set_data(gzip.compress(response.get_data(), LEVEL, mtime=0))
    response.content_encoding = "gzip"
    tag, _ = response.get_etag()
    if tag is not None:
        response.set_etag(tag, weak=True)
    response.vary.add("Accept-Encoding")
    return response


def _worth_it(response: Response) -> bool:
    # What is known at once comes first: most answers are small.
    if response.is_streamed or (response.content_length or SMALLEST) < SMALLEST:
        return False
    takes = request.accept_encodings["gzip"] > 0 and not response.content_encoding
    is_json = (response.mimetype or "").endswith("json")
    return takes and is_json and len(response.get_data()) >= SMALLEST
