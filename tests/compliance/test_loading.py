"""A policy is read whole, or refused with the place where it is wrong."""

from datetime import date

import pytest

from fieldvisit.compliance.loading import PRESETS, PolicyRefused, load_preset, policy_from_toml, preset_names
from fieldvisit.compliance.parameters import Breach, CapPeriod, CapScope, Confidence, Counts, LegalForce, PolicyStatus
from fieldvisit.compliance.rules import CapRule
from fieldvisit.errors import NotFound
from fieldvisit.languages import say
from fieldvisit.vocabulary import Channel, Role
from tests.compliance.worlds import HOUSE, policy, rule, window

TEXT = (PRESETS / "house.toml").read_text("utf-8")


def refusal(text: str) -> tuple[str, str]:
    """The path and the reason with which the text is refused."""
    with pytest.raises(PolicyRefused) as refused:
        policy_from_toml(text, "house.toml")
    assert refused.value.details["where"] == "house.toml"
    return str(refused.value.details["path"]), str(refused.value.details["reason"])


def changed(old: str, new: str) -> str:
    assert old in TEXT
    return TEXT.replace(old, new, 1)


def test_every_preset_loads_and_bears_the_name_of_its_file() -> None:
    assert [load_preset(name).id for name in preset_names()] == preset_names()
    assert {"cn", "house", "ie", "us-ma"} < set(preset_names())


def test_a_preset_that_does_not_exist_is_not_found() -> None:
    with pytest.raises(NotFound, match="no policy preset atlantis"):
        load_preset("atlantis")


def test_a_preset_is_found_by_name_and_not_by_path() -> None:
    with pytest.raises(NotFound):
        load_preset("../presets/house")


def test_a_rule_is_read_as_it_is_written() -> None:
    assert HOUSE.caps == (
        CapRule(
            id="house/caps/1",
            source="House number: one visit in seven days, whoever was met",
            legal_force=LegalForce.HOUSE,
            confidence=Confidence.HOUSE,
            max=1,
            period=CapPeriod.ROLLING_DAYS,
            days=7,
            channels=frozenset({Channel.VISIT}),
            counts=Counts.ATTEMPT,
            scope=CapScope.DEBTOR,
        ),
    )


def test_the_force_of_the_policy_stands_for_a_rule_that_names_none() -> None:
    forces = {rule.id: rule.legal_force for _, rule in load_preset("cn").rules()}
    assert (forces["cn/windows/1"], forces["cn/caps/1"]) == (LegalForce.CODE, LegalForce.STANDARD)


def test_an_override_names_its_role() -> None:
    found = policy(window("08:00", "20:00", more='on_breach = "needs_override"\noverride_role = "supervisor"'))
    assert (found.windows[0].on_breach, found.windows[0].override_role) == (Breach.NEEDS_OVERRIDE, Role.SUPERVISOR)


def test_the_fields_of_the_policy_itself_are_read() -> None:
    found = policy(head='jurisdiction = "US-MA"\nstatus = "draft"\neffective_to = 2027-01-31')
    assert (found.jurisdiction, found.status, found.effective_to) == ("US-MA", PolicyStatus.DRAFT, date(2027, 1, 31))


