"""The page behind a visitor's code, for anybody with any telephone: no script, no request beside it, large letters.

What it tells is in `Answer`; everything that comes from there is escaped.
"""

import base64
import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

from babel.dates import format_date
from flask import Response

from fieldvisit.languages import LANGUAGES, Message, say, tag
from fieldvisit.planning.picture_markup import element, markup
from fieldvisit.verifying import Answer, Person
from fieldvisit.vocabulary import LookupResult

STYLE = (
    "body{margin:0;background:#f2f4f6;color:#111;"
    "font:20px/1.45 -apple-system,'PingFang SC','Microsoft YaHei','Noto Sans CJK SC','Noto Sans',Arial,sans-serif}"
    "main{max-width:34em;margin:0 auto;background:#fff;padding-bottom:1em;word-wrap:break-word}"
    ".lang{margin:0;padding:.4em 16px;text-align:right;background:#fff}"
    "a{color:#0b4f9c}"
    ".says{margin:0;padding:18px 16px;color:#fff}"
    ".says h1{margin:0;font-size:1.45em;line-height:1.25}"
    ".says p{margin:.4em 0 0}"
    ".good{background:#0a6b35}.old{background:#8a5200}.bad{background:#a31621}.none{background:#3d4852}"
    ".who{padding:16px;text-align:center}"
    ".who img{width:180px;max-width:70%;height:auto;border:1px solid #888}"
    ".blank{display:inline-block;padding:3em 1em;border:1px solid #888;background:#eee}"
    ".number{font-size:1.6em;font-weight:bold;letter-spacing:.06em;margin:.2em 0 0}"
    ".small{margin:.5em 0 0;color:#333}"
    "dl{margin:0 16px;border-top:1px solid #bbb}"
    "dt{padding-top:.6em;color:#333;font-size:.9em}"
    "dd{margin:0;padding-bottom:.6em;border-bottom:1px solid #bbb;font-weight:bold}"
    ".call{margin:16px;padding:14px;border:3px solid #0b4f9c;text-align:center}"
    ".call a{display:block;font-size:1.45em;font-weight:bold;padding:.25em 0}"
    ".call p{margin:0}"
    "ul{margin:16px;padding-left:1.1em}li{margin-bottom:.6em}"
)
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
# Whoever knows of hashes takes the hash and no other style; an old browser knows the second word only.
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_HASH}' 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
NAMES = {"en": "English", "zh_CN": "中文"}
DAYS = {"en": "d MMMM y", "zh_CN": "y年M月d日"}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What stands at the top, in its colour, and what to do."""

    colour: str
    title: Message
    more: Message
    advice: tuple[Message, ...]


KEEP_OUT = Message("You do not have to open the door, to talk, or to show or sign anything.")
OWN_NUMBER = Message(
    "If you want to ask, call a number that you found yourself: on a letter, on a card, on a web site. Not one that "
    "the person at the door gives you."
)
VERDICTS = {
    LookupResult.CONFIRMED: Verdict(
        colour="good",
        title=Message("Yes, this visitor is known."),
        more=Message("{organisation} has sent this person. Compare the face."),
        advice=(
            Message("Is it the same face, and the same number on the card that you are shown? If not, do not open."),
            KEEP_OUT,
            Message("You may ask the visitor to leave at any time."),
        ),
    ),
    LookupResult.EXPIRED: Verdict(
        colour="old",
        title=Message("This code is no longer valid."),
        more=Message("It confirms nobody. Ask the visitor for a new one."),
        advice=(Message("If you are shown no new code, do not open the door."), KEEP_OUT),
    ),
    LookupResult.WITHDRAWN: Verdict(
        colour="bad",
        title=Message("No. Nobody is to visit with this code now."),
        more=Message("It was ours, and was withdrawn."),
        advice=(Message("Do not open the door to the person who shows it."), KEEP_OUT),
    ),
    LookupResult.UNKNOWN: Verdict(
        colour="bad",
        title=Message("We do not know this code."),
        more=Message("It confirms nobody."),
        advice=(
            Message("If you typed or copied it, scan the picture on the visitor's phone instead."),
            Message("If the picture leads here, do not open the door."),
            KEEP_OUT,
            OWN_NUMBER,
        ),
    ),
}
TOO_MANY = Verdict(
    colour="none",
    title=Message("Please wait a moment."),
    more=Message(
        "Many codes were checked from your network. Try again in {seconds} seconds. This says nothing about the "
        "visitor."
    ),
    advice=(KEEP_OUT,),
)
UNAVAILABLE = Verdict(
    colour="none",
    title=Message("We cannot check this just now."),
    more=Message("Nothing was confirmed. Try again in a minute."),
    advice=(KEEP_OUT, OWN_NUMBER),
)


def page_of(answer: Answer, spoken: str, *, now: dt.datetime) -> str:
    """The page for this answer. One that was forged looks as one that is unknown."""
    verdict = VERDICTS.get(answer.result, VERDICTS[LookupResult.UNKNOWN])
    parts: list[Element | None] = [_says(verdict, spoken, organisation=answer.organisation)]
    if answer.person is not None:
        parts += [_who(answer.person, spoken), _facts(answer, answer.person, spoken, now)]
    parts += [_call(answer, spoken), _advice(verdict, answer, spoken)]
    return _document(verdict, parts, spoken)


def too_many(spoken: str, *, wait_s: int) -> str:
    return _document(TOO_MANY, [_says(TOO_MANY, spoken, seconds=wait_s), _advice(TOO_MANY, None, spoken)], spoken)


def unavailable(spoken: str) -> str:
    return _document(UNAVAILABLE, [_says(UNAVAILABLE, spoken), _advice(UNAVAILABLE, None, spoken)], spoken)


def respond(page: str, spoken: str, status: int) -> Response:
    """The page, kept by nobody, found by no search, framed by no site."""
    response = Response(page, status=status, mimetype="text/html")
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    response.content_language.add(tag(spoken))
    return response


def _document(verdict: Verdict, parts: Sequence[Element | None], spoken: str) -> str:
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("title", say(verdict.title, spoken)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="robots", content="noindex, nofollow"),
        element("style", STYLE),
    )
    other = next(each for each in LANGUAGES if each != spoken)
    switch = element("p", element("a", NAMES[other], href=f"?lang={tag(other)}", lang=tag(other)), class_="lang")
    page = element("html", head, element("body", element("main", switch, *parts)), lang=tag(spoken))
    return "<!doctype html>\n" + markup(page) + "\n"


def _says(verdict: Verdict, spoken: str, **values: object) -> Element:
    more = say(Message(verdict.more.text, values), spoken)
    return element(
        "div", element("h1", say(verdict.title, spoken)), element("p", more), class_=f"says {verdict.colour}"
    )


def _who(person: Person, spoken: str) -> Element:
    if person.photo is None:
        photo = element("span", say("There is no photo on file.", spoken), class_="blank")
    else:
        source = "data:image/jpeg;base64," + base64.b64encode(person.photo).decode()
        photo = element("img", src=source, alt=say("Photo of the visitor", spoken))
    number = element("p", person.staff_number, class_="number")
    return element("div", photo, element("p", say("Staff number", spoken), class_="small"), number, class_="who")


def _facts(answer: Answer, person: Person, spoken: str, now: dt.datetime) -> Element:
    zone = ZoneInfo(answer.zone)
    rows: list[tuple[str, str]] = [(say("Organisation", spoken), answer.organisation or "")]
    if person.papers_until is not None:
        rows.append((say("Papers valid until", spoken), _day(person.papers_until, spoken)))
    rows.append((say("Checked at", spoken), _moment(now, zone, spoken)))
    if answer.expires_at is not None:
        rows.append((say("This code is valid until", spoken), _moment(answer.expires_at, zone, spoken)))
    return element("dl", *(part for name, value in rows for part in (element("dt", name), element("dd", value))))


def _day(day: dt.date, spoken: str) -> str:
    return format_date(day, DAYS[spoken], locale=spoken)


def _moment(at: dt.datetime, zone: ZoneInfo, spoken: str) -> str:
    """The midnight that ends a day is told as its end: a code of the third of March is not one of the fourth."""
    local = at.astimezone(zone)
    if local.time() == dt.time():
        return f"{_day(local.date() - dt.timedelta(days=1), spoken)} 24:00"
    return f"{_day(local.date(), spoken)} {local:%H:%M}"


def _call(answer: Answer, spoken: str) -> Element | None:
    if answer.phone is None:
        return None
    digits = "".join(each for each in answer.phone if each.isdigit() or each == "+")
    asked = say(Message("Questions? Call {organisation}:", {"organisation": answer.organisation}), spoken)
    return element("div", element("p", asked), element("a", answer.phone, href=f"tel:{digits}"), class_="call")


def _advice(verdict: Verdict, answer: Answer | None, spoken: str) -> Element:
    lines = [say(each, spoken) for each in verdict.advice]
    if answer is not None and answer.emergency_number is not None:
        lines.append(say(Message("In danger? Call {number}.", {"number": answer.emergency_number}), spoken))
    return element("ul", *(element("li", line) for line in lines))
