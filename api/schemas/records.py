"""The record of a visit on the wire. Everything in it is plain: times are texts on the clock of the place."""

from marshmallow import fields

from api.schemas.base import Out
from api.schemas.fields import Flag


def _text() -> fields.String:
    return fields.String(required=True)


def _maybe() -> fields.String:
    return fields.String(required=True, allow_none=True)


def _texts() -> fields.List[str]:
    return fields.List(fields.String(), required=True)


class RecordedVisitOut(Out):
    id, reference, state, case_id = _text(), _text(), _text(), _text()
    case_external_id = _maybe()
    debtor_id, lender_id, made_by_id, requested_reason = _text(), _text(), _text(), _text()
    evidence = _texts()


class RecordedPolicyOut(Out):
    id = _text()
    version = fields.Integer(required=True)


class RecordedDecisionOut(Out):
    id, moment, verdict, decided_at = _text(), _text(), _text(), _text()
    begins_at, ends_at = _maybe(), _maybe()
    policies = fields.List(fields.Nested(RecordedPolicyOut), required=True)
    clause_ids = _texts()
    inputs_hash = _text()


class RecordedOverrideOut(Out):
    id, clause_id, on_day, role, reason = _text(), _text(), _text(), _text(), _text()


class RecordedTimesOut(Out):
    planned_on, planned_begin_at, planned_end_at = _maybe(), _maybe(), _maybe()
    under_way_at, arrived_at, left_at, ended_at = _maybe(), _maybe(), _maybe(), _maybe()


class RecordedPlaceOut(Out):
    id, kind, point_from, zone, zone_from = _text(), _text(), _text(), _text(), _text()


class RecordedStaffOut(Out):
    visitor_ids = _texts()
    count = fields.Integer(required=True)


class RecordedPapersOut(Out):
    id, visitor_id, moment, at = _text(), _text(), _text(), _text()
    passed = Flag(required=True)
    credential_ids = _texts()
    faults = fields.Dict(required=True)


class RecordedTryOut(Out):
    number = fields.Integer(required=True)
    begun_at = _text()
    ended_at, provider, provider_id, error = _maybe(), _maybe(), _maybe(), _maybe()


class RecordedReceiptOut(Out):
    kind, at = _text(), _text()
    provider, provider_id, evidence = _maybe(), _maybe(), _maybe()


class RecordedNoticeOut(Out):
    """In its very words, with every try to send it and all that was heard of it."""

    id, sender_id, about, channel, form, language, state = (_text() for _ in range(7))
    template_id, reason, subject, body, evidence = (_maybe() for _ in range(5))
    created_at = _text()
    announced_from, announced_until, sent_at, delivered_at = (_maybe() for _ in range(4))
    contents = fields.List(fields.String(), required=True)
    tries = fields.List(fields.Nested(RecordedTryOut), required=True)
    receipts = fields.List(fields.Nested(RecordedReceiptOut), required=True)


class RecordedConsentOut(Out):
    id, about, purpose, form, given_at = _text(), _text(), _text(), _text(), _text()
    revoked_at, visit_id, place_id, recorded_by_id = _maybe(), _maybe(), _maybe(), _maybe()
    revocable = Flag(required=True)


class RecordedIdentityOut(Out):
    id, visitor_id, method, result, at = _text(), _text(), _text(), _text(), _text()


class RecordedPromiseOut(Out):
    id, currency, due_on, method, state = _text(), _text(), _text(), _text(), _text()
    amount_minor = fields.Integer(required=True)


class RecordedInstalmentOut(Out):
    amount_minor = fields.Integer(required=True)
    due_on = _text()


class RecordedPlanOut(Out):
    id, currency, method, state = _text(), _text(), _text(), _text()
    total_minor, grace_days = fields.Integer(required=True), fields.Integer(required=True)
    instalments = fields.List(fields.Nested(RecordedInstalmentOut), required=True)


