"""What a template may leave open, and what each thing that a policy wants named is named by."""

import string
from collections.abc import Mapping

from fieldvisit.compliance.parameters import NoticeAbout, NoticeContent

ALWAYS = frozenset({"debtor_name", "organisation", "organisation_phone", "lender", "lender_phone"})
"""Known of every notice. `organisation` is who sends it, `lender` whose case it is."""
OF_CASE = frozenset({"amount", "amount_as_of", "days_past_due", "due_on"})
OF_AGENCY = frozenset({"agency", "agency_phone"})
OF_VISIT = frozenset({"visit_reference", "date", "from_time", "until_time"})
OF_RESULT = frozenset({"visit_reference", "date", "outcome"})

KNOWN: Mapping[NoticeAbout, frozenset[str]] = {
    NoticeAbout.VISIT: ALWAYS | OF_CASE | OF_VISIT,
    NoticeAbout.ASSIGNMENT: ALWAYS | OF_CASE | OF_AGENCY,
    NoticeAbout.TRANSFER: ALWAYS | OF_CASE,
    NoticeAbout.START: ALWAYS | OF_CASE,
    NoticeAbout.RESULT: ALWAYS | OF_CASE | OF_RESULT,
    NoticeAbout.CALLED_OFF: ALWAYS | OF_VISIT,
    NoticeAbout.DOOR_NOTE: ALWAYS | {"visit_reference"},
}
REVEALING = OF_CASE
"""Placeholders that tell of a debt: never where others read along."""
NAMED_BY: Mapping[NoticeContent, frozenset[str]] = {
    NoticeContent.DATE: frozenset({"date"}),
    NoticeContent.TIME: frozenset({"from_time", "until_time"}),
    NoticeContent.AGENCY_NAME: frozenset({"agency"}),
    NoticeContent.AGENCY_CONTACT: frozenset({"agency_phone"}),
    NoticeContent.LENDER_CONTACT: frozenset({"lender_phone"}),
    NoticeContent.AMOUNT: frozenset({"amount"}),
    NoticeContent.TIME_IN_DEFAULT: frozenset({"days_past_due"}),
}
"""What has a value of its own is named by it. The rest (a purpose, a right, a branch) are words of the passage."""
NEEDED: Mapping[NoticeAbout, frozenset[str]] = {
    NoticeAbout.VISIT: frozenset({"organisation", "date", "from_time", "until_time"}),
    NoticeAbout.CALLED_OFF: frozenset({"organisation", "date"}),
}
"""Without these a notice of the kind says nothing, whatever a policy asks for."""
SENDER = frozenset({"organisation"})
"""Everybody may know who writes to them."""


class Unreadable(ValueError):
    """A brace that is no placeholder, or a placeholder that asks for more than its value."""


def placeholders(text: str) -> set[str]:
    """The names in braces. Raises Unreadable: `str.format` would reach into whatever it is given."""
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError as error:
        raise Unreadable(text) from error
    found = set()
    for _, name, form, conversion in parts:
        if name is None:
            continue
        if not name.isidentifier() or form or conversion:
            raise Unreadable(name)
        found.add(name)
    return found
