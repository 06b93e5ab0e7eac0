"""A record says itself what is missing in it, and a spreadsheet that opens it runs nothing."""

import dataclasses
import datetime as dt
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.compliance.conduct_parameters import Recorded, RecordField
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.decisions import organisations_by_id
from fieldvisit.door_notes import terms_at
from fieldvisit.door_records import DoorDraft, MoneyTaken, RecordingMade
from fieldvisit.errors import InvalidValue
from fieldvisit.models import DoorRecord, Visit
from fieldvisit.own_policies import PolicyDraft, add_version
from fieldvisit.record_duties import RecordIncomplete, record_duties
from fieldvisit.record_exports import leaves, record_as_csv
from fieldvisit.reports import report_visit
from fieldvisit.visit_records import VisitRecord, read_record
from fieldvisit.vocabulary import RecordingGap, VisitOutcome
from tests.conftest import NOW
from tests.phone.worlds import Morning, report
from tests.reports.conftest import Tell
from tests.test_rejudging import HOUSE
from tests.worlds import TODAY

WANTED = """
[[record_fields]]
id = "house/record_fields/1"
fields = ["decision", "actual_times", "staff", "credentials_shown", "recording", "payment", "author"]
source = "ours"
confidence = "house"
"""
LEFT = NOW - dt.timedelta(minutes=1)


def record_of(sessions: sessionmaker[Session], morning: Morning) -> VisitRecord:
    with acting_for(sessions, morning.world.agency) as session:
        return read_record(session, morning.visit)


def test_a_record_names_what_the_policies_want_in_it_and_it_does_not_hold(
    sessions: sessionmaker[Session], morning: Morning, tell: Tell, at_the_door: None
) -> None:
    with acting_for(sessions, morning.world.agency) as session:
        draft = PolicyDraft(text=HOUSE.format(opens="08:00") + WANTED, effective_from=TODAY)
        add_version(session, morning.world.agency, draft, made_by_id=None, now=NOW)
    assert record_of(sessions, morning).content["missing"] == []
    # Whoever has to leave is asked for nothing; the record says what it lacks.
    tell(report_visit, report(VisitOutcome.UNSAFE))
    assert record_of(sessions, morning).content["missing"] == ["credentials_shown", "payment", "recording"]


def test_a_report_is_not_taken_without_what_the_record_has_to_hold_and_only_it_can_say(
    sessions: sessionmaker[Session], morning: Morning, tell: Tell, at_the_door: None
) -> None:
    with acting_for(sessions, morning.world.agency) as session:
        draft = PolicyDraft(text=HOUSE.format(opens="08:00") + WANTED, effective_from=TODAY)
        add_version(session, morning.world.agency, draft, made_by_id=None, now=NOW)
        visit = session.get_one(Visit, morning.visit)
        organisations = organisations_by_id(session, (visit.org_id, visit.lender_id))
        duties = record_duties(terms_at(organisations, visit, TODAY))
    assert [duty.field for duty in duties] == [RecordField.PAYMENT, RecordField.RECORDING]
    assert all(VisitOutcome.NOBODY in duty.outcomes and VisitOutcome.UNSAFE not in duty.outcomes for duty in duties)
    with pytest.raises(RecordIncomplete) as refused:
        tell(report_visit, report(VisitOutcome.NOBODY))
    assert refused.value.details["fields"] == [RecordField.PAYMENT, RecordField.RECORDING]
    (clause,) = refused.value.details["clause_ids"]
    assert clause == "house@pohjola-field/record_fields/1"
    with pytest.raises(RecordIncomplete) as refused:
        tell(report_visit, report(VisitOutcome.NOBODY, door=DoorDraft()))
    assert refused.value.details["said_in"] == [["door.recordings", "door.recording_gap"]]
    tell(report_visit, report(VisitOutcome.NOBODY, door=DoorDraft(recording_gap=RecordingGap.BATTERY)))
    assert record_of(sessions, morning).content["missing"] == ["credentials_shown"]


