"""Small named worlds: a home in Helsinki, a debtor whom the phone does not reach, a crew with its papers in order."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fieldvisit.compliance.decision import Decision
from fieldvisit.compliance.evaluate import evaluate
from fieldvisit.compliance.facts import (
    AttemptFact,
    BlockFact,
    CredentialFact,
    DebtorTime,
    Facts,
    LocalTimes,
    PlaceFacts,
    PlannedVisitFact,
    Question,
    StaffFact,
    WishKind,
)
from fieldvisit.compliance.intervals import Interval
from fieldvisit.compliance.loading import load_preset, policy_from_toml
from fieldvisit.compliance.parameters import Confidence, LegalForce
from fieldvisit.compliance.policy import Policy
from fieldvisit.languages import say
from fieldvisit.vocabulary import (
    AttemptResult,
    BlockScope,
    BlockTrigger,
    Channel,
    CheckMoment,
    CredentialKind,
    PlaceKind,
    ReachedDetail,
    Verdict,
)

HELSINKI, SHANGHAI = "Europe/Helsinki", "Asia/Shanghai"
HOUSE, CHINA = load_preset("house"), load_preset("cn")

HOME = PlaceFacts(id="home", kind=PlaceKind.HOME, zone=HELSINKI, country="FI")
FLAT_IN_SHANGHAI = PlaceFacts(id="flat", kind=PlaceKind.HOME, zone=SHANGHAI, country="CN")

SAID: dict[str, Any] = {"source": "a test", "legal_force": LegalForce.HOUSE, "confidence": Confidence.HOUSE}


def local(text: str, zone: str = HELSINKI, *, fold: int = 0) -> datetime:
    """``2026-03-03 10:00`` or with seconds, by the clock of the zone."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


NOW = local("2026-03-03 09:00")
"""A Tuesday."""


def span(begins: str, ends: str, zone: str = HELSINKI) -> Interval:
    return Interval(local(begins, zone), local(ends, zone))


def attempt(
    at: str | datetime,
    result: AttemptResult = AttemptResult.NO_ANSWER,
    *,
    number: str | None = "mobile",
    channel: Channel = Channel.CALL,
    zone: str = HELSINKI,
    case: str | None = "case",
    detail: ReachedDetail | None = None,
) -> AttemptFact:
    """An attempt whose id is the time it was made."""
    instant = local(at, zone) if isinstance(at, str) else at
    return AttemptFact(
        id=str(at),
        at=instant,
        channel=channel,
        result=result,
        contact_point_id=number,
        case_id=case,
        detail=detail,
    )


UNREACHED = (attempt("2026-02-23 10:00"), attempt("2026-02-24 13:00"), attempt("2026-02-25 18:00"))
"""Three calls on three days, morning, afternoon and evening; nobody answered."""


def facts(**changes: Any) -> Facts:
    """A debtor at home in Helsinki whom the phone does not reach; one known number."""
    known = Facts(place=HOME, case_id="case", creditor_id="lender", number_ids=("mobile",), attempts=UNREACHED)
    return replace(known, **changes)


def chinese_facts(**changes: Any) -> Facts:
    tried = tuple(attempt(f"2026-02-2{day} 10:00", zone=SHANGHAI) for day in (3, 4, 5))
    return facts(place=FLAT_IN_SHANGHAI, attempts=tried, **changes)


def paper(kind: CredentialKind, **changes: Any) -> CredentialFact:
    good = CredentialFact(
        id=f"{kind.value} of Aino", kind=kind, valid_from=date(2026, 1, 1), valid_until=date(2026, 12, 31)
    )
    return replace(good, **changes)


def visitor(name: str = "Aino", *papers: CredentialFact) -> StaffFact:
    """Somebody trained, with an identity card and a letter of authorisation, or with the papers given."""
    good = (CredentialKind.ID_CARD, CredentialKind.AUTHORISATION_LETTER, CredentialKind.CERTIFICATE)
    return StaffFact(visitor_id=name, credentials=papers or tuple(paper(kind) for kind in good))


