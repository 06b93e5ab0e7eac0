"""A notice in its very words: a template filled with what is known, or the product's own words where there is none."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time
from babel.numbers import format_currency, get_currency_precision

from fieldvisit.compliance.inquiry import joined
from fieldvisit.compliance.intervals import Interval
from fieldvisit.compliance.parameters import NoticeAbout
from fieldvisit.errors import FieldVisitError, Kind
from fieldvisit.languages import LANGUAGES, Message, best_language, say
from fieldvisit.models import Case, Debtor, NoticeTemplate, Organisation, Visit
from fieldvisit.notices.placeholders import placeholders
from fieldvisit.notices.templates import words_of
from fieldvisit.notices.wording import OPEN, offending
from fieldvisit.vocabulary import Channel, VisitOutcome

CALLED_OFF_SUBJECT = Message("Your appointment on {date} is called off")
CALLED_OFF = Message(
    "Nobody will come on {date} between {from_time} and {until_time}, as we had told you. You need not do anything. "
    "{organisation} {organisation_phone}"
)
"""Said where the sender has no words of its own for it: a debtor must not wait for nobody."""
MISSED_SUBJECT = Message("Your appointment on {date} did not take place")
MISSED = Message(
    "Nobody came on {date} between {from_time} and {until_time}, as we had told you. We are sorry that you waited. "
    "You need not do anything. {organisation} {organisation_phone}"
)
"""Said afterwards, where that became known too late; never of why."""


OUTCOMES: Mapping[VisitOutcome, Message] = {
    VisitOutcome.MET_DEBTOR: Message("we talked with each other"),
    VisitOutcome.REFUSED: Message("you did not want to talk"),
}
"""What came of a visit, said to whoever was met; the words of the office would tell of a debt."""


class NoticeReveals(FieldVisitError):
    """Filled with what is known, the text says what the template by itself does not: the name of a firm, say."""

    code, kind = "notice_reveals", Kind.CONFLICT
    says = "Written out, the notice would say: {phrases}."


@dataclass(frozen=True, kw_only=True)
class Written:
    subject: str | None
    body: str


@dataclass(frozen=True, kw_only=True)
class Known:
    """What a notice can name. `announced`: the hours of a visit; `agency`: to whom a case was given."""

    sender: Organisation
    lender: Organisation
    case: Case
    debtor: Debtor
    zone: str
    agency: Organisation | None = None
    visit: Visit | None = None
    announced: Interval | None = None
    held_on: dt.date | None = None


def write(template: NoticeTemplate, known: Known) -> Written:
    """The template filled. Raises NoticeReveals where that says what may not be read along."""
    values = values_of(known, template.language)
    body = "\n\n".join(passage["text"].format_map(values) for passage in template.passages)
    subject = template.subject.format_map(values) if template.subject is not None else None
    found = offending(body, is_open=template.channel in OPEN) + offending(subject or "", is_open=True)
    if found:
        phrases = {each.phrase: words_of(each) for each in found}
        raise NoticeReveals(phrases=joined(list(phrases.values()), ", "))
    return Written(subject=subject, body=body)


def write_called_off(channel: Channel, language: str, known: Known) -> Written:
    """That nobody comes, in the product's own words."""
    return _said(CALLED_OFF_SUBJECT, CALLED_OFF, channel, values_of(known, language), language=language)


def write_missed(channel: Channel, language: str, known: Known) -> Written:
    """That nobody came, in the product's own words."""
    return _said(MISSED_SUBJECT, MISSED, channel, values_of(known, language), language=language)


def _said(subject: Message, body: Message, channel: Channel, values: Mapping[str, str], *, language: str) -> Written:
    title = None if channel in OPEN else say(Message(subject.text, values), language)
    return Written(subject=title, body=say(Message(body.text, values), language).strip())


def language_of(debtor: Debtor, wanted: str | None = None) -> str:
    """In which of the languages that there are one writes to the debtor."""
    return wanted if wanted in LANGUAGES else best_language(debtor.language)


def values_of(known: Known, language: str) -> dict[str, str]:
    """Each placeholder as it reads in that language."""
    case, visit = known.case, known.visit
    came = OUTCOMES.get(visit.outcome) if visit and visit.outcome else None
    values = {
        "debtor_name": known.debtor.name,
        "organisation": known.sender.name,
        "organisation_phone": known.sender.debtor_phone or "",
        "lender": known.lender.name,
        "lender_phone": known.lender.debtor_phone or "",
        "amount": _money(case.total_minor, case.currency, language),
        "amount_as_of": _date(case.as_of_on, language),
        "days_past_due": str(case.days_past_due),
        "due_on": _date(case.due_on, language),
        "visit_reference": visit.reference if visit else "",
        "outcome": say(came, language) if came else "",
    }
    if known.agency is not None:
        values |= {"agency": known.agency.name, "agency_phone": known.agency.debtor_phone or ""}
    if known.announced is not None:
        begins, ends = (
            at.astimezone(ZoneInfo(known.zone)) for at in (known.announced.begins_at, known.announced.ends_at)
        )
        values |= {
            "date": _date(begins.date(), language),
            "from_time": format_time(begins.time(), "short", locale=language),
            "until_time": format_time(ends.time(), "short", locale=language),
        }
    elif known.held_on is not None:
        values["date"] = _date(known.held_on, language)
    return values


def missing_values(template: NoticeTemplate, known: Known) -> list[str]:
    """The placeholders of the template for which nothing is known: an agency without a telephone number, say."""
    values = values_of(known, template.language)
    texts = [*(passage["text"] for passage in template.passages), template.subject or ""]
    return sorted(name for text in texts for name in placeholders(text) if not values.get(name))


def is_about_visit(about: NoticeAbout) -> bool:
    return about in (NoticeAbout.VISIT, NoticeAbout.RESULT, NoticeAbout.CALLED_OFF)


def _date(day: dt.date, language: str) -> str:
    return format_date(day, "full", locale=language)


def _money(minor: int, currency: str, language: str) -> str:
    return format_currency(Decimal(minor).scaleb(-get_currency_precision(currency)), currency, locale=language)
