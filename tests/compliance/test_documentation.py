"""What the operator reads about the presets is what the presets say."""

from pathlib import Path

import fieldvisit
from fieldvisit.compliance.loading import load_preset, preset_names
from fieldvisit.compliance.parameters import Confidence
from fieldvisit.compliance.policy import Policy
from fieldvisit.compliance.rules import CapRule
from fieldvisit.compliance.wallclock import Day
from fieldvisit.vocabulary import BlockTrigger, Channel

PAGE = (Path(fieldvisit.__file__).parent.parent / "docs" / "compliance.md").read_text("utf-8")


def table() -> dict[str, list[str]]:
    """The columns of the table of presets by their heading; the first column under `parameter`."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("|")]
    return {column[0]: list(column[2:]) for column in zip(*rows, strict=True)}


def told(policy: Policy) -> dict[str, str]:
    """What the table has to say of a preset."""
    zone, fit, verify, holidays = policy.zone, policy.fit, policy.verify, policy.holidays
    return {
        "jurisdiction": policy.jurisdiction,
        "in force from": policy.effective_from.isoformat(),
        "visits": policy.visits.allowed
        + (" (house's reading)" if policy.id != "house" and policy.visits.confidence is Confidence.HOUSE else ""),
        "prior effort": effort(policy),
        "hours": "; ".join(
            f"{' '.join([day for day in Day if day in w.days])} {w.opens}–{w.closes}" for w in policy.windows
        ),
        "margin after the visit": f"{fit.margin_min} min" if fit else "none",
        "holidays": f"{holidays.effect}, of the {holidays.calendar}" if holidays else "not looked at",
        "whose clock": zone.zone if zone and zone.zone else "that of the place",
        "consent opens hours": "yes, " + ", ".join(f"{w.form} form" for w in policy.widen_by)
        if policy.widen_by
        else "no",
        "the debtor's own times": "bind"
        if policy.debtor_times is None or policy.debtor_times.narrows
        else "do not bind",
        "caps on visits": "; ".join(cap(c) for c in policy.caps if Channel.VISIT in c.channels) or "none",
        "people at the door": people(policy),
        "papers, each of the crew": "; ".join(" or ".join(sorted(c.any_of)) for c in policy.credentials),
        "places": ", ".join(sorted(f"{p.place} {p.demand}" for p in policy.places)) or "any",
        "identity before the debt is spoken of": "yes" if verify and verify.before_disclosure else "not stated",
        "stops": "every reason"
        if {stop.trigger for stop in policy.stops} == set(BlockTrigger)
        else "by the scope of the block",
    }


def effort(policy: Policy) -> str:
    rule = policy.prior_effort
    assert rule is not None
    every = ", every number tried" if rule.every_number_tried else ""
    parts = f"{rule.min_days} days, {rule.min_day_parts} parts of the day"
    return f"{rule.min_failed} failures, {parts}, within {rule.within_days} days{every}"


def cap(rule: CapRule) -> str:
    return f"{rule.max} in {rule.days} {rule.period.replace('_', ' ')}, {rule.scope}, {rule.counts}"


def people(policy: Policy) -> str:
    least = policy.staff_min.people if policy.staff_min else 1
    return f"{least} to {policy.staff_max.people}" if policy.staff_max else f"{least} or more"


def test_the_table_of_presets_says_what_they_say() -> None:
    columns = table()
    presets = [load_preset(name) for name in preset_names()]
    assert {heading for heading in columns if heading != "parameter"} == {f"{p.id} {p.version}" for p in presets}
    for policy in presets:
        said = dict(zip(columns["parameter"], columns[f"{policy.id} {policy.version}"], strict=True))
        assert said == told(policy)
