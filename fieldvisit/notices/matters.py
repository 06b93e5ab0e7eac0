"""What a notice is about, what the policies ask of it, and by which text and way it can be given."""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.conduct_rules import NoticeRule
from fieldvisit.compliance.counting import full_for_notices
from fieldvisit.compliance.facts import Facts
from fieldvisit.compliance.intervals import Interval
from fieldvisit.compliance.merging import terms_for
from fieldvisit.compliance.notices import contents_of, written
from fieldvisit.compliance.parameters import NoticeAbout
from fieldvisit.compliance.policy import Policy
from fieldvisit.compliance.wallclock import local_day
from fieldvisit.contacts import KIND_BY_CHANNEL
from fieldvisit.decisions import organisations_by_id
from fieldvisit.errors import FieldVisitError, Kind
from fieldvisit.facts import Subject, facts_of
from fieldvisit.models import Case, ContactPoint, NoticeTemplate, Organisation, Place, Visit
from fieldvisit.notice_rules import notice_rules
from fieldvisit.notices.templates import CHANNELS, DEMANDS, WRITTEN, templates_in_use, threats_in
from fieldvisit.notices.writing import Known, language_of
from fieldvisit.policies import policies_of
from fieldvisit.vocabulary import BlockScope, BlockTrigger, Channel, PlaceKind


class NoTemplateFits(FieldVisitError):
    """The details say which contents the text would have to name."""

    code, kind = "no_template_fits", Kind.CONFLICT
    says = (
        "No template in use fits this notice ({about}): none names all that the policies demand in a form they accept."
    )


class NoAddressOnFile(FieldVisitError):
    code, kind = "no_address_on_file", Kind.CONFLICT
    says = "The debtor has no address on file for: {channels}."


class NoticeBlocked(FieldVisitError):
    """A reason not to contact the debtor by this channel holds."""

    code, kind = "notice_blocked", Kind.CONFLICT
    says = "The debtor may not be contacted this way: {trigger}."


@dataclass(frozen=True, kw_only=True)
class Matter:
    """One notice before it is written. `rules`: those of the policies that ask for it. `threatless`: it is a demand,
    and a policy lets none threaten a visit."""

    about: NoticeAbout
    sender: Organisation
    lender: Organisation
    case: Case
    place: Place
    facts: Facts
    policies: tuple[Policy, ...]
    rules: tuple[NoticeRule, ...] = ()
    threatless: bool = False
    visit: Visit | None = None
    announced: Interval | None = None
    agency: Organisation | None = None
    held_on: dt.date | None = None

    @property
    def known(self) -> Known:
        return Known(
            sender=self.sender,
            lender=self.lender,
            case=self.case,
            debtor=self.case.debtor,
            zone=self.place.zone,
            agency=self.agency,
            visit=self.visit,
            announced=self.announced,
            held_on=self.held_on,
        )


@dataclass(frozen=True)
class Way:
    """By which channel to which address on file."""

    channel: Channel
    contact_point_id: uuid.UUID | None = None
    place_id: uuid.UUID | None = None


def matter_of(
    session: Session,
    about: NoticeAbout,
    case: Case,
    *,
    sender: Organisation,
    now: dt.datetime,
    visit: Visit | None = None,
) -> Matter:
    """The matter with the facts and policies it rests on. The place is the visit's, or the debtor's home."""
    place = visit.place if visit is not None else _home(session, case)
    lender = organisations_by_id(session, [case.org_id])[case.org_id]
    subject = Subject(case, place, None if visit is None else visit.id, sender.id)
    (facts,) = facts_of(session, [subject], now)
    return Matter(
        about=about,
        sender=sender,
        lender=lender,
        case=case,
        place=place,
        facts=facts,
        policies=policies_of((sender, lender)),
        visit=visit,
    )


def asked_about(matter: Matter, on: dt.date) -> Matter:
    """The matter with the rules that bind at its place on that date and ask for a notice of its kind."""
    terms = terms_for(matter.policies, matter.facts.place, on, scope=matter.facts.scope)
    rules = terms.notices if terms else ()
    asked = tuple(rule for rule in rules if rule.about is matter.about and rule.binds)
    plain = any(rule.binds and rule.no_visit_threat for rule in (terms.demands if terms else ()))
    return replace(matter, rules=asked, threatless=plain and matter.about in DEMANDS)


