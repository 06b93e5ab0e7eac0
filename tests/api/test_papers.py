"""Scans and portraits over HTTP: put by the office, looked at by link, and every look kept."""

import base64
import uuid

from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for
from fieldvisit.models import Visitor
from fieldvisit.vocabulary import CredentialKind, Role
from tests.api.conftest import ClientFor
from tests.pictures import with_notes
from tests.worlds import World, make_case, make_credential, make_visitor

PAPER = b"%PDF-1.4\n% an authorisation letter\n"


def file_of(content: bytes) -> dict[str, str]:
    return {"content": base64.b64encode(content).decode()}


def path_of(link: dict[str, str]) -> str:
    return "/" + link["url"].split("/", 3)[3]


def test_a_portrait_is_put_looked_at_and_taken_away(
    client: FlaskClient, client_for: ClientFor, sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for(sessions, world.agency) as session:
        visitor_id = make_visitor(session, world).id
    office = client_for(Role.SUPERVISOR, Role.AUDITOR, Role.ADMIN, org=world.agency)
    put = office.put(f"/visitors/{visitor_id}/photo", json=file_of(with_notes()))
    assert (put.status_code, put.json["kind"]) == (200, "jpeg")
    assert office.get(f"/visitors/{visitor_id}").json["photo_id"] == put.json["id"]
    link = office.post(f"/visitors/{visitor_id}/photo/links").json
    opened = client.get(path_of(link))
    assert (opened.status_code, opened.mimetype, opened.data[:3]) == (200, "image/jpeg", b"\xff\xd8\xff")
    assert "sandbox" in opened.headers["Content-Security-Policy"]
    assert opened.headers["Cache-Control"] == "no-store"
    (access,) = office.get(f"/files/{put.json['id']}/accesses").json["items"]
    assert [account["id"] for account in office.get("/accounts").json["items"]] == [access["account_id"]]
    assert client.get(path_of(link)[:-1] + "_").json["code"] == "file_link_refused"
    assert office.delete(f"/visitors/{visitor_id}/photo").status_code == 204
    assert office.post(f"/visitors/{visitor_id}/photo/links").json["code"] == "not_found"


def test_a_paper_has_its_scan_and_may_be_for_one_case(
    client: FlaskClient, client_for: ClientFor, sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for(sessions, world.lender) as session:
        case_id, foreign_id = make_case(session, world).id, make_case(session, world, placed=False).id
    with acting_for(sessions, world.agency) as session:
        visitor = make_visitor(session, world, papers=False)
        external_id = visitor.external_id
    office = client_for(Role.SUPERVISOR, org=world.agency)
    paper = {
        "external_id": "K-1",
        "visitor_external_id": external_id,
        "kind": "authorisation_letter",
        "number": "N-1",
        "issuer": "Aurora",
        "valid_from": "2026-01-01",
        "valid_until": "2026-12-31",
        "for_case_id": str(case_id),
    }
    stored = office.put("/credentials", json=paper).json["item"]
    assert (stored["for_case_id"], stored["file_id"]) == (str(case_id), None)
    assert office.put("/credentials", json=paper | {"for_case_id": str(foreign_id)}).json["code"] == "not_found"
    put = office.put(f"/credentials/{stored['id']}/file", json=file_of(PAPER))
    link = office.post(f"/credentials/{stored['id']}/file/links").json
    opened = client.get(path_of(link))
    assert (opened.data, opened.headers["Content-Disposition"]) == (
        PAPER,
        f'attachment; filename="{put.json["id"]}.pdf"',
    )


def test_a_file_that_is_not_taken_says_why(
    client_for: ClientFor, sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for(sessions, world.agency) as session:
        visitor = make_visitor(session, world, papers=False)
        paper_id = make_credential(session, visitor, kind=CredentialKind.BADGE).id
        visitor_id = visitor.id
    office = client_for(Role.SUPERVISOR, org=world.agency)
    refused = {
        name: office.put(f"/{path}", json=body).json["code"]
        for name, path, body in (
            ("no file", f"credentials/{paper_id}/file", {"content": "not base64!"}),
            ("empty", f"credentials/{paper_id}/file", {"content": ""}),
            ("a script", f"credentials/{paper_id}/file", file_of(b"#!/bin/sh\n")),
            ("a paper", f"visitors/{visitor_id}/photo", file_of(PAPER)),
            ("broken", f"visitors/{visitor_id}/photo", file_of(b"\xff\xd8\xff" + bytes(50))),
            ("nobody", f"visitors/{uuid.uuid4()}/photo", file_of(with_notes())),
        )
    }
    assert refused == {
        "no file": "invalid_request",
        "empty": "invalid_request",
        "a script": "file_not_taken",
        "a paper": "file_not_taken",
        "broken": "photo_unusable",
        "nobody": "not_found",
    }
    with acting_for(sessions, world.agency) as session:
        assert session.get_one(Visitor, visitor_id).photo_id is None
