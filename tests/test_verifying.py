"""A visitor's code confirms its bearer at its visit on its day, while everything is in order, and nobody else."""

import datetime as dt
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit import people
from fieldvisit.accounts import close_account
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.devices import revoke_device
from fieldvisit.errors import NotFound
from fieldvisit.files import FileStore
from fieldvisit.models import (
    Account,
    Credential,
    CredentialCheck,
    CrewMember,
    Device,
    Organisation,
    VerificationCode,
    VerificationLookup,
    Visit,
    Visitor,
)
from fieldvisit.phone.routes import NotThisDay
from fieldvisit.settings import Settings
from fieldvisit.signing import as_text
from fieldvisit.verification_codes import Bearer, NoCodeForVisit, code_for_visit, codes_of_day
from fieldvisit.verifying import Answer, Asking, Withdrawn, look_up, network_of
from fieldvisit.visits import CancelReason, VisitCancelled, cancel_visit
from fieldvisit.vocabulary import CheckMoment, LookupResult, VisitState
from tests.conftest import NOW
from tests.verification_worlds import NAME, NUMBER, Door, make_door
from tests.worlds import TODAY, make_credential

R, W = LookupResult, Withdrawn
MIDNIGHT = dt.datetime(2026, 3, 3, 22, 0, tzinfo=dt.UTC)
SECOND, DAY = dt.timedelta(seconds=1), dt.timedelta(days=1)


class Desk:
    """The agency's phones and the world's look-ups, over one door."""

    def __init__(self, sessions: sessionmaker[Session], settings: Settings, door: Door) -> None:
        self.sessions, self.settings, self.door = sessions, settings, door
        self.store = FileStore(settings)

    def code(self, visit: int = 0, *, bearer: Bearer | None = None, now: dt.datetime = NOW) -> str:
        with acting_for(self.sessions, self.door.agency) as session:
            given = code_for_visit(
                session,
                bearer or self.door.ilta,
                self.door.morning.visits[visit],
                key=self.settings.token_key,
                now=now,
            )
            return given.text

    def look(self, text: str, *, now: dt.datetime = NOW) -> Answer:
        with acting_for_all(self.sessions) as session:
            asking = Asking(text=text, network="0", now=now)
            return look_up(session, self.store, asking, key=self.settings.token_key)

    def lines(self, org_id: uuid.UUID) -> list[tuple[LookupResult, str | None]]:
        with acting_for(self.sessions, org_id) as session:
            rows = session.scalars(sa.select(VerificationLookup).order_by(VerificationLookup.id))
            return [(row.result, row.reason) for row in rows]


@pytest.fixture
def desk(sessions: sessionmaker[Session], settings: Settings) -> Desk:
    return Desk(sessions, settings, make_door(sessions, settings))


def test_a_good_code_tells_who_visits_for_whom_and_until_when(desk: Desk) -> None:
    answer = desk.look(desk.code())
    with acting_for(desk.sessions, desk.door.agency) as session:
        number = session.get_one(Visitor, desk.door.morning.ilta).staff_number
        (check,) = session.scalars(sa.select(CredentialCheck)).all()
        assert (check.moment, check.passed, len(check.credential_ids)) == (CheckMoment.DEBTOR, True, 2)
    assert (answer.result, answer.organisation, answer.phone) == (R.CONFIRMED, NAME, NUMBER)
    assert (answer.expires_at, answer.zone) == (MIDNIGHT, "Europe/Helsinki")
    assert answer.person is not None
    assert (answer.person.staff_number, answer.person.papers_until) == (number, TODAY + 60 * DAY)
    assert (answer.person.photo or b"")[:3] == b"\xff\xd8\xff"


def test_a_code_lives_to_the_end_of_its_local_day_and_no_second_longer(desk: Desk) -> None:
    code = desk.code()
    assert desk.look(code, now=MIDNIGHT - SECOND).result is R.CONFIRMED
    assert desk.look(code, now=MIDNIGHT).result is R.EXPIRED
    # A clock that was set back: what was confirmed then may be confirmed again, and the day before it was none.
    assert desk.look(code, now=NOW - dt.timedelta(hours=1)).result is R.CONFIRMED


def test_the_day_has_one_code_for_each_visit_and_asking_again_gives_the_same(desk: Desk) -> None:
    with acting_for(desk.sessions, desk.door.agency) as session:
        day = codes_of_day(session, desk.door.ilta, key=desk.settings.token_key, now=NOW)
    assert [code.visit_id for code in day] == list(desk.door.morning.visits)
    assert [code.text for code in day] == [desk.code(0), desk.code(1)]
    assert len({code.text for code in day}) == 2


