"""The canary walks the whole way from a deadline to an address, and the auditor names the address it did not reach."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from fieldvisit.database import Urls, acting_for_all, plain_url
from fieldvisit.models import Organisation, SafetyAlert, SafetySession
from fieldvisit.outgoing.gateways import Channels
from fieldvisit.safety.auditing import audit
from fieldvisit.safety.canary import NoCanary, Reached, flights, fly, make_canary
from fieldvisit.safety.sending import Sender
from fieldvisit.vocabulary import AlarmChannel, AlertOutcome, SafetyState
from tests.safety.providers import Providers, fake_providers
from tests.safety.worlds import MINUTE, Door

ADDRESSES = {AlarmChannel.SMS: "+358401234567", AlarmChannel.VOICE: "+358401234567", AlarmChannel.MAIL: "a@b.example"}
DUE_S = 25


@pytest.fixture
def providers(tmp_path: Path) -> Iterator[Providers]:
    with fake_providers(tmp_path) as found:
        yield found


@pytest.fixture
def flown(door: Door, providers: Providers) -> "Canary":
    door.clock.stop()
    with acting_for_all(door.sessions) as session:
        make_canary(session, ADDRESSES, password_hash="none")
    return Canary(door, providers)


class Canary:
    def __init__(self, door: Door, providers: Providers) -> None:
        self.door, self.providers = door, providers

    def fly(self, *, cut: AlarmChannel | None = None) -> None:
        """Five minutes with one flight, in which nobody carries the messages of the channel that is cut."""
        with acting_for_all(self.door.sessions) as session:
            fly(session)
        self.door.pass_under_watch_s(DUE_S + 1)
        self.door.watch()
        carried = tuple(each for each in self.providers.all() if each.channel is not cut)
        channels = Channels.of(carried, 5.0)
        Sender(self.door.sessions, channels).send_due()
        channels.close()
        self.door.pass_under_watch_s(5 * MINUTE - DUE_S - 1)

    def flights(self) -> list[Reached]:
        with acting_for_all(self.door.sessions) as session:
            return list(flights(session, since=dt.timedelta(days=1)))


def broken(urls: Urls) -> list[tuple[int, str | None, str]]:
    return [(each.number, each.org_id, each.subject) for each in audit(plain_url(urls.app)) if each.number in (2, 7, 8)]


def test_a_canary_that_flies_reaches_every_address_and_the_time_it_took_is_known(flown: Canary, urls: Urls) -> None:
    for _ in range(3):
        flown.fly()
        assert broken(urls) == []
    found = flown.flights()
    assert {each.channel for each in found} == set(ADDRESSES)
    assert [each.seen_s for each in found] == [1.0] * 9
    with acting_for_all(flown.door.sessions) as session:
        outcomes = session.scalars(sa.select(SafetyAlert.outcome).order_by(SafetyAlert.opened_at)).all()
        assert outcomes == [AlertOutcome.DRILL, AlertOutcome.DRILL, None]
        assert session.scalars(
            sa.select(SafetySession.state).where(SafetySession.state != SafetyState.ENDED)
        ).all() == [SafetyState.ALARM]


@pytest.mark.parametrize("cut", ADDRESSES)
def test_the_channel_that_is_cut_is_named_within_six_minutes_to_everybody(
    flown: Canary, urls: Urls, cut: AlarmChannel
) -> None:
    for _ in range(2):
        flown.fly()
    flown.fly(cut=cut)
    flown.door.pass_under_watch_s(MINUTE + 1)
    assert broken(urls) == [(8, None, cut.value)]


def test_a_canary_whose_watchers_are_away_lands_and_flies_again(flown: Canary, urls: Urls) -> None:
    with acting_for_all(flown.door.sessions) as session:
        fly(session)
    with acting_for_all(flown.door.sessions) as session:
        fly(session)
    flown.door.pass_under_watch_s(6 * MINUTE + 1)
    flown.door.watch()
    assert [each for each in broken(urls) if each[0] == 8] == [(8, None, each.value) for each in sorted(ADDRESSES)]


def test_where_there_is_no_canary_none_is_missed(door: Door, urls: Urls) -> None:
    door.pass_under_watch_s(10 * MINUTE)
    assert broken(urls) == []
    with acting_for_all(door.sessions) as session:
        with pytest.raises(NoCanary):
            fly(session)
        assert not session.scalars(sa.select(Organisation.canary)).all().count(True)
