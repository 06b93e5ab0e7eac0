"""Random triples of policies, facts and an instant, made fast: everything that decides hours, on a grid of minutes."""

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from fieldvisit.compliance.facts import (
    ConsentFact,
    ConsentForm,
    DebtorTime,
    Facts,
    LocalTimes,
    PlaceFacts,
    Question,
    Scope,
    WishKind,
)
from fieldvisit.compliance.parameters import (
    Breach,
    Fit,
    HolidayEffect,
    PolicyStatus,
    VisitsAllowed,
    WidenBy,
    ZoneBasis,
)
from fieldvisit.compliance.policy import Policy
from fieldvisit.compliance.rules import (
    DebtorTimesRule,
    FitRule,
    HolidayRule,
    VisitsRule,
    WidenRule,
    WindowRule,
    ZoneRule,
)
from fieldvisit.compliance.wallclock import WEEK, Day, WallClock
from fieldvisit.vocabulary import CheckMoment, PlaceKind, Role
from tests.compliance.worlds import SAID, visitor

ZONES = (
    *("Europe/Dublin", "Asia/Shanghai", "America/New_York", "Australia/Sydney", "Australia/Lord_Howe"),
    *("Asia/Kathmandu", "Pacific/Apia", "America/Santiago", "Europe/Kaliningrad", "Asia/Vladivostok"),
)
PLACES = (("IE", None), ("US", "US-MA"), ("AU", "AU-NSW"), ("CN", None), ("CL", None), ("XX", None))
JUMPS = (date(2026, 3, 8), date(2026, 3, 29), date(2026, 4, 5), date(2026, 9, 6), date(2026, 10, 25), date(2026, 11, 1))
CREW = (visitor(),)


def made_policy(random: Random, name: str) -> Policy:
    """A policy that speaks of hours alone, with every parameter that decides them."""
    breach = random.choice([Breach.BLOCK, Breach.BLOCK, Breach.NEEDS_OVERRIDE, Breach.WARN])
    said = {**SAID, "on_breach": breach, "override_role": Role.SUPERVISOR if breach is Breach.NEEDS_OVERRIDE else None}
    windows = []
    for number in range(random.randint(1, 3)):
        opens = random.randrange(0, 86_000, 60)
        windows.append(
            WindowRule(
                **said,
                id=f"{name}/windows/{number}",
                days=frozenset(random.sample(list(Day), random.randint(2, 8))),
                opens=WallClock(opens),
                closes=WallClock(random.randrange(opens + 60, 86_401, 60)),
                places=frozenset(random.sample(list(PlaceKind), random.randint(3, 6))),
            )
        )
    return Policy(
        id=name,
        version=1,
        title=name,
        jurisdiction="*",
        status=PolicyStatus.IN_FORCE,
        effective_from=date(2020, 1, 1),
        visits=VisitsRule(**SAID, id=f"{name}/visits/1", allowed=VisitsAllowed.YES),
        windows=tuple(windows),
        holidays=_maybe(random, lambda: _holidays(random, name)),
        zone=_maybe(random, lambda: _zone(random, name)),
        widen_by=tuple(_widening(random, name, number) for number in range(random.choice([0, 0, 1, 2]))),
        fit=_maybe(random, lambda: _fit(random, name)),
        debtor_times=_maybe(random, lambda: _debtor_times(random, name)),
    )


def made_facts(random: Random) -> Facts:
    country, region = random.choice(PLACES)
    place = PlaceFacts(
        id="home",
        kind=random.choice(list(PlaceKind)),
        zone=random.choice(ZONES),
        country=country,
        region=region,
        other_zones=(random.choice(ZONES),) if random.random() < 0.1 else (),
    )
    home = PlaceFacts(id="flat", kind=PlaceKind.HOME, zone=random.choice(ZONES), country=country, region=region)
    return Facts(
        place=place,
        case_id="case",
        scope=Scope(home=home if random.random() < 0.3 else None),
        candidate_zones=(random.choice(ZONES),) if random.random() < 0.2 else (),
        days_past_due=random.randint(0, 70),
        past_due_as_of=date(2026, 1, 1) + timedelta(days=random.randrange(365)),
        debtor_times=tuple(_wish(random, number) for number in range(random.choice([0, 0, 1, 2]))),
        consents=tuple(_consent(random, number) for number in range(random.choice([0, 0, 1]))),
    )


