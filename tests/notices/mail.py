"""A mail server that speaks real SMTP, keeps what it was given, and answers as it is told to."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from fieldvisit.notice_providers import NoticeProvider
from fieldvisit.vocabulary import Channel

ACCEPTED, OUT_OF_ORDER, BREAKS_OFF = "250 OK", "451 try again later", "breaks off"


@dataclass
class MailServer:
    """`answers`: what the next letters are answered, then all are accepted. `heard` is called with each before that."""

    port: int = 0
    letters: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    heard: Callable[[], None] = lambda: None

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        letter = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(letter, EmailMessage)
        self.heard()
        answer = self.answers.pop(0) if self.answers else ACCEPTED
        if answer == BREAKS_OFF:
            # It has heard all of it and says nothing of it.
            server.transport.abort()
        if answer == ACCEPTED:
            self.letters.append(letter)
            self.recipients += envelope.rcpt_tos
        return answer

    @property
    def texts(self) -> list[str]:
        return [letter.get_content().replace("\r\n", "\n").strip() for letter in self.letters]

    def provider(self, name: str = "mail") -> NoticeProvider:
        address = f"mailto://127.0.0.1:{self.port}?mode=insecure&from=notices@pohjola.example&to={{to}}"
        return NoticeProvider(name=name, channel=Channel.EMAIL, url=address)

    def as_json(self, name: str = "mail") -> dict[str, str]:
        return {"name": name, "channel": "email", "url": self.provider(name).url}


@contextmanager
def mail_server() -> Iterator[MailServer]:
    server = MailServer()
    # Port 0: whichever is free; the controller's own check of it wants a number first.
    controller = _Listening(server, hostname="127.0.0.1", port=0)
    controller.start()
    try:
        server.port = controller.server.sockets[0].getsockname()[1]
        yield server
    finally:
        controller.stop()


class _Listening(Controller):
    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()
