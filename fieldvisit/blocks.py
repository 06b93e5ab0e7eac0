"""Contact blocks: a reason not to contact reaches every visit it concerns in the transaction that files it."""

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.facts import ConsentForm
from fieldvisit.compliance.merging import terms_for
from fieldvisit.compliance.parameters import Breach
from fieldvisit.compliance.policy import Policy
from fieldvisit.compliance.stops import end_of
from fieldvisit.compliance.terms import Terms
from fieldvisit.compliance.wallclock import local_day
from fieldvisit.database import on_behalf_of
from fieldvisit.debtor_visits import lock_touched
from fieldvisit.decisions import organisations_by_id
from fieldvisit.errors import FieldVisitError, InvalidValue, Kind, NotFound, NotPermitted
from fieldvisit.facts import place_facts
from fieldvisit.models import Case, ContactBlock, Debtor, Place, Visit
from fieldvisit.policies import policies_of
from fieldvisit.visits import LIVE, cancel, lock_visits
from fieldvisit.vocabulary import BlockScope, BlockTrigger, Channel, PlaceKind, Role, VisitState


class AlreadyLifted(FieldVisitError):
    code, kind = "already_lifted", Kind.CONFLICT
    says = "This contact block was lifted before."


class NotRenewable(FieldVisitError):
    """Only a rest after an occasion begins anew, and only as often as a policy says."""

    code, kind = "not_renewable", Kind.CONFLICT
    says = "This contact block cannot be renewed: {trigger}."


class BlockDiffers(FieldVisitError):
    """What is to be stopped is not what the block of this id stops: taken for it, it would go unstopped."""

    code, kind = "block_differs", Kind.CONFLICT
    says = "A contact block with the id {external_id} is on file already, with other values. Use another id."


class BlockEnded(FieldVisitError):
    """A block that is over stops nothing: whoever files it again must not believe that it does."""

    code, kind = "block_ended", Kind.CONFLICT
    says = "The contact block with the id {external_id} is over. To stop contact again, file one under another id."


@dataclass(frozen=True, kw_only=True)
class Lifter:
    """Who ends a block, with the roles they have, and why."""

    account_id: uuid.UUID
    roles: Collection[Role]
    reason: str


STOPPED = tuple(state for state in LIVE if state is not VisitState.ARRIVED)
"""States from which a block cancels. Arrived is begun: the visitor at the door is told, and leaves by reporting."""

T = BlockTrigger
_LIGHT = frozenset({Role.DISPATCHER, Role.SUPERVISOR})
LIFTED_BY: Mapping[BlockTrigger, frozenset[Role]] = {
    # What only passes may be ended by whoever hears that it has passed; the rest is for a supervisor to judge.
    **{trigger: frozenset({Role.SUPERVISOR}) for trigger in BlockTrigger},
    **dict.fromkeys((T.MEDIUM_REFUSED, T.PLACE_REFUSED, T.BEREAVEMENT, T.CALAMITY, T.CELEBRATION), _LIGHT),
    **dict.fromkeys((T.HOSPITALISED, T.HARDSHIP_PLAN, T.PAID), _LIGHT),
}
"""Who may lift a block, by its reason."""


class NotYourBlock(FieldVisitError):
    """An agency lifts what it filed itself; what others heard of the debtor is the lender's to judge."""

    code, kind = "not_your_block", Kind.FORBIDDEN
    says = "This contact block was filed by another organisation. Only that one or the owner of the case may lift it."


