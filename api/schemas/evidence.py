"""Evidence files on the wire, and how much of a visit was recorded."""

from marshmallow import fields

from api.schemas.base import Drafted, Out
from api.schemas.fields import Choice, Flag, Id, Instant, Text, Whole
from api.schemas.forms_in_words import SHA256
from api.schemas.words import Words
from fieldvisit.compliance.conduct_parameters import RecordingNeed
from fieldvisit.evidence import EvidenceDraft
from fieldvisit.vocabulary import EvidenceFlaw, EvidenceKind, EvidenceState, RecordingGap


class EvidenceIn(Drafted):
    """What is announced of a file before its bytes come. `sha256`: of the whole, if the phone knows it already."""

    makes = EvidenceDraft
    id = Id(required=True)
    visit_id = Id(required=True)
    kind = Choice(EvidenceKind, required=True)
    captured_at = Instant(required=True)
    size_bytes = Whole(required=True, min=1)
    by_camera = Flag(load_default=False)
    sha256 = Text(form=SHA256, max=64)


class EvidenceOut(Out):
    """`camera_notes`: what the camera wrote into a photo. `flaws`: what of it does not fit the visit."""

    id = Id(required=True)
    visit_id = Id(required=True)
    visitor_id = Id(required=True)
    kind = Choice(EvidenceKind, required=True)
    kind_words = Words(required=True, of="kind")
    captured_at = Instant(required=True)
    by_camera = Flag(required=True)
    size_bytes = fields.Integer(required=True)
    received_bytes = fields.Integer(required=True)
    state = Choice(EvidenceState, required=True)
    state_words = Words(required=True, of="state")
    refused_for = fields.String(required=True, allow_none=True)
    sha256 = fields.String(required=True, allow_none=True)
    camera_notes = fields.Dict(required=True, allow_none=True)
    flaws = fields.List(Choice(EvidenceFlaw), required=True)
    accepted_at = Instant(required=True, allow_none=True)
    created_at = Instant(required=True)


class RecordingGapOut(Out):
    from_at = Instant(required=True)
    until_at = Instant(required=True)


class CoverageOut(Out):
    """Of the time at the door. `needs`: what has to be recorded there; `missing_files`: recordings whose bytes have not
    come, or are others than the report says."""

    needs = fields.List(Choice(RecordingNeed), required=True)
    visit_s = fields.Integer(required=True)
    covered_s = fields.Integer(required=True)
    gaps = fields.List(fields.Nested(RecordingGapOut), required=True)
    reason = Choice(RecordingGap, required=True, allow_none=True)
    missing_files = fields.List(Id(), required=True)