class RecordedFormOut(Out):
    """`answers` by the names of the questions of that version."""

    version = fields.Integer(required=True)
    answers = fields.Dict(required=True)


class RecordedAdditionOut(Out):
    id, text, at = _text(), _text(), _text()
    visitor_id, account_id = _maybe(), _maybe()


class RecordedReportOut(Out):
    id, visitor_id, outcome, recorded_at = _text(), _text(), _text(), _text()
    met, abort_reason, disclosed_to, reason_for_arrears, note = _maybe(), _maybe(), _maybe(), _maybe(), _maybe()
    next_step, signed_off_at = _maybe(), _maybe()
    disclosed, hardship, vulnerable = Flag(required=True), Flag(required=True), Flag(required=True)
    disputed, after_cancellation = Flag(required=True), Flag(required=True)
    willing, able = Flag(required=True, allow_none=True), Flag(required=True, allow_none=True)
    promises = fields.List(fields.Nested(RecordedPromiseOut), required=True)
    plan = fields.Nested(RecordedPlanOut, required=True, allow_none=True)
    form = fields.Nested(RecordedFormOut, required=True, allow_none=True)
    additions = fields.List(fields.Nested(RecordedAdditionOut), required=True)


class RecordedNoteOut(Out):
    form = _text()
    sealed = Flag(required=True)
    photo_id = _maybe()


class RecordedRecordingOut(Out):
    recording_id, kind, from_at, until_at, sha256 = _text(), _text(), _text(), _text(), _text()


class RecordedDoorOut(Out):
    asked_to_leave_at, complaint, wishes, spoken_to = _maybe(), _maybe(), _maybe(), _maybe()
    represented = Flag(required=True)
    notes_left = fields.List(fields.Nested(RecordedNoteOut), required=True)
    paid_minor = fields.Integer(required=True, allow_none=True)
    paid_currency, receipt_number, recording_gap = _maybe(), _maybe(), _maybe()
    recordings = fields.List(fields.Nested(RecordedRecordingOut), required=True)


class RecordedBlockOut(Out):
    id, trigger, scope, since_at = _text(), _text(), _text(), _text()
    until_at = _maybe()


class RecordedSafetyOut(Out):
    session_id, started_at = _text(), _text()
    alert_id, raised_at = _maybe(), _maybe()


class RecordedEventOut(Out):
    id, kind, at = _text(), _text(), _text()
    actor_id, visitor_id, device_at = _maybe(), _maybe(), _maybe()


class RecordContentOut(Out):
    """`missing`: what the policies of the visit's day and place want a record to hold, and this one does not."""

    format = fields.Integer(required=True)
    visit = fields.Nested(RecordedVisitOut, required=True)
    decisions = fields.List(fields.Nested(RecordedDecisionOut), required=True)
    overrides = fields.List(fields.Nested(RecordedOverrideOut), required=True)
    times = fields.Nested(RecordedTimesOut, required=True)
    place = fields.Nested(RecordedPlaceOut, required=True)
    staff = fields.Nested(RecordedStaffOut, required=True)
    credentials = fields.List(fields.Nested(RecordedPapersOut), required=True)
    notices = fields.List(fields.Nested(RecordedNoticeOut), required=True)
    consents = fields.List(fields.Nested(RecordedConsentOut), required=True)
    identity = fields.List(fields.Nested(RecordedIdentityOut), required=True)
    report = fields.Nested(RecordedReportOut, required=True, allow_none=True)
    door = fields.Nested(RecordedDoorOut, required=True, allow_none=True)
    blocks = fields.List(fields.Nested(RecordedBlockOut), required=True)
    safety = fields.List(fields.Nested(RecordedSafetyOut), required=True)
    history = fields.List(fields.Nested(RecordedEventOut), required=True)
    missing = _texts()


class VisitRecordOut(Out):
    """`sha256` is of the content in canonical JSON: keys in order, no spaces, UTF-8."""

    content = fields.Nested(RecordContentOut, required=True)
    sha256 = _text()