@dataclass(frozen=True, kw_only=True)
class BlockDraft:
    """What stops which contact. `case_id` None: every case of the debtor. `external_id` makes filing repeatable.
    `until_lifted`: no policy ends it by itself."""

    debtor_id: uuid.UUID
    trigger: BlockTrigger
    scope: BlockScope = BlockScope.ALL
    case_id: uuid.UUID | None = None
    channel: Channel | None = None
    place_id: uuid.UUID | None = None
    until_at: dt.datetime | None = None
    note: str | None = None
    external_id: str | None = None
    form: ConsentForm = ConsentForm.ANY
    evidence: str | None = None
    until_lifted: bool = False

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
    books. The same `external_id` from the same organisation, for the same, changes nothing while that block stands.
    Raises NotFound, InvalidValue, BlockDiffers and BlockEnded.
    """
    debtor = _demand_known(session, draft, now)
    made_by_id = made_by_id or session.info.get("org", debtor.org_id)
    there = _filed_as(session, draft, debtor, made_by_id)
    if there is not None:
        _demand_same(session, there, draft, debtor=debtor, now=now)
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
        until_at=draft.until_at or _end_by_policy(session, draft, debtor, now),
        form=draft.form,
        evidence=draft.evidence,
    )
    session.add(block)
    session.flush()
    return block, _cancel_stopped(session, draft, block, now)


def file_heard(
    session: Session, draft: BlockDraft, *, filed_by_id: uuid.UUID | None, now: dt.datetime, made_by_id: uuid.UUID
) -> ContactBlock:
    """File what was heard at a door: under its id, or where that block is over or stops something else, under the next
    of it. What is heard is never refused for what was heard, and lifted, before."""
    numbers, attempt = count(2), draft
    while True:
        try:
            return file_block(session, attempt, filed_by_id=filed_by_id, now=now, made_by_id=made_by_id)[0]
        except (BlockDiffers, BlockEnded):
            attempt = replace(draft, external_id=f"{draft.external_id} {next(numbers)}")


def lift_block(session: Session, block_id: uuid.UUID, *, now: dt.datetime, by: Lifter | None = None) -> ContactBlock:
    """End a block. The visits it cancelled stay cancelled: the gate opens new ones if the policy still lets it.

    Raises NotYourBlock unless the acting organisation filed it or owns it, NotPermitted where the reason is not for
    this role to judge, and AlreadyLifted.
    """
    block = session.scalars(sa.select(ContactBlock).where(ContactBlock.id == block_id).with_for_update()).one_or_none()
    if block is None:
        raise NotFound(what="contact block", id=block_id)
    if session.info["org"] not in (block.org_id, block.made_by_id):
        raise NotYourBlock()
    if by is not None and LIFTED_BY[block.trigger].isdisjoint(by.roles):
        raise NotPermitted(roles=", ".join(sorted(LIFTED_BY[block.trigger])))
    if block.lifted_at is not None:
        raise AlreadyLifted()
    block.lifted_at = now
    if by is not None:
        block.lifted_by_id, block.lift_reason = by.account_id, by.reason
    session.flush()
    return block


def renew_block(session: Session, block_id: uuid.UUID, *, now: dt.datetime) -> ContactBlock:
    """Let the rest after an occasion last as long again, as often as every policy that knows it lets it.

    Raises NotRenewable where no policy does, and AlreadyLifted.
    """
    block = session.scalars(sa.select(ContactBlock).where(ContactBlock.id == block_id).with_for_update()).one_or_none()
    if block is None:
        raise NotFound(what="contact block", id=block_id)
    if block.lifted_at is not None:
        raise AlreadyLifted()
    debtor = session.get_one(Debtor, block.debtor_id)
    place, terms = _terms_at_home(session, debtor, now)
    rules = [rule for rule in terms.blackouts if rule.occasion is block.trigger] if terms and place else []
    if place is None or not rules or block.renewals >= min(rule.renewals for rule in rules):
        raise NotRenewable(trigger=block.trigger)
    block.renewals += 1
    if block.until_at is not None:
        block.until_at = max(end_of(rule.lasts, block.until_at, place.zone) for rule in rules)
    session.flush()
    return block


def blocks_of(debtor_id: uuid.UUID) -> sa.Select[ContactBlock]:
    """Every block of the debtor, lifted ones too; the caller states the order."""
    return sa.select(ContactBlock).where(ContactBlock.debtor_id == debtor_id)


_WHAT = ("debtor_id", "case_id", "trigger", "scope", "channel", "place_id", "form")
"""What a block stops, and why. Its note and its evidence stop nothing."""


def _filed_as(session: Session, draft: BlockDraft, debtor: Debtor, made_by_id: uuid.UUID) -> ContactBlock | None:
    """What this organisation filed under the id of the draft."""
    if draft.external_id is None:
        return None
    return session.scalars(
        sa.select(ContactBlock).where(
            ContactBlock.org_id == debtor.org_id,
            ContactBlock.made_by_id == made_by_id,
            ContactBlock.external_id == draft.external_id,
        )
    ).one_or_none()


def _demand_same(session: Session, there: ContactBlock, draft: BlockDraft, *, debtor: Debtor, now: dt.datetime) -> None:
    """Raise unless the block that is there stops what the draft would, as long, and is not over."""
    if any(getattr(there, name) != getattr(draft, name) for name in _WHAT):
        raise BlockDiffers(external_id=draft.external_id)
    if there.lifted_at is not None or (there.until_at is not None and there.until_at <= now):
        raise BlockEnded(external_id=draft.external_id)
    asked = draft.until_at or _end_by_policy(session, draft, debtor, there.since_at)
    # One that was renewed lasts longer than it was filed for.
    shorter = there.until_at is not None and (asked is None or there.until_at < asked)
    if shorter or (draft.until_at and not there.renewals and there.until_at != draft.until_at):
        raise BlockDiffers(external_id=draft.external_id)


def _end_by_policy(session: Session, draft: BlockDraft, debtor: Debtor, now: dt.datetime) -> dt.datetime | None:
    """When a block without an end of its own is over by the policies of where the debtor lives; None: when lifted."""
    if draft.until_lifted:
        return None
    place, terms = _terms_at_home(session, debtor, now)
    if place is None or terms is None:
        return None
    stops = [rule for rule in terms.stops if rule.trigger is draft.trigger and rule.binds]
    # One that says no length stops until somebody lifts it, longer than any other.
    ends = [rule.lasts for rule in stops if rule.lasts] if all(rule.lasts for rule in stops) else []
    ends += [rule.lasts for rule in terms.blackouts if rule.occasion is draft.trigger and rule.binds]
    return max((end_of(lasts, now, place.zone) for lasts in ends), default=None)


def _terms_at_home(session: Session, debtor: Debtor, now: dt.datetime) -> tuple[Place | None, Terms | None]:
    """The place that a debtor's blocks are measured at, and what the lender's policies and one's own say there."""
    query = sa.select(Place).where(Place.debtor_id == debtor.id).order_by(Place.kind != PlaceKind.HOME, Place.id)
    place = session.scalars(query.limit(1)).first()
    if place is None:
        return None, None
    ids = {debtor.org_id, session.info.get("org") or debtor.org_id}
    policies = policies_of(organisations_by_id(session, ids).values())
    return place, terms_for(policies, place_facts(place), local_day(now, place.zone))


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
    """Cancel what it stops, whoever makes the visit; the visits of those that one sees."""
    touched, block_id = lock_touched(session, {draft.debtor_id}, states=STOPPED), block.id
    cancelled = _cancel_of(session, touched.own, draft, block_id, now=now)
    for lender_id, visit_ids in touched.others:
        with on_behalf_of(session, lender_id):
            _cancel_of(session, visit_ids, draft, block_id, now=now)
    return cancelled


