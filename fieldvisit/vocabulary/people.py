"""Who there is: organisations, roles, and the papers people carry."""

from enum import StrEnum


class OrganisationKind(StrEnum):
    LENDER = "lender"
    AGENCY = "agency"


class Role(StrEnum):
    VISITOR = "visitor"
    DISPATCHER = "dispatcher"
    SAFETY_OFFICER = "safety_officer"
    SUPERVISOR = "supervisor"
    AUDITOR = "auditor"
    INTEGRATOR = "integrator"
    ADMIN = "admin"
    PRIVACY_OFFICER = "privacy_officer"


class CredentialKind(StrEnum):
    BADGE = "badge"
    ID_CARD = "id_card"
    AUTHORISATION_LETTER = "authorisation_letter"
    NOTICE_COPY = "notice_copy"
    LICENCE = "licence"
    APPROVAL_LETTER = "approval_letter"
    CERTIFICATE = "certificate"


class CheckMoment(StrEnum):
    """When a policy decision or a credential check was made."""

    ELIGIBLE = "eligible"
    PLANNING = "planning"
    PUBLISHING = "publishing"
    DOOR = "door"
    DEBTOR = "debtor"


class LookupResult(StrEnum):
    """What the page behind a visitor's code said. `forged`: it names one of ours, and was not signed by us; whoever
    looked it up was told that it is unknown."""

    CONFIRMED = "confirmed"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    FORGED = "forged"
    UNKNOWN = "unknown"


class ReminderRecipient(StrEnum):
    """Who is reminded that a paper runs out: whose it is, and the office that has to see to it."""

    HOLDER = "holder"
    OFFICE = "office"
