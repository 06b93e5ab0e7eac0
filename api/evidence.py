"""Evidence files: sent by the tus protocol, in parts that survive a bad connection; shown by links that live for
minutes."""

import uuid

import sqlalchemy as sa
from flask import Response

from api import tus
from api.addresses import public_address
from api.auth import visitor_id
from api.context import now, runtime, settings
from api.db import session
from api.endpoints import endpoint
from api.event_reading import loaded
from api.files import link_for
from api.openapi import Blueprint
from api.paging import Keyset
from api.roles import PUBLIC, Permission
from api.schemas.evidence import EvidenceIn, EvidenceOut
from api.schemas.files import FileLinkOut
from api.showing import EvidenceLink, Shows
from fieldvisit import evidence
from fieldvisit.errors import Refused
from fieldvisit.evidence import MOST_MB, Part, Room
from fieldvisit.finding import get_by_id
from fieldvisit.models import Evidence
from fieldvisit.visits import get_visit

bp = Blueprint("evidence", __name__, description=__doc__)
ANNOUNCED = EvidenceIn()
FLAGS = {"true": True, "false": False}


@bp.route("/phone/evidence", methods=["OPTIONS"], provide_automatic_options=False)
@endpoint(may=PUBLIC, status=204)
def describe_uploads() -> Response:
    """What of the tus protocol is spoken here, and how large a file may be."""
    return tus.answer(
        204,
        Tus_Version=tus.VERSION,
        Tus_Extension=tus.EXTENSIONS,
        Tus_Max_Size=MOST_MB * 2**20,
        Tus_Checksum_Algorithm=",".join(tus.ALGORITHMS),
    )


@bp.post("/phone/evidence")
@endpoint(
    may=Permission.USE_PHONE,
    status=201,
    even_expired=True,
    headers=tus.named(tus.RESUMABLE, tus.LENGTH, tus.METADATA),
    tells=tus.telling(tus.RESUMABLE, tus.LOCATION, tus.OFFSET),
)
def announce_evidence() -> Response:
    """Announce a file: `Upload-Length`, and in `Upload-Metadata` what it is.

    That is the `id` (a UUID of the phone), `visit_id`, `kind`, `captured_at`, `by_camera` and `sha256`. What tus
    clients tell of a file by custom (`filename`, `filetype` and the like) is not read and not kept: a file is judged by
    what it holds. Announced again it is the same file; the answer says where to send it. Where too many are announced
    and not whole, `too_many_unfinished` (409) names them: send one to its end, or delete it, and come again.
    """
    tus.demand_version()
    said = dict(tus.metadata(besides=tus.CUSTOMARY)) | {"size_bytes": tus.number(tus.LENGTH)}
    said |= {"by_camera": FLAGS.get(str(said["by_camera"]), said["by_camera"])} if "by_camera" in said else {}
    room = Room(files=settings().unfinished_files, most_bytes=settings().unfinished_mb * 2**20)
    row = evidence.announce(session(), loaded(ANNOUNCED, said), visitor_id=visitor_id(), room=room)
    where = public_address(f"/phone/evidence/{row.id}")
    return tus.answer(201, Location=where, Upload_Offset=row.received_bytes)


@bp.route("/phone/evidence/<uuid:evidence_id>", methods=["HEAD"])
@endpoint(
    may=Permission.USE_PHONE,
    even_expired=True,
    headers=tus.named(tus.RESUMABLE),
    tells=tus.telling(tus.RESUMABLE, tus.OFFSET, tus.LENGTH),
)
def read_evidence_offset(evidence_id: uuid.UUID) -> Response:
    """How many bytes of the file are here."""
    tus.demand_version()
    row = evidence.standing(session(), evidence_id, visitor_id=visitor_id())
    return tus.answer(200, Upload_Offset=row.received_bytes, Upload_Length=row.size_bytes)


@bp.patch("/phone/evidence/<uuid:evidence_id>")
@endpoint(
    may=Permission.USE_PHONE,
    raw=tus.PARTS,
    status=204,
    even_expired=True,
    headers=tus.named(tus.RESUMABLE, tus.OFFSET, tus.CHECKSUM),
    tells=tus.telling(tus.RESUMABLE, tus.OFFSET),
)
def send_evidence_part(evidence_id: uuid.UUID, body: bytes) -> Response | Refused:
    """Send bytes from `Upload-Offset` on.

    What came before the connection broke off is kept; with the last byte the file is judged by what it holds, and
    accepted or refused for good.
    """
    tus.demand_version()
    begin = tus.number(tus.OFFSET)
    tus.demand_checksum(body)
    part = Part(evidence_id=evidence_id, begin=begin, content=body)
    row = evidence.take_part(session(), runtime().files, part, visitor_id=visitor_id(), now=now())
    return row if isinstance(row, Refused) else tus.answer(204, Upload_Offset=row.received_bytes)


@bp.delete("/phone/evidence/<uuid:evidence_id>")
@endpoint(may=Permission.USE_PHONE, status=204, headers=tus.named(tus.RESUMABLE), tells=tus.telling(tus.RESUMABLE))
def abandon_evidence(evidence_id: uuid.UUID) -> Response:
    """Forget a file that is not whole. One that was accepted stays."""
    tus.demand_version()
    evidence.abandon(session(), evidence_id, visitor_id=visitor_id())
    return tus.answer(204)


@bp.get("/visits/<uuid:visit_id>/evidence")
@endpoint(
    may=Permission.READ_REPORTS,
    returns=EvidenceOut(),
    order=Keyset(Evidence.created_at, Evidence.id),
    shows=Shows.WORK,
)
def list_evidence(visit_id: uuid.UUID) -> sa.Select[Evidence]:
    """The files of a visit, whole or on their way, the oldest first."""
    return evidence.evidence_of(get_visit(session(), visit_id).id)


@bp.post("/evidence/<uuid:evidence_id>/links")
@endpoint(may=Permission.READ_REPORTS, returns=FileLinkOut(), status=201, traced=True, shows=Shows.FILE)
def link_evidence(evidence_id: uuid.UUID) -> EvidenceLink:
    """A link that shows the file, for five minutes.

    Asking for it is a look at the debtor's data, and so is each opening: both are in the log of accesses.
    """
    return EvidenceLink(
        of=get_by_id(session(), Evidence, evidence_id), **link_for(evidence.file_of(session(), evidence_id))
    )