def made_question(random: Random) -> Question:
    day = random.choice(JUMPS) if random.random() < 0.3 else date(2026, 1, 1) + timedelta(days=random.randrange(365))
    begins_at = datetime.combine(day, time(), UTC) + timedelta(minutes=random.randrange(-720, 2_160))
    ends_at = begins_at + timedelta(minutes=random.choice([1, 5, 20, 60, 240, 700]))
    return Question(visit_id="visit", moment=CheckMoment.PLANNING, begins_at=begins_at, ends_at=ends_at, staff=CREW)


def _maybe(random: Random, make: Any) -> Any:
    return make() if random.random() < 0.6 else None


def _holidays(random: Random, name: str) -> HolidayRule:
    calendar = random.choice(["place", "AU", "US"])
    effect, observed = random.choice(list(HolidayEffect)), random.random() < 0.5
    return HolidayRule(**SAID, id=f"{name}/holidays/1", effect=effect, calendar=calendar, observed=observed)


def _zone(random: Random, name: str) -> ZoneRule:
    basis = random.choice(list(ZoneBasis))
    zone = random.choice(ZONES) if basis is ZoneBasis.FIXED else None
    return ZoneRule(**SAID, id=f"{name}/zone/1", basis=basis, zone=zone)


def _widening(random: Random, name: str, number: int) -> WidenRule:
    by, opens = random.choice(list(WidenBy)), random.randrange(0, 80_000, 60)
    return WidenRule(
        **SAID,
        id=f"{name}/widen_by/{number}",
        by=by,
        form=random.choice(list(ConsentForm)) if by is WidenBy.CONSENT else ConsentForm.ANY,
        min_overdue_days=random.randint(0, 60) if by is WidenBy.OVERDUE_DAYS else None,
        days=frozenset(random.sample(list(WEEK), random.randint(1, 7))),
        opens=WallClock(opens),
        closes=WallClock(random.randrange(opens + 60, 86_401, 60)),
    )


def _fit(random: Random, name: str) -> FitRule:
    fit = random.choice(list(Fit))
    margin = random.choice([0, 15, 45]) if fit is Fit.WHOLE_VISIT_INSIDE else 0
    return FitRule(**SAID, id=f"{name}/fit/1", fit=fit, margin_min=margin)


def _debtor_times(random: Random, name: str) -> DebtorTimesRule:
    most = random.choice([None, 10, 28, 60])
    binding, widens = random.random() < 0.7, random.random() < 0.5
    return DebtorTimesRule(
        **SAID, id=f"{name}/debtor_times/1", binding=binding, may_widen=widens, max_hours_per_week=most
    )


def _times(random: Random) -> LocalTimes:
    opens, closes = random.sample(range(1_440), 2)
    first = date(2026, 1, 1) + timedelta(days=random.randrange(300)) if random.random() < 0.3 else None
    return LocalTimes(
        weekdays=frozenset(random.sample(list(WEEK), random.randint(1, 7))),
        from_time=time(opens // 60, opens % 60),
        until_time=time(closes // 60, closes % 60),
        from_on=first,
        until_on=first + timedelta(days=random.randint(0, 90)) if first else None,
    )


def _wish(random: Random, number: int) -> DebtorTime:
    return DebtorTime(
        id=f"w{number}",
        kind=random.choice(list(WishKind)),
        times=_times(random),
        place_id=random.choice([None, None, "home", "elsewhere"]),
        stated_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=random.randrange(60)),
        workable=random.random() < 0.5,
    )


def _consent(random: Random, number: int) -> ConsentFact:
    return ConsentFact(
        id=f"c{number}",
        given_at=datetime(2025, 1, 1, tzinfo=UTC),
        revoked_at=datetime(2025, 6, 1, tzinfo=UTC) if random.random() < 0.2 else None,
        form=random.choice(list(ConsentForm)),
        times=_times(random),
    )