@pytest.mark.parametrize(
    ("old", "new", "path", "reason"),
    [
        ('opens = "08:00"', 'opens = "8:00"', "windows[0].opens", "must be written HH:MM"),
        ('opens = "08:00"', "opens = 8", "windows[0].opens", "must be a text"),
        ('opens = "08:00"', "opens = 08:00:00", "windows[0].opens", "must be a text"),
        ('opens = "08:00"', "", "windows[0].opens", "is missing"),
        (
            'opens = "08:00"',
            'opens = "20:00"',
            "windows[0] (house/windows/1).closes",
            "must be later than opens, on the same day",
        ),
        ('closes = "20:00"', 'closes = "24:30"', "windows[0].closes", "must lie between 00:00 and 24:00"),
        (
            'days = ["mon", ',
            'days = ["monday", ',
            "windows[0].days[0]",
            "must be one of mon, tue, wed, thu, fri, sat, sun, holiday",
        ),
        ('days = ["mon", ', 'days = ["tue", ', "windows[0].days", "names something twice"),
        ("version = 1", "version = true", "version", "must be a whole number"),
        ("version = 1", 'version = "1"', "version", "must be a whole number"),
        ("version = 1", "version = 0", "version", "must be at least 1"),
        ("version = 1", "versoin = 1", "versoin", "is no key of a policy"),
        ('jurisdiction = "*"', "", "jurisdiction", "is missing"),
        (
            "effective_from = 2025-01-01",
            'effective_from = "2025-01-01"',
            "effective_from",
            "must be a date, written YYYY-MM-DD",
        ),
        (
            "effective_from = 2025-01-01",
            "effective_from = 2025-01-01T08:00:00",
            "effective_from",
            "must be a date, written YYYY-MM-DD",
        ),
        (
            "effective_from = 2025-01-01",
            "effective_from = 2025-01-01\neffective_to = 2024-12-31",
            "effective_to",
            "must not be earlier than effective_from",
        ),
        ('status = "in_force"', 'status = "in force"', "status", "must be one of draft, in_force"),
        (
            'confidence = "house"',
            'confidence = "from_memory"',
            "visits.confidence",
            "must be one of read, read_second_hand, house, unconfirmed",
        ),
        (
            'source = "House number"',
            'source = ""',
            "prior_effort (house/prior_effort/1).source",
            "must say where the rule comes from",
        ),
        ("min_failed = 3", "min_failed = 0", "prior_effort (house/prior_effort/1).min_failed", "must be at least 1"),
        (
            "min_days = 2",
            "min_days = 31",
            "prior_effort (house/prior_effort/1).min_days",
            "must not exceed within_days",
        ),
        (
            "min_day_parts = 2",
            "min_day_parts = 4",
            "prior_effort (house/prior_effort/1).min_day_parts",
            "must not exceed the parts of the day",
        ),
        ('"05:00", "12:00"', '"12:00", "05:00"', "prior_effort (house/prior_effort/1).day_part_starts", "must rise"),
        (
            '"no_answer", ',
            '"no_answer", "reached", ',
            "prior_effort (house/prior_effort/1).results",
            "must name failures; being reached is none",
        ),
        (
            '"number_invalid", ',
            "",
            "prior_effort (house/prior_effort/1).invalid_at_once",
            "needs number_invalid among results, by call",
        ),
        ('basis = "visit_place"', 'basis = "fixed"', "zone (house/zone/1).zone", "belongs to basis = fixed"),
        (
            'basis = "visit_place"',
            'basis = "fixed"\nzone = "Europe"',
            "zone (house/zone/1).zone",
            "is not a zone of the IANA time zone database",
        ),
        ('fit = "whole_visit_inside"', 'fit = "most"', "fit.fit", "must be one of start_inside, whole_visit_inside"),
        (
            'fit = "whole_visit_inside"',
            'fit = "start_inside"',
            "fit (house/fit/1).margin_min",
            "belongs to fit = whole_visit_inside",
        ),
        (
            'confidence = "house"',
            'confidence = "unconfirmed"',
            "visits (house/visits/1).confidence",
            "what is unconfirmed may only warn",
        ),
        ("margin_min = 15", "margin_min = -1", "fit (house/fit/1).margin_min", "must lie between 0 and 240"),
        ("days = 7", "", "caps[0] (house/caps/1).days", "belongs to rolling_days"),
        ("max = 1", "max = 0", "caps[0] (house/caps/1).max", "must be at least 1"),
        ("people = 1", "people = 0", "staff_min (house/staff_min/1).people", "must be at least 1"),
        (
            "people = 1",
            'people = 1\non_breach = "needs_override"',
            "staff_min (house/staff_min/1).override_role",
            "belongs to on_breach = needs_override",
        ),
        (
            "people = 1",
            'people = 1\noverride_role = "supervisor"',
            "staff_min (house/staff_min/1).override_role",
            "belongs to on_breach = needs_override",
        ),
        (
            'any_of = ["id_card"]',
            "any_of = []",
            "credentials[0] (house/credentials/1).any_of",
            "must name at least one",
        ),
        (
            'id = "house/credentials/2"',
            'id = "house/credentials/1"',
            "house/credentials/1",
            "stands twice; a clause id names one rule",
        ),
        (
            'id = "house/credentials/2"',
            'id = "cn/credentials/2"',
            "cn/credentials/2",
            "must start with house/credentials/",
        ),
        ("[visits]", "[[visits]]", "visits", "must be a table"),
        ("[[caps]]", "[caps]", "caps", "must be a list"),
        ('id = "house"\n', 'id = "product"\n', "id", "must not hold a slash, nor be product"),
    ],
)
def test_a_wrong_value_is_refused_where_it_stands(old: str, new: str, path: str, reason: str) -> None:
    assert refusal(changed(old, new)) == (path, reason)


def test_what_is_no_toml_is_refused_with_its_line() -> None:
    for text, said in (
        ("id =\n", "stops to be TOML at line 1, column 5"),
        ('id = "cn', "ends too early"),
    ):
        with pytest.raises(PolicyRefused) as refused:
            policy_from_toml(text, "house.toml")
        assert say(refused.value, "en") == f"The policy house.toml is not usable. TOML: {said}"
        assert said not in say(refused.value, "zh_CN")


def test_a_last_resort_needs_a_prior_effort() -> None:
    start, end = TEXT.index("[prior_effort]"), TEXT.index("[[windows]]")
    assert refusal(TEXT[:start] + TEXT[end:]) == ("prior_effort", "is what visits as a last resort need")


def test_consent_cannot_widen_hours_that_are_not_stated() -> None:
    start, end = TEXT.index("[[windows]]"), TEXT.index("[holidays]")
    widening = rule("widen_by", 'by = "consent"\nform = "any"', name="house", many=True)
    assert refusal(TEXT[:start] + widening + TEXT[end:])[0] == "widen_by"


def test_windows_of_one_policy_break_in_one_way() -> None:
    more = window("21:00", "22:00", number=2, name="house", more='on_breach = "warn"\nlegal_force = "house"')
    assert refusal(TEXT + more)[0] == "windows"


def test_a_refusal_is_told_in_chinese() -> None:
    with pytest.raises(PolicyRefused) as refused:
        policy_from_toml(changed("version = 1", "version = true"), "house.toml")
    assert say(refused.value, "zh_CN") == "合规策略 house.toml 无法使用。version：必须是整数"