def test_many_that_ask_at_once_get_one_code(desk: Desk) -> None:
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda _: desk.code(), range(8)))
    with acting_for(desk.sessions, desk.door.agency) as session:
        rows = session.scalar(sa.select(sa.func.count()).select_from(VerificationCode))
    assert (len(set(codes)), rows) == (1, 1)


def test_a_code_is_given_to_its_crew_on_its_day_for_what_is_still_to_be_made(desk: Desk) -> None:
    outsider = Bearer(visitor_id=desk.door.morning.outsider, account_id=uuid.uuid4(), device_id=None)
    with pytest.raises(NotFound):
        desk.code(bearer=outsider)
    with pytest.raises(NotThisDay):
        desk.code(now=MIDNIGHT)
    with acting_for(desk.sessions, desk.door.agency) as session:
        first, second = desk.door.morning.visits
        session.get_one(Visit, first).state = VisitState.REPORTED
        cancel_visit(session, second, reason=CancelReason.BY_HAND, now=NOW)
    with pytest.raises(NoCodeForVisit):
        desk.code(0)
    with pytest.raises(VisitCancelled):
        desk.code(1)
    with acting_for(desk.sessions, desk.door.agency) as session:
        assert codes_of_day(session, desk.door.ilta, key=desk.settings.token_key, now=NOW) == []


def change(desk: Desk, what: str) -> None:
    """One thing that happens in the office while a code is out."""
    morning = desk.door.morning
    with acting_for(desk.sessions, desk.door.agency) as session:
        visit, visitor = session.get_one(Visit, morning.visit), session.get_one(Visitor, morning.ilta)
        papers = session.scalars(sa.select(Credential).where(Credential.visitor_id == morning.ilta)).all()
        match what:
            case "reported":
                visit.state = VisitState.REPORTED
            case "cancelled":
                cancel_visit(session, visit.id, reason=CancelReason.BY_HAND, now=NOW)
            case "given back":
                visit.state, visit.plan_id, visit.planned_on = VisitState.ELIGIBLE, None, None
            case "off the crew":
                session.execute(sa.delete(CrewMember).where(CrewMember.visitor_id == morning.ilta))
            case "planned for tomorrow":
                visit.planned_on = TODAY + DAY
            case "account closed":
                close_account(session, desk.door.account, NOW)
            case "left":
                visitor.active = False
            case "paper lapsed":
                papers[0].valid_until = TODAY - DAY
            case "paper for another":
                papers[0].for_org_id = morning.world.stranger
            case "paper taken back":
                papers[0].revoked_at = NOW


@pytest.mark.parametrize(
    ("what", "result", "reason"),
    [
        ("nothing", R.CONFIRMED, None),
        ("reported", R.EXPIRED, None),
        ("cancelled", R.WITHDRAWN, W.VISIT_OFF),
        ("given back", R.WITHDRAWN, W.VISIT_OFF),
        ("planned for tomorrow", R.WITHDRAWN, W.OTHER_DAY),
        ("off the crew", R.WITHDRAWN, W.OTHER_CREW),
        ("account closed", R.WITHDRAWN, W.ACCOUNT_CLOSED),
        ("left", R.WITHDRAWN, W.VISITOR_LEFT),
        ("paper lapsed", R.WITHDRAWN, W.PAPERS),
        ("paper for another", R.WITHDRAWN, W.PAPERS),
        ("paper taken back", R.WITHDRAWN, W.PAPERS),
    ],
)
def test_a_code_confirms_nobody_once_something_is_no_longer_so(
    desk: Desk, what: str, result: LookupResult, reason: Withdrawn | None
) -> None:
    code = desk.code()
    change(desk, what)
    answer = desk.look(code)
    assert (answer.result, answer.person is not None) == (result, result is R.CONFIRMED)
    assert desk.lines(desk.door.agency) == [(result, reason)]
    assert (answer.organisation, answer.phone) == (NAME, NUMBER)


def test_revoking_a_paper_takes_the_visit_and_its_code_at_once(desk: Desk) -> None:
    code = desk.code()
    with acting_for(desk.sessions, desk.door.agency) as session:
        paper_id = session.scalars(
            sa.select(Credential.id).where(Credential.visitor_id == desk.door.morning.ilta)
        ).first()
        people.revoke_credential(session, paper_id, NOW)
    assert desk.look(code).result is R.WITHDRAWN


