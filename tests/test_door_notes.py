"""What may be left at a door: the strictest of all policies that apply, in words; what was left is held against it."""

import datetime as dt
import uuid

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.compliance.terms import Terms
from fieldvisit.database import acting_for
from fieldvisit.door_notes import DoorNote, breaches, door_note, terms_at
from fieldvisit.door_records import DoorDraft, NoteLeft
from fieldvisit.models import Case, Debtor, Organisation, Place, Visit, VisitEvent
from fieldvisit.reports import report_visit
from fieldvisit.vocabulary import NoteBreach, NoteForm, OrganisationKind, PlaceKind
from tests.conftest import NOW
from tests.notices.worlds import switch_on
from tests.phone.worlds import make_morning, report, teller

DAY = dt.date(2026, 3, 3)


def at_a_door(
    country: str, zone: str, *policies: str, own: bool = False, product: str = "consumer_loan"
) -> Terms | None:
    ids = (uuid.uuid4(),) * 2 if own else (uuid.uuid4(), uuid.uuid4())
    given = {"code": "x", "kind": OrganisationKind.AGENCY, "policies": list(policies), "own_policies": []}
    organisations = {org_id: Organisation(id=org_id, **given) for org_id in ids}
    place = Place(id=uuid.uuid4(), kind=PlaceKind.HOME, zone=zone, country=country)
    debtor = Debtor(party="borrower")
    case = Case(org_id=ids[1], product=product, debtor=debtor)
    visit = Visit(org_id=ids[0], lender_id=ids[1], place=place, case=case, debtor=debtor)
    return terms_at(organisations, visit, DAY)


def noted(country: str, zone: str, *policies: str) -> DoorNote:
    return door_note(at_a_door(country, zone, *policies))


def test_what_binds_one_product_or_those_who_collect_for_others_binds_nobody_else() -> None:
    us, ph = ("US", "America/New_York", "us"), ("PH", "Asia/Manila", "ph-card")
    assert at_a_door(*us) is not None
    assert at_a_door(*us, own=True) is None
    assert at_a_door(*ph, product="credit_card") is not None
    assert at_a_door(*ph) is None


def test_a_note_in_britain_is_sealed() -> None:
    rules = noted("GB", "Europe/London", "gb")
    assert (rules.allowed, rules.sealed, rules.clause_ids) == (True, True, ("gb/notes/1",))
    assert [str(line) for line in rules.lines] == [
        "A note names no debt, no amount and no court, and poses as nothing else.",
        "Leave a note in a sealed envelope only.",
        "Never put a note up where others see it.",
    ]


def test_a_note_in_china_names_its_sender_and_is_put_up_nowhere() -> None:
    rules = noted("CN", "Asia/Shanghai", "cn")
    assert (rules.sealed, rules.identify_sender, rules.no_public_posting) == (False, True, True)


def test_without_a_rule_a_note_may_be_left_and_still_tells_no_debt() -> None:
    rules = noted("FI", "Europe/Helsinki", "house")
    assert (rules.allowed, len(rules.lines)) == (True, 1)


@pytest.mark.parametrize(
    ("allowed", "sealed", "left", "flagged"),
    [
        (False, False, [True], NoteBreach.NOT_ALLOWED),
        (True, True, [True, False], NoteBreach.NOT_SEALED),
        (True, True, [True], None),
        (False, True, [], None),
        (True, False, [False], None),
    ],
)
def test_what_was_left_is_held_against_it(
    allowed: bool, sealed: bool, left: list[bool], flagged: NoteBreach | None
) -> None:
    said = {"identify_sender": False, "no_public_posting": False, "clause_ids": ("x/notes/1",)}
    rules = DoorNote(allowed=allowed, sealed=sealed, **said)  # type: ignore[arg-type]  # its other fields
    assert breaches(rules, left) == ([flagged] if flagged else [])


def test_a_note_that_was_left_open_is_flagged_in_the_visits_history(sessions: sessionmaker[Session]) -> None:
    morning = make_morning(sessions)
    sealed = '[notes]\nid = "contract/notes/1"\nallowed = true\nsealed = true\nsource = "x"\nconfidence = "house"\n'
    switch_on(sessions, morning.world.agency, sealed)
    door = DoorDraft(notes_left=(NoteLeft(form=NoteForm.CARD, sealed=False),))
    with acting_for(sessions, morning.world.agency) as session:
        report_visit(session, morning.visit, report(door=door), by=teller(morning.ilta), now=NOW)
        flagged = session.scalars(sa.select(VisitEvent.detail).where(VisitEvent.kind == "note_flagged")).one()
    assert flagged == {"codes": ["not_sealed"], "clause_ids": ["contract@pohjola-field/notes/1"]}
