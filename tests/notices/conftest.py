"""Real receivers of what is sent: a mail server and gateways over HTTP, started once for a file of tests."""

from collections.abc import Iterator

import pytest

from tests.notices.mail import MailServer, mail_server
from tests.safety.providers import Providers, fake_providers


@pytest.fixture(scope="module")
def listening() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def mail(listening: MailServer) -> MailServer:
    listening.letters.clear()
    listening.recipients.clear()
    listening.answers.clear()
    return listening


@pytest.fixture(scope="module")
def gateways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Providers]:
    with fake_providers(tmp_path_factory.mktemp("gateways")) as found:
        yield found
