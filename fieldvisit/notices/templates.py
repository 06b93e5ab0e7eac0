"""Templates of notices: saved only where they name all that the policies demand and nothing that they forbid.

A version is never changed; the next one takes its place, and a withdrawn one is used no more.
"""

import datetime as dt
import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.conduct_rules import DemandRule, NoticeRule
from fieldvisit.compliance.inquiry import joined
from fieldvisit.compliance.parameters import NoticeAbout, NoticeContent, NoticeForm, PolicyStatus
from fieldvisit.compliance.policy import Policy
from fieldvisit.drafts import acting_organisation, check_text
from fieldvisit.errors import FieldVisitError, InvalidValue, Kind, NotFound
from fieldvisit.languages import LANGUAGES, Message
from fieldvisit.models import NoticeTemplate
from fieldvisit.notices.placeholders import KNOWN, NAMED_BY, NEEDED, REVEALING, SENDER, Unreadable, placeholders
from fieldvisit.notices.wording import OPEN, Offending, offending, visit_threats
from fieldvisit.policies import policies_of
from fieldvisit.vocabulary import Channel

CHANNELS = (Channel.EMAIL, Channel.SMS, Channel.LETTER)
"""By which a notice is given; a note is left at a door by a visit alone."""
WRITTEN = (Channel.EMAIL, Channel.LETTER)
DEMANDS = frozenset(
    {NoticeAbout.ASSIGNMENT, NoticeAbout.TRANSFER, NoticeAbout.START, NoticeAbout.RESULT, NoticeAbout.DOOR_NOTE}
)
"""What asks for money, or stands for asking. A visit that is announced is no threat, nor one that is called off."""
LONGEST_PASSAGE, LONGEST_SUBJECT = 4_000, 200
_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
TURNS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Signs by which a word is read from its other end. Neither language needs any."""
LAYOUT = str.maketrans("\n\r\t", "   ")


class NoticeLacksContents(FieldVisitError):
    """The details name what is missing, and the clauses that demand it."""

    code, kind = "notice_lacks_contents", Kind.INVALID
    says = "The notice has to name: {missing}. Demanded by: {clause_ids}."


class NoticeWordsRefused(FieldVisitError):
    """The details carry every phrase as it stands in the text, and why it may not."""

    code, kind = "notice_words_refused", Kind.INVALID
    says = "The notice may not say: {phrases}."


class NoticeFormTooWeak(FieldVisitError):
    code, kind = "notice_form_too_weak", Kind.INVALID
    says = "A policy demands a written notice ({clause_ids}); this channel gives none."


class TemplateWithdrawn(FieldVisitError):
    code, kind = "template_withdrawn", Kind.CONFLICT
    says = "This version of the template was withdrawn."


@dataclass(frozen=True, kw_only=True)
class Passage:
    """One part of a text; `names` is the thing of a policy's list that it names, if it is there for one."""

    text: str
    names: NoticeContent | None = None


@dataclass(frozen=True, kw_only=True)
class TemplateDraft:
    """A text for one purpose, channel and language. `policies`: the policies that it is for; none named means every one
    of the organisation's."""

    code: str
    about: NoticeAbout
    channel: Channel
    language: str
    passages: tuple[Passage, ...]
    subject: str | None = None
    policies: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _CODE.fullmatch(self.code):
            raise InvalidValue(path="code", reason="must be made of small letters, digits and hyphens")
        if self.language not in LANGUAGES:
            raise InvalidValue(path="language", reason="must be en or zh-CN")
        by = (Channel.VISIT,) if self.about is NoticeAbout.DOOR_NOTE else CHANNELS
        if self.channel not in by:
            raise InvalidValue(path="channel", reason="is no way by which this is told")
        if not self.passages:
            raise InvalidValue(path="passages", reason="is empty, but needed")
        for passage in self.passages:
            if TURNS & set(passage.text + (self.subject or "")):
                raise InvalidValue(path="passages", reason="holds a sign that turns the direction of reading")
            check_text("passages", passage.text.translate(LAYOUT), longest=LONGEST_PASSAGE)
        if (self.subject is not None) != (self.channel is not Channel.SMS and self.channel is not Channel.VISIT):
            raise InvalidValue(path="subject", reason="is given for letters and mail, and for them alone")
        if self.subject is not None:
            check_text("subject", self.subject, longest=LONGEST_SUBJECT)
        self._demand_readable()

    @property
    def contents(self) -> frozenset[NoticeContent]:
        return frozenset(passage.names for passage in self.passages if passage.names is not None)

    @property
    def is_open(self) -> bool:
        return self.channel in OPEN

    def _demand_readable(self) -> None:
        known, found = KNOWN[self.about], set[str]()
        for passage in self.passages:
            names = _placeholders("passages", passage.text)
            wanted = NAMED_BY.get(passage.names, frozenset()) if passage.names else frozenset[str]()
            if not wanted <= names:
                missing = ", ".join(f"{{{name}}}" for name in sorted(wanted - names))
                reason = Message(
                    "a passage that names {what} needs {missing}", {"what": passage.names, "missing": missing}
                )
                raise InvalidValue(path="passages", reason=reason)
            found |= names
        for name in sorted((found | _placeholders("subject", self.subject or "")) - known):
            raise InvalidValue(path="passages", reason=Message("knows no placeholder {name}", {"name": f"{{{name}}}"}))
        for name in sorted((NEEDED.get(self.about, SENDER)) - found):
            raise InvalidValue(path="passages", reason=Message("needs the placeholder {name}", {"name": f"{{{name}}}"}))