def test_a_code_on_a_revoked_phone_confirms_nobody(desk: Desk) -> None:
    morning = desk.door.morning
    with acting_for(desk.sessions, desk.door.agency) as session:
        account = Account(
            org_id=desk.door.agency, username="ilta", password_hash="-", roles=["visitor"], visitor_id=morning.ilta
        )
        session.add(account)
        session.flush()
        device = Device(
            org_id=desk.door.agency,
            id=uuid.uuid4(),
            account_id=account.id,
            visitor_id=morning.ilta,
            name="Phone",
            app_version="1",
            registered_at=NOW,
            last_seen_at=NOW,
        )
        session.add(device)
        bearer = Bearer(visitor_id=morning.ilta, account_id=account.id, device_id=device.id)
    code = desk.code(bearer=bearer)
    assert desk.look(code).result is R.CONFIRMED
    with acting_for(desk.sessions, desk.door.agency) as session:
        revoke_device(session, device.id, reason="Stolen.", by=account.id, now=NOW)
    assert desk.look(code).result is R.WITHDRAWN
    assert desk.lines(desk.door.agency)[-1] == (R.WITHDRAWN, W.PHONE_REVOKED)


def test_a_certificate_that_has_to_be_repeated_confirms_nobody(desk: Desk) -> None:
    """Training is a paper too: under the rules of China it is repeated each year, whatever is printed on it."""
    with acting_for_all(desk.sessions) as session:
        session.get_one(Organisation, desk.door.agency).policies = ["house", "cn"]
        world, ilta = desk.door.morning.world, session.get_one(Visitor, desk.door.morning.ilta)
        visit = session.get_one(Visit, desk.door.morning.visit)
        visit.place.country = "CN"
        for days in (400, 200):
            make_credential(session, ilta, kind=people.CredentialKind.CERTIFICATE, valid_from=TODAY - days * DAY)
        assert world.agency == ilta.org_id
    code = desk.code()
    results = []
    for revoked in (False, True):
        with acting_for(desk.sessions, desk.door.agency) as session:
            newest = session.scalars(sa.select(Credential).order_by(Credential.valid_from.desc())).first()
            assert newest is not None
            newest.revoked_at = NOW if revoked else None
        results.append(desk.look(code).result)
    assert results == [R.CONFIRMED, R.WITHDRAWN]


def forged(desk: Desk) -> dict[str, str]:
    """Codes that are none, each made of good ones where it can be."""
    first, second = desk.code(0), desk.code(1)
    return {
        "its visit's code under another's signature": first[:21] + second[21:],
        "one character changed": ("B" if first[0] != "B" else "C") + first[1:],
        "its signature changed": first[:-2] + ("AA" if first[-2:] != "AA" else "QA"),
        "cut": first[:-1],
        "longer": first + "A",
        "with another end": first[:-1] + "=",
        "nothing": "",
        "never given out": as_text(bytes(range(32))),
        "zeros": as_text(bytes(32)),
        "long": "A" * 100_000,
        "not of this alphabet": "核" * 43,
        "a path": "../../" + first,
    }


def test_what_we_did_not_sign_is_unknown_to_everybody_and_forged_to_its_owner(desk: Desk) -> None:
    answers = {name: desk.look(text) for name, text in forged(desk).items()}
    assert {(name, answer.result in (R.FORGED, R.UNKNOWN)) for name, answer in answers.items()} == {
        (name, True) for name in answers
    }
    assert {answer.organisation for answer in answers.values()} == {None}
    assert {answer.person for answer in answers.values()} == {None}
    assert desk.lines(desk.door.agency) == [(R.FORGED, None)] * desk.lines(desk.door.agency).count((R.FORGED, None))
    assert answers["its signature changed"].result is R.FORGED
    assert answers["never given out"].result is R.UNKNOWN
    assert desk.lines(desk.door.morning.world.stranger) == []


def test_a_row_that_was_altered_opens_under_no_code(desk: Desk, urls: Any) -> None:
    """Whoever can write into the database, and not sign, cannot move a code to another visit or a later day."""
    code = desk.code()
    engine = sa.create_engine(urls.owner, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text("select set_config('app.sees_all', 'on', true)"))
        connection.execute(sa.text("update verification_codes set expires_at = expires_at + interval '1 day'"))
    assert desk.look(code).result is R.FORGED


def test_networks_are_told_apart_coarsely_and_for_one_day(settings: Settings) -> None:
    def network(address: str, *, days: int = 0) -> str:
        return network_of(address, key=settings.token_key, now=NOW + days * DAY)

    assert network("192.0.2.7") == network("192.0.2.250") != network("192.0.3.7")
    assert network("2001:db8:1::1") == network("2001:db8:1:ffff::2") != network("2001:db8:2::1")
    assert network("192.0.2.7") != network("192.0.2.7", days=1)
    assert "192" not in network("192.0.2.7")
    assert len(network("nonsense")) == 16
