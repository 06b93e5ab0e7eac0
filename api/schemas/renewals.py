"""Renewals and reminders of papers on the wire."""

from marshmallow import fields

from api.schemas.base import Drafted, Out, PageIn
from api.schemas.fields import Choice, Day, FlagInQuery, Id, Instant, OuterId, Part, Text
from api.schemas.words import Words
from fieldvisit.languages import tag
from fieldvisit.renewals import RenewalDraft
from fieldvisit.vocabulary import Channel, CredentialKind, NoticeState, ReminderRecipient


class RenewalIn(Drafted):
    """The next term of a paper; without `valid_from` it begins on the day after the earlier one ends."""

    makes = RenewalDraft
    external_id = OuterId(required=True)
    valid_until = Day(required=True)
    valid_from = Day(allow_none=True)
    number = Text(max=100, allow_none=True)
    issuer = Text(allow_none=True)


class ReminderOut(Out):
    """`due_on` is the last day on which the paper holds, by its dates or by a policy that wants it repeated.

    `days_before`: which of the four reminders, 30, 14, 7 or 1. `channel` null: there was no address to send it to.
    """

    id = Id(required=True)
    credential_id = Id(required=True)
    visitor_id = Id(required=True)
    due_on = Day(required=True)
    days_before = fields.Integer(required=True)
    recipient = Choice(ReminderRecipient, required=True)
    raised_at = Instant(required=True)
    seen_at = Instant(required=True, allow_none=True)
    seen_by_id = Id(required=True, allow_none=True)
    channel = Choice(Channel, required=True, allow_none=True)
    language = fields.Function(lambda row: tag(row.language), required=True, metadata={"type": "string"})
    state = Choice(NoticeState, required=True)
    state_words = Words(required=True, of="state")
    reason = fields.String(required=True, allow_none=True)
    attempts = fields.Integer(required=True)
    next_try_at = Instant(required=True, allow_none=True)
    provider = fields.String(required=True, allow_none=True)
    provider_id = fields.String(required=True, allow_none=True)
    error = fields.String(required=True, allow_none=True)
    sent_at = Instant(required=True, allow_none=True)
    delivered_at = Instant(required=True, allow_none=True)


class RemindersQueryIn(PageIn):
    visitor_id = Id()
    recipient = Choice(ReminderRecipient)
    state = Choice(NoticeState)
    seen = FlagInQuery(metadata={"description": "taken care of, or not yet"})


class OwnPaperOut(Out):
    """A paper as its holder sees it."""

    id = Id(required=True)
    kind = Choice(CredentialKind, required=True)
    kind_words = Words(required=True, of="kind")
    issuer = fields.String(required=True)
    valid_from = Day(required=True)
    valid_until = Day(required=True)
    revoked_at = Instant(required=True, allow_none=True)


class OwnPapersOut(Out):
    """One's papers, the first to run out first, and what is to be seen to in time."""

    papers = fields.List(Part(OwnPaperOut), required=True)
    reminders = fields.List(Part(ReminderOut), required=True)
