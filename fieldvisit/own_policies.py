"""Policies that an organisation makes itself: versions with dates, a look at what they would change, and the way back.

A house policy of one's own takes the place of the preset `house` from its first day on, for this organisation alone.
The law's presets cannot be replaced.
"""

import datetime as dt
import re
import uuid
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.loading import PolicyRefused, load_preset, policy_from_toml, preset_names, table_in
from fieldvisit.errors import FieldVisitError, InvalidValue, Kind, NotFound
from fieldvisit.languages import Message
from fieldvisit.models import Organisation, PolicyVersion
from fieldvisit.policies import HOUSE, read_version

SENT = Message("you sent")
NAME = re.compile(r"[a-z][a-z0-9-]{1,39}")


class PresetStays(FieldVisitError):
    code, kind = "preset_stays", Kind.CONFLICT
    says = "The preset {policy_id} is the law's: it cannot be replaced. Give the policy another id."


class VersionWithdrawn(FieldVisitError):
    code, kind = "version_withdrawn", Kind.CONFLICT
    says = "This version was withdrawn before."


@dataclass(frozen=True, kw_only=True)
class PolicyDraft:
    """A policy as TOML, in force from a date. Its own `version` and dates are not looked at: these count."""

    text: str
    effective_from: dt.date
    effective_to: dt.date | None = None

    def __post_init__(self) -> None:
        if self.effective_to is not None and self.effective_to < self.effective_from:
            raise InvalidValue(path="effective_to", reason="must not be earlier than effective_from")


def add_version(
    session: Session, org_id: uuid.UUID, draft: PolicyDraft, *, made_by_id: uuid.UUID | None, now: dt.datetime
) -> PolicyVersion:
    """Switch a new version on from its date. Raises PolicyRefused, PresetStays, and InvalidValue for a past date.

    The visits ahead are judged anew by a job that the caller asks for in the same transaction.
    """
    row = draft_version(session, org_id, draft, now=now)
    row.made_by_id = made_by_id
    session.add(row)
    session.flush()
    session.expire(session.get_one(Organisation, org_id), ["own_policies"])
    return row


def draft_version(session: Session, org_id: uuid.UUID, draft: PolicyDraft, *, now: dt.datetime) -> PolicyVersion:
    """The version that the draft would become, not stored: for a look at what it would change."""
    name = _name_in(draft.text)
    if name != HOUSE and name in preset_names():
        raise PresetStays(policy_id=name)
    if draft.effective_from < now.date():
        raise InvalidValue(path="effective_from", reason="must not lie in the past")
    organisation = session.get_one(Organisation, org_id)
    row = PolicyVersion(
        id=uuid.uuid4(),
        org_id=org_id,
        policy_id=name,
        version=_next_version(session, org_id, name),
        text=draft.text,
        effective_from=draft.effective_from,
        effective_to=draft.effective_to,
        withdrawn_at=None,
    )
    read_version(row, organisation.code)
    return row


def withdraw_version(session: Session, version_id: uuid.UUID, *, now: dt.datetime) -> PolicyVersion:
    """Roll back: the version applies to no visit any more, and the one before it applies again."""
    row = session.scalars(
        sa.select(PolicyVersion)
        .where(PolicyVersion.id == version_id, PolicyVersion.org_id == session.info["org"])
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound(what="policy version", id=version_id)
    if row.withdrawn_at is not None:
        raise VersionWithdrawn()
    row.withdrawn_at = now
    session.flush()
    session.expire(session.get_one(Organisation, row.org_id), ["own_policies"])
    return row


def versions_of(org_id: uuid.UUID) -> sa.Select[PolicyVersion]:
    """Every version that the organisation made, withdrawn ones too; the caller states the order."""
    return sa.select(PolicyVersion).where(PolicyVersion.org_id == org_id)


def get_version(session: Session, org_id: uuid.UUID, version_id: uuid.UUID) -> PolicyVersion:
    """One of the organisation's own; raises NotFound for any other."""
    found = session.scalar(versions_of(org_id).where(PolicyVersion.id == version_id))
    if found is None:
        raise NotFound(what="policy version", id=version_id)
    return found


def name_of(draft: PolicyDraft) -> str:
    """Of which policy it is the next version. Raises PolicyRefused."""
    return _name_in(draft.text)


def newest_of(org_id: uuid.UUID, draft: PolicyDraft) -> sa.Select[uuid.UUID]:
    """The id of the latest version of the policy that the draft is of. Raises PolicyRefused."""
    line = versions_of(org_id).where(PolicyVersion.policy_id == name_of(draft))
    return line.with_only_columns(PolicyVersion.id).order_by(PolicyVersion.version.desc()).limit(1)


def _name_in(text: str) -> str:
    name = table_in(text, SENT).get("id")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise PolicyRefused(where=SENT, path="id", reason=Message("must be 2 to 40 of a-z, 0-9 and -"))
    policy_from_toml(text, SENT)
    return name


def _next_version(session: Session, org_id: uuid.UUID, name: str) -> int:
    latest = session.scalar(
        sa.select(sa.func.max(PolicyVersion.version)).where(
            PolicyVersion.org_id == org_id, PolicyVersion.policy_id == name
        )
    )
    first = load_preset(name).version if name in preset_names() else 0
    return max(latest or 0, first) + 1