def test_what_the_phone_says_of_the_door_fills_the_record(
    sessions: sessionmaker[Session], morning: Morning, tell: Tell, at_the_door: None
) -> None:
    door = DoorDraft(recording_gap=RecordingGap.BATTERY, wishes="=cmd|' /C calc'!A0")
    tell(report_visit, report(VisitOutcome.NOBODY, door=door))
    record = record_of(sessions, morning)
    assert record.content["door"]["recording_gap"] == "battery"
    assert "door.wishes,'=cmd|' /C calc'!A0" in record_as_csv(record).splitlines()
    wide = dataclasses.replace(record, content={"case": "\uff1dHYPERLINK(1)", "row": ["\n@x", -5]})
    assert record_as_csv(wide).startswith("path,value\r\ncase,'\uff1dHYPERLINK(1)\r\nrow.0,\"'\n@x\"\r\nrow.1,-5\r\n")


@pytest.mark.parametrize("lead_first", [True, False])
def test_what_a_crew_mate_told_of_the_door_is_in_their_account(
    sessions: sessionmaker[Session], morning: Morning, tell: Tell, at_the_door: None, lead_first: bool
) -> None:
    leads = report(VisitOutcome.NOBODY, door=DoorDraft(recording_gap=RecordingGap.BATTERY))
    mates = report(VisitOutcome.NOBODY, door=DoorDraft(spoken_to="A neighbour."))
    told = [(leads, morning.ilta), (mates, morning.oona)]
    for draft, by in told if lead_first else reversed(told):
        tell(report_visit, draft, by=by)
    content = record_of(sessions, morning).content
    assert (content["door"]["recording_gap"], content["door"]["spoken_to"]) == ("battery", None)
    (account,) = content["report"]["additions"]
    assert "door.spoken_to: A neighbour." in account["text"].splitlines()


def test_a_phone_whose_clock_is_wrong_is_believed_in_the_order_of_things(
    sessions: sessionmaker[Session], morning: Morning, tell: Tell, at_the_door: None
) -> None:
    """It is an hour ahead, and says so by what it shows when it sends."""
    ahead = NOW + dt.timedelta(hours=1)
    door = DoorDraft(asked_to_leave_at=ahead - dt.timedelta(minutes=3))
    told = report(
        VisitOutcome.ASKED_TO_LEAVE, left_at=ahead - dt.timedelta(minutes=2), device_at=ahead, sent_at=ahead, door=door
    )
    tell(report_visit, told)
    with acting_for_all(sessions) as session:
        assert session.scalars(sa.select(DoorRecord.asked_to_leave_at)).one() == NOW - dt.timedelta(minutes=3)


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"asked_to_leave_at": NOW}, "door.asked_to_leave_at"),
        ({"complaint": " "}, "door.complaint"),
    ],
)
def test_a_door_that_cannot_have_been_so_is_refused(given: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        dataclasses.replace(report(VisitOutcome.NOBODY, left_at=LEFT), door=DoorDraft(**given))
    assert refused.value.details["path"] == path


def test_money_and_recordings_are_checked_when_made() -> None:
    with pytest.raises(InvalidValue):
        MoneyTaken(amount_minor=0, currency="EUR")
    times = {"from_at": LEFT, "until_at": NOW}
    with pytest.raises(InvalidValue):
        RecordingMade(recording_id=uuid.uuid4(), kind=Recorded.AUDIO, sha256="no hash", **times)
    with pytest.raises(InvalidValue):
        RecordingMade(recording_id=uuid.uuid4(), kind=Recorded.AUDIO, sha256="ab" * 32, from_at=NOW, until_at=LEFT)


def test_every_value_of_a_record_has_a_path_of_its_own() -> None:
    content = {"a": [{"b": 1}, {"b": None}], "c": [], "d": {"e": "x"}}
    assert dict(leaves(content)) == {"a.0.b": 1, "a.1.b": None, "c": [], "d.e": "x"}
