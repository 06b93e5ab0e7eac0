"""Who tells whom: an agency with templates and a policy of its own that wants visits announced."""

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.compliance.parameters import NoticeAbout, NoticeContent
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.debtors import ContactPointDraft, contact_digest
from fieldvisit.models import Case, ContactPoint, Notice, NoticeTemplate, Organisation
from fieldvisit.notice_providers import NoticeProvider
from fieldvisit.notices.carriers import Carriers
from fieldvisit.notices.outbox import Pace
from fieldvisit.notices.placeholders import NAMED_BY, NEEDED, SENDER
from fieldvisit.notices.sending import Sender
from fieldvisit.notices.templates import Passage, TemplateDraft, save_template
from fieldvisit.own_policies import PolicyDraft, add_version
from fieldvisit.vocabulary import Channel, ContactPointKind
from tests.conftest import NOW
from tests.worlds import OWN_POLICY, TODAY, World

NOTICE = """
[[notices]]
id = "contract/notices/{number}"
about = "{about}"
unit = "{unit}"
amount = {amount}
form = "{form}"
contents = [{contents}]
source = "a contract"
confidence = "house"
"""
WORDS = {
    NoticeContent.PURPOSE: "We would like to talk with you about your account.",
    NoticeContent.OUTCOME_WANTED: "We hope to find a way that suits you.",
    NoticeContent.BRANCH_INSTEAD: "You may come to our branch instead.",
    NoticeContent.COMPANION: "Somebody you trust may be present.",
    NoticeContent.RIGHT_TO_REFUSE: "You may refuse this visit.",
    NoticeContent.HOW_TO_COMPLAIN: "You may complain at any time.",
    NoticeContent.RECORDING_KEPT: "Recordings are kept for two years.",
    NoticeContent.RECOVERY_COSTS: "No costs are added.",
}


def asks_for(
    about: str = "visit",
    *,
    unit: str = "business_days",
    amount: int = 5,
    form: str = "written",
    contents: Iterable[str] = ("date", "time", "purpose"),
    number: int = 1,
) -> str:
    """A policy's rule on one kind of notice."""
    named = ", ".join(f'"{each}"' for each in contents)
    return NOTICE.format(about=about, unit=unit, amount=amount, form=form, contents=named, number=number)


def switch_on(sessions: sessionmaker[Session], org_id: uuid.UUID, rules: str) -> None:
    with acting_for(sessions, org_id) as session:
        draft = PolicyDraft(text=OWN_POLICY + rules, effective_from=TODAY)
        add_version(session, org_id, draft, made_by_id=None, now=NOW)


def give_phone(sessions: sessionmaker[Session], world: World) -> None:
    with acting_for_all(sessions) as session:
        session.execute(sa.update(Organisation).values(debtor_phone="+358 9 555 0100"))


def template_draft(about: NoticeAbout = NoticeAbout.VISIT, **given: Any) -> TemplateDraft:
    """A text that names these contents and says nothing wrong."""
    contents = given.pop("contents", (NoticeContent.DATE, NoticeContent.TIME, NoticeContent.PURPOSE))
    passages = [Passage(text="Dear {debtor_name},")]
    for each in contents:
        names = " ".join(f"{{{name}}}" for name in sorted(NAMED_BY.get(each, ())))
        passages.append(Passage(text=f"{WORDS.get(each, '')} {names}".strip(), names=each))
    needed = " ".join(f"{{{name}}}" for name in sorted(NEEDED.get(about, SENDER)))
    passages.append(Passage(text=f"{needed} {{organisation_phone}}"))
    values = {"code": about.value.replace("_", "-"), "channel": Channel.EMAIL, "language": "en"} | given
    with_subject = values["channel"] in (Channel.EMAIL, Channel.LETTER)
    values = {"subject": "A message for you" if with_subject else None} | values
    return TemplateDraft(about=about, passages=tuple(passages), **values)


def make_template(sessions: sessionmaker[Session], org_id: uuid.UUID, *args: Any, **given: Any) -> NoticeTemplate:
    with acting_for(sessions, org_id) as session:
        return save_template(session, template_draft(*args, **given), made_by_id=None, now=NOW)


def give_address(session: Session, case: Case, value: str = "meri@example.org") -> ContactPoint:
    draft = ContactPointDraft(kind=ContactPointKind.EMAIL, value=value)
    point = ContactPoint(
        org_id=case.org_id,
        debtor_id=case.debtor_id,
        kind=draft.kind,
        value=draft.value,
        digest=contact_digest(session, draft),
    )
    session.add(point)
    session.flush()
    return point


def sender_of(
    sessions: sessionmaker[Session], *providers: NoticeProvider, now: dt.datetime = NOW, **pace: Any
) -> Sender:
    """A sender by whose clock it is `now`; the database has its own."""
    patience = Pace(**({"timeout_s": 10.0, "first_s": 0.0, "tries": 3} | pace))
    return Sender(sessions, Carriers(providers, patience.timeout_s), lambda: now, pace=patience)


def notices(sessions: sessionmaker[Session]) -> list[Notice]:
    """Every notice with its tries and receipts, the oldest first."""
    with acting_for_all(sessions) as session:
        rows = list(session.scalars(sa.select(Notice).order_by(Notice.created_at, Notice.id)))
        for row in rows:
            _ = (row.tries, row.receipts, row.body, row.subject)
        return rows
