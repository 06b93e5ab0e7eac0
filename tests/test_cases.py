"""Cases and debtors as the lender's system tells them: by its own ids, as often as it likes."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.cases import (
    CaseDraft,
    PaymentDraft,
    get_case,
    minor_units,
    record_payment,
    upsert_case,
)
from fieldvisit.database import acting_for
from fieldvisit.debtors import (
    ContactPointDraft,
    DebtorDraft,
    PlaceDraft,
    WishDraft,
    phone_number,
    state_wish,
    upsert_debtor,
)
from fieldvisit.drafts import Change
from fieldvisit.errors import InvalidValue, NotFound
from fieldvisit.found_points import NOT_FOUND, Found, given, not_found
from fieldvisit.models import Case, ContactPoint, Placement
from fieldvisit.models import Place as StoredPlace
from fieldvisit.people import local_instant
from fieldvisit.placements import PlacementDraft
from fieldvisit.vocabulary import CaseStage, ContactPointKind, DebtorParty, PointSource
from tests.conftest import NOW
from tests.worlds import TODAY, World, make_world

MERI = DebtorDraft(external_id="D-1", name="Meri Example", national_id="010101-123N", language="fi")
CASE = CaseDraft(
    external_id="C-1",
    debtor_id="D-1",
    product="car_loan",
    currency="EUR",
    principal_minor=100_000,
    interest_minor=5_000,
    fees_minor=500,
    total_minor=105_500,
    as_of_on=TODAY,
    due_on=TODAY - dt.timedelta(days=60),
    days_past_due=60,
    stage=CaseStage.PHONE,
)
HOME = "Aleksanterinkatu 1, Helsinki"


@pytest.fixture
def world(sessions: sessionmaker[Session]) -> World:
    return make_world(sessions)


@pytest.fixture
def lender(sessions: sessionmaker[Session], world: World) -> Session:
    """A session of the lender, in which Meri is known."""
    session = sessions(info={"org": world.lender})
    with session.begin():
        upsert_debtor(session, MERI)
    return session


def test_an_upsert_says_what_it_changed(lender: Session) -> None:
    later = replace(CASE, stage=CaseStage.LETTER, as_of_on=TODAY + dt.timedelta(days=1))
    with lender, lender.begin():
        assert [upsert_case(lender, draft, now=NOW + dt.timedelta(days=9))[1] for draft in (CASE, CASE, later)] == [
            Change.ADDED,
            Change.UNCHANGED,
            Change.CHANGED,
        ]
        lender.expire_all()
        case = get_case(lender, "C-1")
        assert (case.stage, case.as_of_on, case.total_minor) == (CaseStage.LETTER, later.as_of_on, 105_500)
        assert case.updated_at > case.created_at


def test_what_is_not_told_stays(lender: Session) -> None:
    guarantor = replace(MERI, party=DebtorParty.GUARANTOR)
    with lender, lender.begin():
        assert upsert_debtor(lender, guarantor)[1] is Change.CHANGED
        debtor, change = upsert_debtor(lender, DebtorDraft(external_id="D-1", name="Meri Example"))
        assert (change, debtor.party, debtor.national_id, debtor.language) == (
            Change.UNCHANGED,
            DebtorParty.GUARANTOR,
            "010101-123N",
            "fi",
        )


def test_contact_points_are_added_and_never_taken_away(lender: Session) -> None:
    def with_points(*values: str) -> DebtorDraft:
        points = [ContactPointDraft(kind=ContactPointKind.PHONE, value=value) for value in values]
        return replace(MERI, contact_points=tuple(points))

    with lender, lender.begin():
        changes = [
            upsert_debtor(lender, draft)[1]
            for draft in (with_points("+358457000001"), with_points("+358457000001"), with_points("+358457000002"))
        ]
        assert changes == [Change.CHANGED, Change.UNCHANGED, Change.CHANGED]
        stored = sorted(point.value for point in lender.scalars(sa.select(ContactPoint)))
        assert stored == ["+358457000001", "+358457000002"]


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        (not_found(NOT_FOUND), given(60.1, 24.9), PointSource.GIVEN),
        (given(60.1, 24.9), not_found(NOT_FOUND), PointSource.GIVEN),
        (
            given(60.1, 24.9),
            Found(point=given(60.2, 24.9).point, source=PointSource.GEOCODED, note="x"),
            PointSource.GIVEN,
        ),
        (given(60.1, 24.9), None, PointSource.GIVEN),
    ],
)
def test_the_better_point_of_a_place_stays(
    lender: Session, before: Found, after: Found | None, kept: PointSource
) -> None:
    with lender, lender.begin():
        for address, found in ((HOME, before), (HOME.upper() + "  ", after)):
            upsert_debtor(lender, replace(MERI, places=(PlaceDraft(address=address, found=found),)))
        place = lender.scalars(sa.select(StoredPlace)).one()
        assert (place.found_by, place.lat, place.zone, place.country) == (kept, 60.1, "Europe/Helsinki", "FI")


def test_a_place_lies_in_the_zone_of_its_point(lender: Session) -> None:
    beijing = PlaceDraft(address="海淀区测试路1号", found=given(39.9, 116.39))
    with lender, lender.begin():
        upsert_debtor(lender, replace(MERI, places=(beijing,)))
        assert lender.scalars(sa.select(StoredPlace.zone)).one() == "Asia/Shanghai"


def test_a_case_stays_with_its_debtor(lender: Session) -> None:
    with lender, lender.begin():
        upsert_debtor(lender, DebtorDraft(external_id="D-2", name="Other"))
        upsert_case(lender, CASE, now=NOW)
        with pytest.raises(InvalidValue, match="debtor_id"):
            upsert_case(lender, replace(CASE, debtor_id="D-2"), now=NOW)
        with pytest.raises(NotFound):
            upsert_case(lender, replace(CASE, debtor_id="D-3"), now=NOW)


def test_the_days_of_a_placement_may_change(lender: Session) -> None:
    first = PlacementDraft(agency="pohjola-field", from_on=TODAY)
    shorter = replace(first, until_on=TODAY + dt.timedelta(days=30))
    with lender, lender.begin():
        for placement in (first, shorter):
            upsert_case(lender, replace(CASE, placement=placement), now=NOW)
        assert lender.execute(sa.select(Placement.from_on, Placement.until_on)).all() == [
            (TODAY, TODAY + dt.timedelta(days=30))
        ]


def test_an_agency_sees_a_case_from_the_first_day_of_its_placement(
    sessions: sessionmaker[Session], lender: Session, world: World
) -> None:
    tomorrow = TODAY + dt.timedelta(days=1)
    with lender, lender.begin():
        upsert_case(lender, replace(CASE, placement=PlacementDraft(agency="pohjola-field", from_on=TODAY)), now=NOW)
        later = PlacementDraft(agency="pohjola-field", from_on=tomorrow)
        upsert_case(lender, replace(CASE, external_id="C-2", placement=later), now=NOW)
    with acting_for(sessions, world.agency) as session:
        assert session.scalars(sa.select(Case.external_id)).all() == ["C-1"]


def test_a_payment_is_recorded_once_and_never_changed(lender: Session) -> None:
    payment = PaymentDraft(external_id="P-1", case_id="C-1", amount_minor=1_250, currency="EUR", paid_on=TODAY)
    with lender, lender.begin():
        upsert_case(lender, CASE, now=NOW)
        assert [record_payment(lender, payment, now=NOW)[1] for _ in range(2)] == [Change.ADDED, Change.UNCHANGED]
        with pytest.raises(InvalidValue, match="payment_id"):
            record_payment(lender, replace(payment, amount_minor=1_251), now=NOW)
        ahead = replace(payment, external_id="P-2", paid_on=TODAY + dt.timedelta(days=2))
        with pytest.raises(InvalidValue, match="future"):
            record_payment(lender, ahead, now=NOW)


def test_a_wish_is_kept_in_the_order_of_the_week(lender: Session) -> None:
    wish = WishDraft(debtor_id="D-1", only=True, days=("sun", "mon"), from_time=dt.time(8), until_time=dt.time(10))
    with lender, lender.begin():
        stored, change = state_wish(lender, wish, NOW, origin="file")
        again = state_wish(lender, replace(wish, days=("mon", "sun", "mon")), NOW, origin="file")
        assert (change, stored.days, again) == (Change.ADDED, ["mon", "sun"], (stored, Change.UNCHANGED))


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [("12.50", "EUR", 1_250), ("12.5", "CNY", 1_250), ("1200", "JPY", 1_200), ("1.234", "KWD", 1_234), ("0", "EUR", 0)],
)
def test_money_is_counted_in_the_smallest_unit_of_its_currency(amount: str, currency: str, minor: int) -> None:
    assert minor_units(Decimal(amount), currency) == minor


@pytest.mark.parametrize(("amount", "currency"), [("12.505", "EUR"), ("1200.5", "JPY"), ("1", "ABC"), ("1e20", "EUR")])
def test_money_that_cannot_be_counted_is_refused(amount: str, currency: str) -> None:
    with pytest.raises(InvalidValue):
        minor_units(Decimal(amount), currency)


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("045 700 0001", "FI", "+358457000001"),
        ("138 0013 8000", "CN", "+8613800138000"),
        ("+86 10 6255 1234", "FI", "+861062551234"),
        ("0046 8 123 456 78", "FI", "+46812345678"),
    ],
)
def test_a_number_without_a_country_is_of_the_organisations_country(text: str, country: str, number: str) -> None:
    assert phone_number(text, country) == number


@pytest.mark.parametrize("text", ["", "12", "phone", "+000 12345678", "045 700 0001 ext. 5"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        phone_number(text, "FI")


def test_a_time_that_the_clocks_skip_is_refused() -> None:
    with pytest.raises(InvalidValue) as raised:
        local_instant(dt.date(2026, 3, 29), dt.time(3, 30), "Europe/Helsinki", "start")
    assert raised.value.details["path"] == "start"


def test_of_a_time_shown_twice_the_first_is_meant() -> None:
    instant = local_instant(dt.date(2026, 10, 25), dt.time(3, 30), "Europe/Helsinki", "start")
    assert instant == dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC)