def block(
    trigger: BlockTrigger = BlockTrigger.DISPUTE, scope: BlockScope = BlockScope.ALL, **changes: Any
) -> BlockFact:
    known = BlockFact(
        id="block",
        trigger=trigger,
        scope=scope,
        since=local("2026-03-01 12:00"),
        channel=Channel.VISIT if scope is BlockScope.CHANNEL else None,
        place_id="home" if scope is BlockScope.PLACE else None,
    )
    return replace(known, **changes)


def wish(kind: WishKind, wish_id: str = "wish", place_id: str | None = None, **times: Any) -> DebtorTime:
    return DebtorTime(id=wish_id, kind=kind, times=LocalTimes(**times), place_id=place_id)


def reserved(day: str, visit_id: str = "other visit", case: str | None = "case") -> PlannedVisitFact:
    return PlannedVisitFact(visit_id=visit_id, planned_on=date.fromisoformat(day), case_id=case)


def asked(
    begins: str | datetime = "2026-03-03 10:00",
    minutes: int = 30,
    *,
    moment: CheckMoment = CheckMoment.PLANNING,
    zone: str = HELSINKI,
    staff: tuple[StaffFact, ...] = (visitor(),),
    **changes: Any,
) -> Question:
    """A visit of half an hour by Aino."""
    begins_at = local(begins, zone) if isinstance(begins, str) else begins
    ends_at = begins_at.astimezone(UTC) + timedelta(minutes=minutes)
    return Question(visit_id="visit", moment=moment, begins_at=begins_at, ends_at=ends_at, staff=staff, **changes)


def eligible(**changes: Any) -> Question:
    return Question(visit_id="visit", moment=CheckMoment.ELIGIBLE, **changes)


def decide(question: Question, known: Facts, *policies: Policy, now: datetime = NOW) -> Decision:
    """The decision under these policies, or under the house policy alone."""
    return evaluate(question, known, policies or (HOUSE,), now)


def in_the_way(decision: Decision) -> list[str]:
    """The ids of the clauses that stand in the way."""
    return [clause.clause_id for clause in decision.clauses if clause.verdict is not Verdict.ALLOWED]


def words(decision: Decision, language: str = "en") -> list[str]:
    """What stands in the way, as a reader sees it."""
    return [say(clause.message, language) for clause in decision.clauses if clause.verdict is not Verdict.ALLOWED]


def policy(rules: str = "", *, name: str = "test", head: str = "", visits: str = "yes") -> Policy:
    """A policy from a few lines of TOML: open all day unless the rules say otherwise."""
    hours = "" if "[[windows]]" in rules else all_day(name)
    text = f"""
        id = "{name}"
        title = "A test"
        legal_force = "house"
        {head if "version" in head else "version = 1" + chr(10) + head}
        {"" if "jurisdiction" in head else 'jurisdiction = "*"'}
        {"" if "status" in head else 'status = "in_force"'}
        {"" if "effective_from" in head else "effective_from = 2020-01-01"}
        [visits]
        id = "{name}/visits/1"
        allowed = "{visits}"
        {SOURCE}
        {hours}
        {rules}
    """
    return policy_from_toml(text, "test.toml")


SOURCE = 'source = "a test"\nconfidence = "house"'

WEEK = '["mon", "tue", "wed", "thu", "fri", "sat", "sun"]'


def all_day(name: str = "test") -> str:
    return window("00:00", "24:00", name=name)


def window(opens: str, closes: str, *, days: str = WEEK, number: int = 1, name: str = "test", more: str = "") -> str:
    return f"""
        [[windows]]
        id = "{name}/windows/{number}"
        days = {days}
        opens = "{opens}"
        closes = "{closes}"
        {SOURCE}
        {more}
    """


def rule(parameter: str, body: str, *, number: int = 1, name: str = "test", many: bool = False) -> str:
    """One rule in TOML; `body` are its lines."""
    header = f"[[{parameter}]]" if many else f"[{parameter}]"
    return f'{header}\nid = "{name}/{parameter}/{number}"\n{SOURCE}\n{body}\n'
