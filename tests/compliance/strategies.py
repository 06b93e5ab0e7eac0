"""Random policies, facts and questions for the property tests: everything on a grid of a quarter of an hour."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from hypothesis import strategies as st

from fieldvisit.compliance.conduct_rules import VisitLengthRule
from fieldvisit.compliance.facts import (
    AgencyReviewFact,
    AttemptFact,
    BlockFact,
    ConsentFact,
    ConsentForm,
    DebtorTime,
    Facts,
    LocalTimes,
    PlaceFacts,
    Question,
    WishKind,
)
from fieldvisit.compliance.parameters import (
    Breach,
    CapPeriod,
    CapScope,
    Counts,
    Fit,
    HolidayEffect,
    PlaceDemand,
    PolicyStatus,
    VisitsAllowed,
    WidenBy,
    ZoneBasis,
)
from fieldvisit.compliance.people_rules import AgencyReviewRule, CredentialRule, PeopleRule
from fieldvisit.compliance.policy import Policy
from fieldvisit.compliance.rules import (
    CapRule,
    DebtorTimesRule,
    FitRule,
    HolidayRule,
    PlaceRule,
    PriorEffortRule,
    StopRule,
    VisitsRule,
    WidenRule,
    WindowRule,
    ZoneRule,
)
from fieldvisit.compliance.wallclock import WEEK, Day, WallClock
from fieldvisit.vocabulary import (
    AgencyReviewKind,
    AttemptResult,
    BlockScope,
    BlockTrigger,
    Channel,
    CheckMoment,
    CredentialKind,
    PlaceKind,
    Role,
)
from tests.compliance.worlds import SAID, paper, visitor

ZONES = st.sampled_from(
    ["Europe/Helsinki", "Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"]
)
QUARTER_S = 900

DAYS = st.one_of(
    st.sampled_from([date(2026, 3, 28), date(2026, 3, 29), date(2026, 10, 24), date(2026, 10, 25), date(2026, 4, 3)]),
    st.dates(date(2026, 1, 1), date(2026, 12, 31)),
)


def rule_fields(draw: Any, rule_id: str) -> dict[str, Any]:
    """A rule that may block, need an override, or only warn."""
    breach = draw(st.sampled_from(Breach))
    role = Role.SUPERVISOR if breach is Breach.NEEDS_OVERRIDE else None
    return {**SAID, "id": rule_id, "on_breach": breach, "override_role": role}


@st.composite
def local_times(draw: Any) -> LocalTimes:
    """Recurring times; every fourth or so runs over midnight."""
    opens, closes = draw(st.integers(0, 95)), draw(st.integers(0, 95))
    first = draw(st.none() | DAYS)
    return LocalTimes(
        weekdays=draw(st.frozensets(st.sampled_from(WEEK), min_size=1)),
        from_time=time(opens // 4, opens % 4 * 15),
        until_time=time(closes // 4, closes % 4 * 15) if closes != opens else None,
        from_on=first,
        until_on=first + timedelta(days=draw(st.integers(0, 60))) if first else None,
    )


@st.composite
def hours(draw: Any, name: str) -> dict[str, Any]:
    """Everything of a policy that decides its hours."""
    breach = rule_fields(draw, "")
    windows = []
    for number in range(draw(st.integers(1, 3))):
        opens = draw(st.integers(0, 95))
        windows.append(
            WindowRule(
                **{**breach, "id": f"{name}/windows/{number}"},
                days=draw(st.frozensets(st.sampled_from(Day), min_size=1)),
                opens=WallClock(opens * QUARTER_S),
                closes=WallClock(draw(st.integers(opens + 1, 96)) * QUARTER_S),
            )
        )
    fixed = draw(st.none() | ZONES)
    widening = WidenRule(**SAID, id=f"{name}/widen_by/1", by=WidenBy.CONSENT, form=draw(st.sampled_from(ConsentForm)))
    return {
        "windows": tuple(windows),
        "holidays": draw(
            st.none()
            | st.sampled_from(HolidayEffect).map(lambda e: HolidayRule(**SAID, id=f"{name}/holidays/1", effect=e))
        ),
        "zone": ZoneRule(**SAID, id=f"{name}/zone/1", basis=ZoneBasis.FIXED, zone=fixed) if fixed else None,
        "widen_by": (widening,) if draw(st.booleans()) else (),
        "fit": draw(
            st.none()
            | st.sampled_from([0, 15, 45]).map(
                lambda m: FitRule(**SAID, id=f"{name}/fit/1", fit=Fit.WHOLE_VISIT_INSIDE, margin_min=m)
            )
        ),
        "debtor_times": draw(
            st.none() | st.booleans().map(lambda b: DebtorTimesRule(**SAID, id=f"{name}/debtor_times/1", binding=b))
        ),
    }


@st.composite
def demands(draw: Any, name: str) -> dict[str, Any]:
    """What must have come before: permission, failed contact, room in the caps."""
    cap = CapRule(
        **rule_fields(draw, f"{name}/caps/1"),
        max=draw(st.integers(1, 3)),
        period=CapPeriod.ROLLING_DAYS,
        days=draw(st.integers(1, 10)),
        channels=frozenset({Channel.VISIT, *draw(st.frozensets(st.sampled_from(Channel)))}),
        counts=draw(st.sampled_from(Counts)),
        scope=draw(st.sampled_from(CapScope)),
        min_gap_days=draw(st.integers(0, 3)),
    )
    effort = PriorEffortRule(
        **rule_fields(draw, f"{name}/prior_effort/1"),
        min_failed=draw(st.integers(1, 3)),
        within_days=draw(st.integers(2, 30)),
        min_days=draw(st.integers(1, 2)),
        channels=frozenset({Channel.CALL}),
        results=frozenset({AttemptResult.NO_ANSWER, AttemptResult.NUMBER_INVALID}),
        every_number_tried=draw(st.booleans()),
        invalid_at_once=draw(st.booleans()),
    )
    return {
        "visits": VisitsRule(**rule_fields(draw, f"{name}/visits/1"), allowed=draw(st.sampled_from(VisitsAllowed))),
        "prior_effort": effort,
        "caps": (cap,) if draw(st.booleans()) else (),
    }


@st.composite
def surroundings(draw: Any, name: str) -> dict[str, Any]:
    """What a policy says of blocks, places, people and papers."""
    stop = StopRule(
        **rule_fields(draw, f"{name}/stops/1"),
        trigger=draw(st.sampled_from(BlockTrigger)),
        effect=draw(st.sampled_from(BlockScope)),
    )
    place = PlaceRule(
        **rule_fields(draw, f"{name}/places/1"),
        place=draw(st.sampled_from(PlaceKind)),
        demand=draw(st.sampled_from(PlaceDemand)),
    )
    papers = CredentialRule(
        **rule_fields(draw, f"{name}/credentials/1"),
        any_of=draw(st.frozensets(st.sampled_from(CredentialKind), min_size=1)),
    )
    length = VisitLengthRule(
        **rule_fields(draw, f"{name}/visit_length/1"), minutes=draw(st.none() | st.integers(5, 90))
    )
    review = AgencyReviewRule(
        **rule_fields(draw, f"{name}/agency_reviews/1"),
        kind=draw(st.sampled_from(AgencyReviewKind)),
        every_months=draw(st.integers(1, 24)),
    )
    return {
        "visit_length": draw(st.none() | st.just(length)),
        "agency_reviews": (review,) if draw(st.booleans()) else (),
        "stops": (stop,),
        "places": (place,) if draw(st.booleans()) else (),
        "credentials": (papers,) if draw(st.booleans()) else (),
        "staff_min": PeopleRule(**rule_fields(draw, f"{name}/staff_min/1"), people=draw(st.integers(1, 3))),
        "staff_max": draw(
            st.none() | st.integers(1, 3).map(lambda n: PeopleRule(**SAID, id=f"{name}/staff_max/1", people=n))
        ),
    }


def _policy(name: str, rules: dict[str, Any]) -> Policy:
    allowed = VisitsRule(**SAID, id=f"{name}/visits/1", allowed=VisitsAllowed.YES)
    return Policy(
        id=name,
        version=1,
        title=name,
        jurisdiction="*",
        status=PolicyStatus.IN_FORCE,
        effective_from=date(2020, 1, 1),
        **{"visits": allowed, **rules},
    )


def open_policies(name: str) -> st.SearchStrategy[Policy]:
    """Policies that speak of hours alone."""
    return hours(name).map(lambda rules: _policy(name, rules))


def policies(name: str) -> st.SearchStrategy[Policy]:
    """Policies that speak of everything."""
    return st.tuples(hours(name), demands(name), surroundings(name)).map(
        lambda all_: _policy(name, all_[0] | all_[1] | all_[2])
    )


@st.composite
def known_facts(draw: Any) -> Facts:
    """A place somewhere, with wishes, consents, attempts and blocks."""
    when = st.integers(0, 365 * 96).map(lambda q: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=q * QUARTER_S))
    wishes = draw(st.lists(st.tuples(st.sampled_from(WishKind), local_times()), max_size=3))
    consents = draw(st.lists(st.tuples(st.sampled_from(ConsentForm), local_times(), st.booleans()), max_size=2))
    tried = draw(st.lists(st.tuples(when, st.sampled_from(Channel), st.sampled_from(AttemptResult)), max_size=8))
    return Facts(
        place=PlaceFacts(id="home", kind=draw(st.sampled_from(PlaceKind)), zone=draw(ZONES), country="FI"),
        case_id="case",
        number_ids=("mobile",),
        debtor_times=tuple(DebtorTime(id=f"w{n}", kind=kind, times=times) for n, (kind, times) in enumerate(wishes)),
        consents=tuple(
            ConsentFact(
                id=f"c{n}",
                given_at=datetime(2026, 1, 1, tzinfo=UTC),
                revoked_at=datetime(2026, 1, 2, tzinfo=UTC) if revoked else None,
                form=form,
                times=times,
            )
            for n, (form, times, revoked) in enumerate(consents)
        ),
        attempts=tuple(
            AttemptFact(id=f"a{n}", at=at, channel=channel, result=result, contact_point_id="mobile", case_id="case")
            for n, (at, channel, result) in enumerate(tried)
        ),
        blocks=tuple(draw(st.lists(blocks(), max_size=1))),
        agency_reviews=tuple(draw(st.lists(reviews(), max_size=2))),
    )


@st.composite
def reviews(draw: Any) -> AgencyReviewFact:
    on = date(2024, 1, 1) + timedelta(days=draw(st.integers(0, 1_000)))
    return AgencyReviewFact(
        id=f"r{draw(st.integers(0, 99))}",
        kind=draw(st.sampled_from(AgencyReviewKind)),
        reviewed_on=on,
        next_due_on=draw(st.none() | st.just(on + timedelta(days=200))),
    )


@st.composite
def blocks(draw: Any) -> BlockFact:
    scope = draw(st.sampled_from(BlockScope))
    return BlockFact(
        id=f"b{draw(st.integers(0, 99))}",
        trigger=draw(st.sampled_from(BlockTrigger)),
        scope=scope,
        since=datetime(2026, 1, 1, tzinfo=UTC),
        until=draw(st.none() | st.just(datetime(2026, 6, 30, tzinfo=UTC))),
        channel=draw(st.sampled_from(Channel)) if scope is BlockScope.CHANNEL else None,
        place_id=draw(st.sampled_from(["home", "work"])) if scope is BlockScope.PLACE else None,
    )


@st.composite
def questions(draw: Any) -> Question:
    """A visit of up to ten hours on some day of 2026, by one or two people."""
    begins_at = datetime.combine(draw(DAYS), time(), UTC) + timedelta(minutes=5 * draw(st.integers(-144, 432)))
    names = draw(st.sampled_from([("Aino",), ("Aino", "Eero")]))
    crew = tuple(
        visitor(name, *(paper(kind) for kind in draw(st.frozensets(st.sampled_from(CredentialKind))))) for name in names
    )
    ends_at = begins_at + timedelta(minutes=5 * draw(st.integers(1, 120)))
    return Question(visit_id="visit", moment=CheckMoment.PLANNING, begins_at=begins_at, ends_at=ends_at, staff=crew)