def _cancel_of(
    session: Session, visit_ids: Collection[uuid.UUID], draft: BlockDraft, block_id: uuid.UUID, *, now: dt.datetime
) -> list[Visit]:
    live = [
        visit
        for visit in lock_visits(session, visit_ids).values()
        if visit.state in STOPPED and draft.case_id in (None, visit.case_id)
    ]
    organisations = organisations_by_id(
        session, {org_id for visit in live for org_id in (visit.org_id, visit.lender_id)}
    )
    cancelled = []
    for visit in live:
        policies = policies_of((organisations[visit.org_id], organisations[visit.lender_id]))
        effects = {draft.scope, *_demanded(policies, draft.trigger, visit.place, now)}
        if any(draft.stops_visit_at(visit.place_id, effect) for effect in effects):
            cancelled.append(cancel(session, visit, reason=draft.trigger, now=now, block_id=str(block_id)))
    return cancelled


def _demanded(policies: Sequence[Policy], trigger: BlockTrigger, place: Place, now: dt.datetime) -> set[BlockScope]:
    """How much a block for this reason stops by policy, whatever scope it was filed with."""
    terms = terms_for(policies, place_facts(place), local_day(now, place.zone))
    rules = terms.stops if terms else ()
    return {rule.effect for rule in rules if rule.trigger is trigger and rule.on_breach is Breach.BLOCK}
