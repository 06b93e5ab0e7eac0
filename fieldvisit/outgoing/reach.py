"""Whether a host lies in the public network. An address that a customer gives must not lead into our own."""

import ipaddress
import socket


def is_public(host: str) -> bool:
    """Whether every address of this name is one of the public network; False for a name that nobody knows."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return bool(found) and all(_is_global(str(address[4][0])) for address in found)


def _is_global(address: str) -> bool:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (mapped or parsed).is_global and not parsed.is_multicast
