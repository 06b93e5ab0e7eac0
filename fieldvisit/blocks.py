"""Contact blocks: a reason not to contact reaches every visit it concerns in the transaction that files it."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.merging import terms_for
from fieldvisit.compliance.parameters import Breach
from fieldvisit.compliance.policy import Policy
from fieldvisit.compliance.wallclock import local_day
from fieldvisit.decisions import organisations_by_id
from fieldvisit.errors import FieldVisitError, InvalidValue, Kind, NotFound
from fieldvisit.facts import place_facts
from fieldvisit.models import Case, ContactBlock, Debtor, Place, Visit
from fieldvisit.policies import policies_of
from fieldvisit.visits import LIVE, cancel, lock_visits
from fieldvisit.vocabulary import BlockScope, BlockTrigger, Channel, VisitState


class AlreadyLifted(FieldVisitError):
    code, kind = "already_lifted", Kind.CONFLICT
    says = "This contact block was lifted before."


class NotYourBlock(FieldVisitError):
    """An agency lifts what it filed itself; what others heard of the debtor is the lender's to judge."""

    code, kind = "not_your_block", Kind.FORBIDDEN
    says = "This contact block was filed by another organisation. Only that one or the owner of the case may lift it."


@dataclass(frozen=True, kw_only=True)
class BlockDraft:
    """What stops which contact. `case_id` None: every case of the debtor. `external_id` makes filing repeatable."""

    debtor_id: uuid.UUID
    trigger: BlockTrigger
    scope: BlockScope = BlockScope.ALL
    case_id: uuid.UUID | None = None
    channel: Channel | None = None
    place_id: uuid.UUID | None = None
    until_at: dt.datetime | None = None
    note: str | None = None
    external_id: str | None = None

    def __post_init__(self) -> None:
        if (self.scope is BlockScope.CHANNEL) != (self.channel is not None):
            raise InvalidValue(path="channel", reason="is named when, and only when, the scope is one channel")
        if (self.scope is BlockScope.PLACE) != (self.place_id is not None):
            raise InvalidValue(path="place_id", reason="is named when, and only when, the scope is one place")

    def stops_visit_at(self, place_id: uuid.UUID, effect: BlockScope) -> bool:
        """Whether a visit there is stopped by what stops this much."""
        if effect is BlockScope.CHANNEL:
            return self.channel is Channel.VISIT
        return effect in (BlockScope.ALL, BlockScope.VISITS) or self.place_id == place_id


def file_block(
    session: Session,
    draft: BlockDraft,
    *,
    filed_by_id: uuid.UUID | None,
    now: dt.datetime,
    made_by_id: uuid.UUID | None = None,
) -> tuple[ContactBlock, list[Visit]]:
    """File a block and cancel every visit it stops that is not reported yet; the visits it cancelled.

    It is filed by the acting organisation, unless `made_by_id` names the one whose report is settled in the lender's
    books. The same `external_id` from the same organisation again changes nothing. Raises NotFound and InvalidValue.
    """
    debtor = _demand_known(session, draft, now)
    made_by_id = made_by_id or session.info.get("org", debtor.org_id)
    if draft.external_id is not None:
        there = session.scalars(
            sa.select(ContactBlock).where(
                ContactBlock.org_id == debtor.org_id,
                ContactBlock.made_by_id == made_by_id,
                ContactBlock.external_id == draft.external_id,
            )
        ).one_or_none()
        if there is not None:
            return there, []
    block = ContactBlock(
        org_id=debtor.org_id,
        debtor_id=debtor.id,
        case_id=draft.case_id,
        external_id=draft.external_id,
        trigger=draft.trigger,
        scope=draft.scope,
        channel=draft.channel,
        place_id=draft.place_id,
        note=draft.note,
        made_by_id=made_by_id,
        filed_by_id=filed_by_id,
        since_at=now,
        until_at=draft.until_at,
    )
    session.add(block)
    session.flush()
    return block, _cancel_stopped(session, draft, block, now)


def lift_block(session: Session, block_id: uuid.UUID, *, now: dt.datetime) -> ContactBlock:
    """End a block. The visits it cancelled stay cancelled: the gate opens new ones if the policy still lets it.

    Raises NotYourBlock unless the acting organisation filed it or owns it, and AlreadyLifted.
    """
    block = session.scalars(sa.select(ContactBlock).where(ContactBlock.id == block_id).with_for_update()).one_or_none()
    if block is None:
        raise NotFound(what="contact block", id=block_id)
    if session.info["org"] not in (block.org_id, block.made_by_id):
        raise NotYourBlock()
    if block.lifted_at is not None:
        raise AlreadyLifted()
    block.lifted_at = now
    session.flush()
    return block


def blocks_of(debtor_id: uuid.UUID) -> sa.Select[ContactBlock]:
    """Every block of the debtor, lifted ones too; the caller states the order."""
    return sa.select(ContactBlock).where(ContactBlock.debtor_id == debtor_id)


def _demand_known(session: Session, draft: BlockDraft, now: dt.datetime) -> Debtor:
    debtor = session.get(Debtor, draft.debtor_id)
    if debtor is None:
        raise NotFound(what="debtor", id=draft.debtor_id)
    if draft.until_at is not None and draft.until_at <= now:
        raise InvalidValue(path="until_at", reason="must lie in the future")
    if draft.case_id is not None:
        case = session.get(Case, draft.case_id)
        if case is None or case.debtor_id != debtor.id:
            raise NotFound(what="case", id=draft.case_id)
    if draft.place_id is not None:
        place = session.get(Place, draft.place_id)
        if place is None or place.debtor_id != debtor.id:
            raise NotFound(what="place", id=draft.place_id)
    return debtor


def _cancel_stopped(session: Session, draft: BlockDraft, block: ContactBlock, now: dt.datetime) -> list[Visit]:
    query = sa.select(Visit.id).where(Visit.debtor_id == draft.debtor_id, Visit.state.in_(LIVE))
    if draft.case_id is not None:
        query = query.where(Visit.case_id == draft.case_id)
    # Arrived is begun: the visitor at the door is told, and leaves by reporting.
    begun = (VisitState.ARRIVED,)
    live = [
        v for v in lock_visits(session, session.scalars(query)).values() if v.state in LIVE and v.state not in begun
    ]
    organisations = organisations_by_id(
        session, {org_id for visit in live for org_id in (visit.org_id, visit.lender_id)}
    )
    cancelled = []
    for visit in live:
        policies = policies_of((organisations[visit.org_id], organisations[visit.lender_id]))
        effects = {draft.scope, *_demanded(policies, draft.trigger, visit.place, now)}
        if any(draft.stops_visit_at(visit.place_id, effect) for effect in effects):
            cancelled.append(cancel(session, visit, reason=draft.trigger, now=now, block_id=str(block.id)))
    return cancelled


def _demanded(policies: Sequence[Policy], trigger: BlockTrigger, place: Place, now: dt.datetime) -> set[BlockScope]:
    """How much a block for this reason stops by policy, whatever scope it was filed with."""
    terms = terms_for(policies, place_facts(place), local_day(now, place.zone))
    rules = terms.stops if terms else ()
    return {rule.effect for rule in rules if rule.trigger is trigger and rule.on_breach is Breach.BLOCK}
