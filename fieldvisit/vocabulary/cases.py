"""Debtors, their cases and places, and what a debtor asks of us."""

from enum import StrEnum


class DebtorParty(StrEnum):
    BORROWER = "borrower"
    GUARANTOR = "guarantor"


class CaseStage(StrEnum):
    REMIND = "remind"
    PHONE = "phone"
    LETTER = "letter"
    VISIT = "visit"
    LEGAL = "legal"
    CLOSED = "closed"


class PlaceKind(StrEnum):
    HOME = "home"
    WORK = "work"
    CHOSEN = "chosen"
    HOSPITAL = "hospital"
    SCHOOL = "school"
    PUBLIC = "public"


class PointSource(StrEnum):
    """How the point of a place was found."""

    GIVEN = "given"
    GEOCODED = "geocoded"
    NONE = "none"


class Datum(StrEnum):
    """The geodetic datum in which a coordinate was given. Stored coordinates are WGS-84, always."""

    WGS84 = "wgs84"
    GCJ02 = "gcj02"
    BD09 = "bd09"


class DebtorRequestKind(StrEnum):
    """What a debtor asks for about their own data."""

    EXPORT = "export"
    CORRECTION = "correction"
    ERASURE = "erasure"


class DebtorRequestState(StrEnum):
    OPEN = "open"
    DONE = "done"
    REFUSED = "refused"


class ProposalState(StrEnum):
    """What became of contact data that were heard at a door."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REFUSED = "refused"
