"""How the policies want people to behave at a door: the strictest of all, in words, with its clauses."""

import datetime as dt

from fieldvisit.compliance.facts import PlaceFacts
from fieldvisit.compliance.loading import load_preset
from fieldvisit.compliance.merging import terms_for
from fieldvisit.conduct import conduct_of
from fieldvisit.vocabulary import PlaceKind
from tests.compliance.worlds import policy, rule

DAY = dt.date(2026, 3, 3)


def place(country: str, zone: str) -> PlaceFacts:
    return PlaceFacts(id="flat", kind=PlaceKind.HOME, zone=zone, country=country)


def test_a_visit_in_china_is_recorded_and_nobody_is_asked_more_than_to_pass_a_message_on() -> None:
    terms = terms_for([load_preset("cn")], place("CN", "Asia/Shanghai"), DAY)
    lines = {str(line.words): line.clause_ids for line in conduct_of(terms)}
    assert lines["Record sound and picture of the visit."] == ("cn/recording/1",)
    assert lines["Enter only with the debtor's consent."] == ("cn/entry/1",)
    assert lines["Ask others only to pass on a message, or how the debtor can be reached."] == ("cn/third_party/1",)


def test_the_strictest_of_two_policies_is_told_with_its_clause_alone() -> None:
    stricter = policy(rule("entry", 'entry = "outside_unless_invited"') + rule("money", 'money = "forbidden"'))
    terms = terms_for([load_preset("cn"), stricter], place("CN", "Asia/Shanghai"), DAY)
    lines = {str(line.words): line.clause_ids for line in conduct_of(terms)}
    assert lines["Stay outside unless you are expressly asked in."] == ("test/entry/1",)
    assert lines["Take no money."] == ("test/money/1",)
    assert "Enter only with the debtor's consent." not in lines


def test_without_a_policy_nothing_is_added() -> None:
    assert conduct_of(None) == ()