def save_template(
    session: Session, draft: TemplateDraft, *, made_by_id: uuid.UUID | None, now: dt.datetime
) -> NoticeTemplate:
    """Save the next version of the template. Raises NoticeLacksContents, NoticeFormTooWeak, NoticeWordsRefused, and
    InvalidValue where its line of versions was about something else."""
    organisation = acting_organisation(session)
    policies = _policies_for(draft, policies_of((organisation,)), now.date())
    demand_contents(draft.contents, rules_about(draft.about, policies), channel=draft.channel)
    demand_words(draft)
    demand_no_visit_threat(draft, demand_rules(policies))
    earlier = session.scalars(
        sa.select(NoticeTemplate)
        .where(NoticeTemplate.org_id == organisation.id, NoticeTemplate.code == draft.code)
        .order_by(NoticeTemplate.version.desc())
        .limit(1)
    ).first()
    for name in ("about", "channel", "language"):
        if earlier is not None and getattr(earlier, name) != getattr(draft, name):
            raise InvalidValue(path=name, reason="differs from the earlier versions of this template")
    row = NoticeTemplate(
        org_id=organisation.id,
        code=draft.code,
        version=1 if earlier is None else earlier.version + 1,
        about=draft.about,
        channel=draft.channel,
        language=draft.language,
        subject=draft.subject,
        passages=[{"text": each.text, "names": each.names.value if each.names else None} for each in draft.passages],
        contents=sorted(each.value for each in draft.contents),
        policies=sorted({policy.id for policy in policies}),
        made_by_id=made_by_id,
    )
    session.add(row)
    session.flush()
    return row


