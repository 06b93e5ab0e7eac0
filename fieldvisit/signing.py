"""Short proofs that something was written here, for addresses that people open without a login."""

import base64
import binascii
import hmac

TAG_BYTES = 16
"""128 bits: nobody guesses one, and an address stays short enough for a code that an old camera reads."""


class Signer:
    """Signs and checks under a key of its own for each purpose: what was signed for one opens no other."""

    def __init__(self, key: bytes, purpose: str) -> None:
        self._key = hmac.digest(key, f"fieldvisit {purpose}".encode(), "sha256")

    def tag(self, message: bytes) -> bytes:
        """`TAG_BYTES` bytes that only we can make for this message."""
        return hmac.digest(self._key, message, "sha256")[:TAG_BYTES]

    def is_good(self, message: bytes, tag: bytes) -> bool:
        """Whether the tag is ours. Takes the same time whatever is wrong with it."""
        return hmac.compare_digest(self.tag(message), tag)


def as_text(raw: bytes) -> str:
    """As an address carries it."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def from_text(text: str, *, size: int) -> bytes | None:
    """The `size` bytes that `as_text` was given; None for a text that it never makes."""
    if len(text) != -(-size * 4 // 3) or not text.isascii():
        return None
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        return None
    # The last character may carry bits that mean nothing: one content has one spelling.
    return raw if len(raw) == size and as_text(raw) == text else None
