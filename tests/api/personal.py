"""Which fields of an answer tell something of a debtor: found by the tables that hang on one, not by a list."""

from collections.abc import Iterator, Mapping

import sqlalchemy as sa
from marshmallow import Schema, fields

from fieldvisit.models import Base
from fieldvisit.sealing import Sealed

LINKS = {"debtor_id", "case_id", "visit_id", "report_id"}
ROOTS = {"debtors", "cases", "visits"}
OTHERWISE = {"lat", "lon", "days_past_due", "point", "address", "other_address", "amounts", "debtor_name"}
"""What is told unsealed, or under another name than in the tables: where somebody lives, how late they are."""
NO_DEBTORS: Mapping[str, str] = {
    "AccessOut": "why somebody looked, for those who answer for that",
    "AccountOut": "one's own people",
    "AreaOut": "an office",
    "AtRiskOut": "one's own people",
    "AssessedChoiceOut": "an answer that may be chosen",
    "AssessedQuestionOut": "a question before any visit",
    "AttemptOutcomeOut": "what is wrong with a row",
    "BrokenRuleOut": "a rule of planning",
    "CashClosingOut": "the cash of an office",
    "ChoosableOut": "a question of a form",
    "ClauseOut": "a clause of a policy",
    "ContactOut": "where an officer is reached",
    "CrewMateOut": "one's own people",
    "CrewMemberOut": "one's own people",
    "DepositOut": "the cash that a visitor carries",
    "DeviceOut": "a telephone",
    "DueOut": "a code",
    "DutyOut": "one's own people",
    "EligibilityOut": "which clauses are in the way, and ids",
    "EventResultOut": "what became of the phone's own event",
    "ExternalLineOut": "a number outside of the house",
    "FailureOut": "why a plan failed",
    "FaultOut": "what is wrong with the caller's own value",
    "HeldEventOut": "a code",
    "HomeOut": "why somebody stays at home",
    "LookOut": "one's own people",
    "LookupOut": "a hash of a network, and a code",
    "MarkerFileOut": "who read it is kept beside the marker itself",
    "NoticeServiceOut": "a service",
    "NoticeTemplateOut": "a text for everybody",
    "OrganisationOut": "an organisation",
    "OverrideOut": "why a clause was let go, of a visit by its id",
    "PaperFaultOut": "what is wrong with a paper of one's own",
    "PassageOut": "a text for everybody",
    "PolicyClauseOut": "a clause of a policy",
    "PurgeOut": "why a purge was run",
    "PutInOut": "what a plan did",
    "QuestionOut": "a question of a form",
    "RejudgingOut": "a code",
    "RemedyOut": "what would help a plan",
    "ReminderOut": "a code",
    "SafetyRulesOut": "why the rules of safety were changed",
    "TimersOut": "why the timers were changed",
    "ToShowOut": "which papers are shown",
    "UndoneOut": "a rule of crews",
    "UnservedOut": "a code",
    "VisitOut": "ids of attempts",
    "VisitorOut": "one's own people",
    "WaitingOut": "a code",
    "WarningOut": "who read it is kept beside the marker itself",
}
"""Answers whose fields are called like a debtor's, and are none; and why not."""


def personal_names() -> set[str]:
    """Every sealed column, amount and coordinate of the tables that hang on a debtor, a case or a visit."""
    found = set(OTHERWISE)
    for table in Base.metadata.sorted_tables:
        if table.name in ROOTS or LINKS & {column.name for column in table.columns}:
            found |= {column.name for column in table.columns if _is_personal(column)}
    return found


def personal_fields(answer: Schema) -> set[str]:
    """What this answer shows of a debtor, as `Schema.field`."""
    names = personal_names()
    return {f"{schema}.{name}" for schema, name in _leaves(answer) if name in names and schema not in NO_DEBTORS}


def schemas_in(answer: Schema) -> set[str]:
    """The names of the schemas that an answer is made of."""
    return {schema for schema, _ in _leaves(answer)}


def _leaves(schema: Schema) -> Iterator[tuple[str, str]]:
    for name, field in schema.dump_fields.items():
        inner = field
        while isinstance(inner, fields.List):
            inner = inner.inner
        if isinstance(inner, fields.Nested):
            yield from _leaves(inner.schema)
        yield type(schema).__name__, name


def _is_personal(column: sa.Column[object]) -> bool:
    return isinstance(column.type, Sealed) or column.name.endswith("_minor") or column.name in OTHERWISE