def withdraw_template(session: Session, template_id: uuid.UUID, *, now: dt.datetime) -> NoticeTemplate:
    """Use this version no more; an earlier one of its line is not brought back. Raises NotFound, TemplateWithdrawn."""
    row = session.scalars(
        sa.select(NoticeTemplate).where(NoticeTemplate.id == template_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound(what="notice template", id=template_id)
    if row.withdrawn_at is not None:
        raise TemplateWithdrawn()
    row.withdrawn_at = now
    session.flush()
    return row


def templates_of(org_id: uuid.UUID, *, about: NoticeAbout | None = None) -> sa.Select[NoticeTemplate]:
    """Every version, withdrawn ones too; the caller states the order."""
    query = sa.select(NoticeTemplate).where(NoticeTemplate.org_id == org_id)
    return query if about is None else query.where(NoticeTemplate.about == about)


def newest_of(org_id: uuid.UUID, code: str) -> sa.Select[uuid.UUID]:
    """The id of the latest version of this line."""
    line = templates_of(org_id).where(NoticeTemplate.code == code)
    return line.with_only_columns(NoticeTemplate.id).order_by(NoticeTemplate.version.desc()).limit(1)


def templates_in_use(session: Session, org_id: uuid.UUID, about: NoticeAbout) -> Sequence[NoticeTemplate]:
    """The latest version of each line, where it is not withdrawn, the newest first."""
    latest = (
        sa.select(NoticeTemplate.code, sa.func.max(NoticeTemplate.version))
        .where(NoticeTemplate.org_id == org_id)
        .group_by(NoticeTemplate.code)
    )
    return session.scalars(
        sa.select(NoticeTemplate)
        .where(
            NoticeTemplate.org_id == org_id,
            NoticeTemplate.about == about,
            NoticeTemplate.withdrawn_at.is_(None),
            sa.tuple_(NoticeTemplate.code, NoticeTemplate.version).in_(latest),
        )
        .order_by(NoticeTemplate.created_at.desc(), NoticeTemplate.id)
    ).all()


def rules_about(about: NoticeAbout, policies: Iterable[Policy]) -> list[NoticeRule]:
    """The rules of these policies that bind and ask for a notice of this kind."""
    return [rule for policy in policies for rule in policy.notices if rule.about is about and rule.binds]


def demand_contents(contents: frozenset[NoticeContent], rules: Sequence[NoticeRule], *, channel: Channel) -> None:
    """Raise where a notice that names these things, given by this channel, is not what the rules ask for."""
    weak = [rule.id for rule in rules if rule.form is NoticeForm.WRITTEN and channel not in WRITTEN]
    if weak:
        raise NoticeFormTooWeak(clause_ids=", ".join(weak))
    lacking = [rule for rule in rules if not rule.contents <= contents]
    if lacking:
        missing = sorted(frozenset[NoticeContent]().union(*(rule.contents for rule in lacking)) - contents)
        raise NoticeLacksContents(missing=joined(missing, ", "), clause_ids=", ".join(rule.id for rule in lacking))


def demand_words(draft: TemplateDraft) -> None:
    """Raise NoticeWordsRefused for what may not be said, with each phrase."""
    # As they are read: what one passage begins another may end.
    found = offending(_bare("\n\n".join(passage.text for passage in draft.passages)), is_open=draft.is_open)
    found += offending(_bare(draft.subject or ""), is_open=True)
    spoken = [words_of(each) for each in found]
    read_along = [passage.text for passage in draft.passages] if draft.is_open else []
    for text in [*read_along, draft.subject or ""]:
        for name in sorted(placeholders(text) & REVEALING):
            spoken.append(Message("“{phrase}” (it tells of a debt where others read along)", {"phrase": f"{{{name}}}"}))
    if spoken:
        raise NoticeWordsRefused(phrases=joined(spoken, ", "))


def demand_rules(policies: Iterable[Policy]) -> list[DemandRule]:
    """The rules of these policies that bind and let no demand threaten a visit."""
    rules = (policy.demands for policy in policies)
    return [rule for rule in rules if rule is not None and rule.binds and rule.no_visit_threat]


def demand_no_visit_threat(draft: TemplateDraft, rules: Sequence[DemandRule]) -> None:
    """Raise NoticeWordsRefused where a demand says that somebody will come, with each phrase and the clauses."""
    if not rules or draft.about not in DEMANDS:
        return
    texts = (passage.text for passage in draft.passages)
    clause_ids = ", ".join(rule.id for rule in rules)
    spoken = [
        Message("“{phrase}” ({offence}: {clause_ids})", {**vars(found), "clause_ids": clause_ids})
        for found in threats_in(texts, draft.subject)
    ]
    if spoken:
        raise NoticeWordsRefused(phrases=joined(spoken, ", "))


def threats_in(texts: Iterable[str], subject: str | None) -> list[Offending]:
    """Every phrase of these passages, or of the subject, that says that somebody will come."""
    return visit_threats(_bare("\n\n".join(texts))) + visit_threats(_bare(subject or ""))


def words_of(found: Offending) -> Message:
    """The phrase and why it may not stand there."""
    return Message("“{phrase}” ({offence})", {"phrase": found.phrase, "offence": found.offence})


def _policies_for(draft: TemplateDraft, policies: Sequence[Policy], today: dt.date) -> list[Policy]:
    """The policies that the text is held against: in force, or to come."""
    known = [
        policy
        for policy in policies
        if policy.status is PolicyStatus.IN_FORCE and (policy.effective_to is None or policy.effective_to >= today)
    ]
    if not draft.policies:
        return known
    unknown = sorted(set(draft.policies) - {policy.id for policy in known})
    if unknown:
        raise InvalidValue(path="policies", reason="names a policy that does not apply to your visits")
    return [policy for policy in known if policy.id in draft.policies]


def _placeholders(path: str, text: str) -> set[str]:
    try:
        return placeholders(text)
    except Unreadable as error:
        raise InvalidValue(path=path, reason="holds a brace that is no placeholder") from error


def _bare(text: str) -> str:
    """The text without its placeholders: `{amount}` is no word of it."""
    return re.sub(r"\{\w+\}", " ", text)