def choose(
    session: Session, matter: Matter, *, channel: Channel | None = None, code: str | None = None
) -> tuple[NoticeTemplate, Way]:
    """The text and the way: what the policies accept, in the debtor's language if there is one, by mail before a letter
    before a text message. Raises NoTemplateFits and NoAddressOnFile."""
    used = notice_rules(session, matter.sender.id).channels
    fitting = [
        template
        for template in templates_in_use(session, matter.sender.id, matter.about)
        if _fits(template, matter.rules)
        and not (matter.threatless and threats_in((each["text"] for each in template.passages), template.subject))
        and template.channel in used
        and (channel is None or template.channel is channel)
        and (code is None or template.code == code)
    ]
    if not fitting:
        raise NoTemplateFits(about=matter.about, contents=sorted(contents_of(matter.rules)))
    language = language_of(matter.case.debtor)
    ways = ways_to(session, matter, {template.channel for template in fitting})
    reachable = [template for template in fitting if template.channel in ways]
    if not reachable:
        names = sorted({template.channel.value for template in fitting})
        raise NoAddressOnFile(channels=", ".join(names))
    order = (Channel.EMAIL, Channel.LETTER, Channel.SMS) if written(matter.rules) else CHANNELS
    best = min(reachable, key=lambda each: (each.language != language, order.index(each.channel)))
    return best, ways[best.channel]


def ways_to(session: Session, matter: Matter, channels: Iterable[Channel]) -> dict[Channel, Way]:
    """The latest address of the debtor that is on file for each of these channels."""
    wanted = set(channels)
    found = {}
    for channel in wanted & {Channel.EMAIL, Channel.SMS}:
        point_id = session.scalars(
            sa.select(ContactPoint.id)
            .where(ContactPoint.debtor_id == matter.case.debtor_id, ContactPoint.kind == KIND_BY_CHANNEL[channel])
            .order_by(ContactPoint.created_at.desc(), ContactPoint.id.desc())
            .limit(1)
        ).first()
        if point_id is not None:
            found[channel] = Way(channel, contact_point_id=point_id)
    if Channel.LETTER in wanted:
        found[Channel.LETTER] = Way(Channel.LETTER, place_id=_home(session, matter.case).id)
    return found


def stopped_by(matter: Matter, channel: Channel, now: dt.datetime) -> tuple[BlockTrigger, str] | None:
    """The contact block that forbids this channel now, as its trigger and id; None where none does."""
    terms = terms_for(matter.policies, matter.facts.place, local_day(now, matter.place.zone), scope=matter.facts.scope)
    for block in matter.facts.blocks:
        if block.lifted or block.since > now or (block.until is not None and block.until <= now):
            continue
        if block.case_id not in (None, matter.facts.case_id):
            continue
        rules = terms.stops if terms else ()
        effects = {rule.effect for rule in rules if rule.trigger is block.trigger and rule.binds}
        if BlockScope.ALL in effects | {block.scope} or (
            block.scope is BlockScope.CHANNEL and block.channel is channel
        ):
            return block.trigger, block.id
    return None


def without_room(matter: Matter, channel: Channel, now: dt.datetime) -> str | None:
    """The clause of the cap that leaves no room for a message by this channel today; None where there is room."""
    facts = matter.facts
    terms = terms_for(matter.policies, facts.place, local_day(now, matter.place.zone), scope=facts.scope)
    visit_id = str(matter.visit.id) if matter.visit is not None else None
    full = full_for_notices(terms, facts, channel, now=now, visit_id=visit_id) if terms else None
    return full.id if full else None


def _fits(template: NoticeTemplate, rules: Sequence[NoticeRule]) -> bool:
    named = {each.value for each in contents_of(rules)}
    return named <= set(template.contents) and (not written(rules) or template.channel in WRITTEN)


def _home(session: Session, case: Case) -> Place:
    """Where one writes to the debtor: home, else whatever is known first. Raises NoAddressOnFile."""
    query = sa.select(Place).where(Place.debtor_id == case.debtor_id).order_by(Place.kind != PlaceKind.HOME, Place.id)
    place = session.scalars(query.limit(1)).first()
    if place is None:
        raise NoAddressOnFile(channels=Channel.LETTER.value)
    return place
