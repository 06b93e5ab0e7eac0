"""The page behind a visitor's code, as a stranger with an old telephone sees it."""

import base64
import dataclasses
import re
import uuid
from html.parser import HTMLParser
from io import BytesIO
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy.orm import Session, sessionmaker
from structlog.testing import capture_logs

from api.context import KEY
from api.verification import LIMIT
from fieldvisit.database import Urls, acting_for
from fieldvisit.models import Visit, Visitor
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import Role, VisitState
from tests.api.conftest import ClientFor
from tests.verification_worlds import NUMBER, Door, make_door
from tests.worlds import HELSINKI


class Tags(HTMLParser):
    """Every element with its attributes, and every text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data + "\n"


@pytest.fixture
def door(sessions: sessionmaker[Session], settings: Settings) -> Door:
    return make_door(sessions, settings)


@pytest.fixture
def phone(client_for: ClientFor, door: Door) -> FlaskClient:
    return client_for(Role.VISITOR, org=door.agency, visitor_id=door.morning.ilta)


def path_of(url: str) -> str:
    return "/" + url.split("/", 3)[3]


def says_nothing_beside(photo: bytes) -> bool:
    with Image.open(BytesIO(photo)) as image:
        return not image.getexif()


def test_the_page_confirms_and_holds_nothing_of_the_debtor(
    client: FlaskClient, client_for: ClientFor, phone: FlaskClient, door: Door, sessions: sessionmaker[Session]
) -> None:
    day = phone.post("/phone/verification-codes").json["items"]
    one = phone.post(f"/phone/visits/{door.morning.visit}/verification-code").json
    assert day[0] == one
    assert len(one["url"].rsplit("/", 1)[1]) == 43
    with Image.open(BytesIO(base64.b64decode(one["qr_png"]))) as picture:
        assert (picture.format, picture.size[0] == picture.size[1]) == ("PNG", True)
    assert one["qr_svg"].startswith("<svg ")

    page = client.get(path_of(one["url"]))
    tags = Tags(page.text)
    assert (page.status_code, page.mimetype, page.headers["Content-Language"]) == (200, "text/html", "en")
    with acting_for(sessions, door.agency) as session:
        number = session.get_one(Visitor, door.morning.ilta).staff_number
    held = ("Yes, this visitor is known.", "Pohjola <Field> & Sons", "3 March 2026 24:00", "2 May 2026", "112")
    assert [told for told in (*held, number, NUMBER) if told not in tags.text] == []
    assert ("a", {"href": "tel:+358201234567"}) in tags.elements
    said = (page.text + str(page.headers)).lower()
    photo = re.search(r'src="data:image/jpeg;base64,([^"]+)"', page.text)
    assert photo is not None
    assert [secret for secret in door.secrets if secret.lower() in said.replace(photo[1].lower(), "")] == []
    assert says_nothing_beside(base64.b64decode(photo[1]))

    # A stranger's look-ups are the organisation's to see, and nobody else's.
    office = client_for(Role.SUPERVISOR, org=door.agency)
    (line,) = office.get("/verification-lookups").json["items"]
    assert (line["result"], line["visit_id"], line["reason"]) == ("confirmed", str(door.morning.visit), None)
    assert re.fullmatch(r"[0-9a-f]{16}", line["address"])
    assert office.get(f"/verification-lookups?visitor_id={uuid.uuid4()}").json["items"] == []
    stranger = client_for(Role.SUPERVISOR, org=door.morning.world.stranger)
    assert stranger.get("/verification-lookups").json["items"] == []


def test_the_page_needs_no_script_and_loads_nothing(client: FlaskClient, phone: FlaskClient, door: Door) -> None:
    url = phone.post(f"/phone/visits/{door.morning.visit}/verification-code").json["url"]
    page = client.get(path_of(url))
    tags = Tags(page.text)
    assert {tag for tag, _ in tags.elements}.isdisjoint({"script", "link", "iframe", "form", "object", "base"})
    loaded = [attributes["src"] for _, attributes in tags.elements if attributes.get("src")]
    assert [source for source in loaded if not str(source).startswith("data:image/jpeg;base64,")] == []
    assert [name for _, each in tags.elements for name in each if name.startswith("on") or name == "style"] == []
    headers = page.headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert "script" not in headers["Content-Security-Policy"]
    assert (headers["Cache-Control"], headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert headers["X-Robots-Tag"].startswith("noindex")
    assert "Set-Cookie" not in headers
    assert len(page.data) < 40_000


def test_the_page_speaks_the_readers_language_and_offers_the_other(
    client: FlaskClient, phone: FlaskClient, door: Door
) -> None:
    path = path_of(phone.post(f"/phone/visits/{door.morning.visit}/verification-code").json["url"])
    chinese = client.get(path, headers={"Accept-Language": "zh-CN,zh;q=0.9"})
    assert "已核实：此人是我们的外访员。" in chinese.text
    assert "2026年3月3日 24:00" in chinese.text
    assert (chinese.headers["Content-Language"], '<html lang="zh-CN"' in chinese.text) == ("zh-CN", True)
    assert ("a", {"href": "?lang=en", "lang": "en"}) in Tags(chinese.text).elements
    english = client.get(f"{path}?lang=en", headers={"Accept-Language": "zh-CN"})
    assert "Yes, this visitor is known." in english.text
    assert ("a", {"href": "?lang=zh-CN", "lang": "zh-CN"}) in Tags(english.text).elements
    assert client.get(f"{path}?lang=<script>&utm=x").status_code == 200


def test_what_is_not_good_is_told_plainly_and_shows_nobody(
    client: FlaskClient, phone: FlaskClient, door: Door, sessions: sessionmaker[Session], urls: Urls
) -> None:
    path = path_of(phone.post(f"/phone/visits/{door.morning.visit}/verification-code").json["url"])
    other = path_of(phone.post(f"/phone/visits/{door.morning.visits[1]}/verification-code").json["url"])
    with acting_for(sessions, door.agency) as session:
        session.get_one(Visit, door.morning.visits[1]).state = VisitState.REPORTED
        session.get_one(Visitor, door.morning.ilta).active = False
    pages = {
        "expired": client.get(other),
        "withdrawn": client.get(path),
        "forged": client.get(path[:-1] + ("A" if path[-1] != "A" else "E")),
        "unknown": client.get("/v/" + "A" * 43),
        "long": client.get("/v/" + "A" * 5_000),
        "broken": client.get("/v/%00%ff<script>alert(1)</script>/../x"),
    }
    assert {name: page.status_code for name, page in pages.items()} == {
        "expired": 410,
        "withdrawn": 410,
        "forged": 404,
        "unknown": 404,
        "long": 404,
        "broken": 404,
    }
    assert len({pages[name].text for name in ("forged", "unknown", "long", "broken")}) == 1
    for page in pages.values():
        assert "<img" not in page.text
        assert "<script" not in page.text
        assert [secret for secret in door.secrets if secret.lower() in page.text.lower()] == []
    with acting_for(sessions, door.agency) as session:
        number = session.get_one(Visitor, door.morning.ilta).staff_number
    # The house's telephone number may hold the same digits: visitor 01234 was found in it.
    without = {name: page.text.replace(NUMBER.replace(" ", ""), "") for name, page in pages.items()}
    assert [name for name, text in without.items() if number in text] == []
    assert [name for name, page in pages.items() if NUMBER in page.text] == ["expired", "withdrawn"]


def test_a_paper_taken_back_is_felt_at_the_next_call_from_the_way_and_at_the_next_look(
    client: FlaskClient, client_for: ClientFor, phone: FlaskClient, door: Door
) -> None:
    visit = f"/phone/visits/{door.morning.visit}"
    path = path_of(phone.post(f"{visit}/verification-code").json["url"])
    assert phone.post(f"{visit}/set-out", json={"event_id": str(uuid.uuid4())}).status_code == 201
    assert client.get(path).status_code == 200
    office = client_for(Role.SUPERVISOR, org=door.agency)
    papers = office.get(f"/visitors/{door.morning.ilta}/credentials").json["items"]
    assert office.post(f"/credentials/{papers[0]['id']}/revocation").status_code == 200
    here = {"lat": HELSINKI[0], "lon": HELSINKI[1], "datum": "wgs84", "accuracy_m": 12}
    refused = phone.post(f"{visit}/arrival", json={"event_id": str(uuid.uuid4()), "position": here})
    assert (refused.status_code, refused.json["code"]) == (409, "visit_cancelled")
    assert phone.post(f"{visit}/verification-code").json["code"] == "visit_cancelled"
    assert "No. Nobody is to visit with this code now." in client.get(path).text


def test_the_page_is_read_and_not_written_to(client: FlaskClient, phone: FlaskClient, door: Door) -> None:
    path = path_of(phone.post(f"/phone/visits/{door.morning.visit}/verification-code").json["url"])
    head = client.head(path)
    assert (head.status_code, head.data, head.mimetype) == (200, b"", "text/html")
    assert {client.open(path, method=method).status_code for method in ("POST", "PUT", "DELETE", "PATCH")} == {405}


def test_one_network_may_not_ask_for_ever(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        for _ in range(29):
            app.extensions[KEY].limiter.count("verification 192.0.2.1", limit=LIMIT)
    pages = [client.get("/v/x", environ_overrides={"REMOTE_ADDR": "192.0.2.1"}) for _ in range(2)]
    assert [page.status_code for page in pages] == [404, 429]
    last = pages[-1]
    assert "Please wait a moment." in last.text
    assert (last.headers["RateLimit-Limit"], last.headers["RateLimit-Remaining"]) == ("30", "0")
    assert int(last.headers["Retry-After"]) > 0
    assert client.get("/v/x", environ_overrides={"REMOTE_ADDR": "192.0.2.2"}).status_code == 404


def test_a_database_that_is_away_confirms_nobody(client: FlaskClient, urls: Urls) -> None:
    client.get("/v/x")
    owner = sa.create_engine(urls.owner, poolclass=sa.NullPool)
    with owner.begin() as connection:
        connection.execute(sa.text("alter table verification_codes rename to away"))
    with capture_logs() as lines:
        page = client.get("/v/x")
    assert (page.status_code, "We cannot check this just now." in page.text) == (503, True)
    assert [line["event"] for line in lines][:1] == ["verification_unavailable"]


def test_no_log_holds_a_code(client: FlaskClient, phone: FlaskClient, door: Door) -> None:
    path = path_of(phone.post(f"/phone/visits/{door.morning.visit}/verification-code").json["url"])
    with capture_logs() as lines:
        client.get(path)
    assert path.rsplit("/", 1)[1] not in str(lines)
    assert lines[-1]["route"] == "/v/<path:code>"


def test_the_address_is_the_one_that_the_world_knows(
    app: Flask, phone: FlaskClient, door: Door, settings: Settings
) -> None:
    url = phone.post(f"/phone/visits/{door.morning.visit}/verification-code").json["url"]
    assert url.startswith("http://localhost/v/")
    app.extensions[KEY] = dataclasses.replace(
        app.extensions[KEY], settings=dataclasses.replace(settings, public_url="https://check.example.org/")
    )
    known = phone.post(f"/phone/visits/{door.morning.visit}/verification-code").json["url"]
    assert known == url.replace("http://localhost/", "https://check.example.org/")
