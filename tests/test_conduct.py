"""How the policies want people to behave at a door: the strictest of all, in words, with its clauses."""

import datetime as dt

from fieldvisit.compliance.facts import PlaceFacts
from fieldvisit.compliance.loading import load_preset
from fieldvisit.compliance.merging import terms_for
from fieldvisit.conduct import conduct_of
from fieldvisit.languages import say
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


def test_whoever_comes_says_for_whom_and_why_as_the_texts_want_it() -> None:
    told = {
        name: [str(line.words) for line in conduct_of(terms_for([load_preset(name)], place(country, zone), DAY))]
        for name, country, zone in (("cn", "CN", "Asia/Shanghai"), ("my", "MY", "Asia/Kuala_Lumpur"))
    }
    institution, purpose = "Tell the debtor for which institution you come.", "Tell the debtor why you come."
    assert [line for line in told["cn"] if line.startswith("Tell the debtor")] == [institution]
    assert [line for line in told["my"] if line.startswith("Tell the debtor")] == [institution, purpose]


def test_whoever_stands_at_a_door_in_china_is_dressed_so_that_nobody_is_misled() -> None:
    lines = conduct_of(terms_for([load_preset("cn")], place("CN", "Asia/Shanghai"), DAY))
    assert [(say(line.words, "zh_CN"), line.clause_ids) for line in lines[:2]] == [
        ("着装整洁得体。", ("cn/dress/1",)),
        ("不得穿着容易让人误认身份的服装。", ("cn/dress/1",)),
    ]


def test_a_visit_in_britain_is_no_longer_than_reasonable_and_a_house_may_give_a_number() -> None:
    home = place("GB", "Europe/London")
    house = policy(rule("visit_length", "minutes = 45"))
    longer = policy(rule("visit_length", "minutes = 60", name="b"), name="b")
    told = [
        [(str(line.words), line.clause_ids) for line in conduct_of(terms_for(policies, home, DAY))][-1]
        for policies in ([load_preset("gb")], [load_preset("gb"), house, longer])
    ]
    assert told[0] == ("Stay no longer than is reasonable.", ("gb/visit_length/1",))
    assert told[1] == ("Stay no longer than 45 minutes.", ("test/visit_length/1",))


def test_without_a_policy_nothing_is_added() -> None:
    assert conduct_of(None) == ()
