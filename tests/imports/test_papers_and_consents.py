"""Files of papers and of consents: for which case, and what was taken back; what a file does not say stays."""

import uuid

import sqlalchemy as sa

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.languages import say
from fieldvisit.models import Case, Consent, Credential
from fieldvisit.vocabulary import OrganisationKind
from tests.imports.files import CASE, CONSENT, CREDENTIAL, VISITOR, Office
from tests.worlds import make_organisation


def scope(agency: Office) -> tuple[bool, str | None]:
    """Whether the paper is for one lender, and for which case."""
    with acting_for_all(agency.sessions) as session:
        paper = session.scalars(sa.select(Credential)).one()
        case = session.get(Case, paper.for_case_id) if paper.for_case_id else None
        return paper.for_org_id is not None, case.external_id if case else None


def test_a_paper_is_for_one_case_until_a_file_says_otherwise(lender: Office, agency: Office) -> None:
    lender.load("cases", CASE, CASE | {"case_id": "C-2"})
    agency.load("visitors", VISITOR)
    assert agency.load("credentials", CREDENTIAL | {"for_case": "C-1"}).added == 1
    assert scope(agency) == (True, "C-1")
    silent = {name: cell for name, cell in CREDENTIAL.items() if not name.startswith("for_")}
    assert agency.load("credentials", silent).unchanged == 1
    assert agency.load("credentials", silent | {"for_case": "C-2"}).changed == 1
    assert scope(agency) == (True, "C-2")
    assert agency.load("credentials", CREDENTIAL | {"for_organisation": "", "for_case": ""}).changed == 1
    assert scope(agency) == (False, None)


def test_a_case_that_two_lenders_have_is_told_apart_by_its_lender(lender: Office, agency: Office) -> None:
    lender.load("cases", CASE)
    other = Office(lender.sessions, another_lender(lender), lender.folder)
    other.load("cases", CASE)
    agency.load("visitors", VISITOR)
    unclear = agency.load("credentials", CREDENTIAL | {"for_organisation": "", "for_case": "C-1"})
    assert [(fault.line, fault.column, say(fault.reason, "zh_CN")) for fault in unclear.faults] == [
        (2, "for_case", "多家机构都有此案件：请在 for_organisation 中注明是哪一家")
    ]
    assert agency.load("credentials", CREDENTIAL | {"for_case": "C-1"}).added == 1


def another_lender(lender: Office) -> uuid.UUID:
    with acting_for_all(lender.sessions) as session:
        return make_organisation(session, code="polar-lend", kind=OrganisationKind.LENDER).id


def test_what_was_taken_back_elsewhere_is_taken_back_here_and_stays_so(lender: Office) -> None:
    lender.load("cases", CASE)
    assert lender.load("consents", CONSENT).added == 1
    silent = {name: cell for name, cell in CONSENT.items() if name != "withdrawn"}
    assert lender.load("consents", silent).unchanged == 1
    assert lender.load("consents", silent | {"until": "19:00"}).refused == 1
    assert lender.load("consents", CONSENT | {"withdrawn": "yes"}).changed == 1
    assert lender.load("consents", CONSENT | {"withdrawn": "是"}).unchanged == 1
    (fault,) = lender.load("consents", CONSENT).faults
    assert (fault.column, fault.value) == ("withdrawn", "no")
    with acting_for(lender.sessions, lender.org_id) as session:
        kept = session.scalars(sa.select(Consent)).one()
        assert (kept.revoked_at is not None, kept.origin, kept.place_id is not None) == (True, "file", True)
        assert (kept.from_time is not None, kept.days, kept.contents) == (True, ["sat"], ["date", "time"])
