"""What the planner is told of a day: which visits may be made when, and who may make them."""

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.decision import message_from
from fieldvisit.compliance.evaluate import evaluate
from fieldvisit.compliance.facts import Question
from fieldvisit.compliance.loading import load_preset
from fieldvisit.facts import facts_of, subject_of
from fieldvisit.languages import say
from fieldvisit.models import ContactBlock, Placement, Shift, Visit, Wish
from fieldvisit.planning.crews import CrewToPlan
from fieldvisit.planning.day import Day, LeftOut
from fieldvisit.vocabulary import (
    BlockScope,
    BlockTrigger,
    Channel,
    CheckMoment,
    CredentialKind,
    PointSource,
    UnservedReason,
    Verdict,
    VisitState,
)
from tests.conftest import NOW
from tests.planning.worlds import at, day_of, make_crew, make_ready_case, make_ready_visit
from tests.worlds import TODAY, World, make_attempt, make_case, make_credential, make_shift, make_visit, make_visitor

SUNDAY = dt.date(2026, 3, 8)


def hours(day: Day) -> dict[str, list[tuple[dt.datetime, dt.datetime]]]:
    return {one.visit.reference: [(span.begins_at, span.ends_at) for span in one.hours] for one in day.visits}


def words(left: LeftOut) -> list[str]:
    return [say(message_from(clause["message"]), "en") for clause in left.detail["clauses"]]


def only_crew(day: Day) -> CrewToPlan:
    (crew,) = day.crews
    return crew


def papers_in(day: Day) -> set[str]:
    return {need for one in day.visits for need in one.requires if need.startswith("papers:")}


class TestVisits:
    def test_the_hours_are_the_policys_less_the_margin_after_a_visit(self, making: Session, world: World) -> None:
        visit = make_ready_visit(making, world)
        assert hours(day_of(making, world)) == {visit.reference: [(at("08:00"), at("19:45"))]}

    def test_a_wish_of_the_debtor_cuts_the_hours_in_two(self, making: Session, world: World) -> None:
        visit = make_ready_visit(making, world)
        wish(making, visit, only=False, from_time=dt.time(12), until_time=dt.time(14))
        assert hours(day_of(making, world)) == {
            visit.reference: [(at("08:00"), at("11:45")), (at("14:00"), at("19:45"))]
        }

    def test_a_wish_that_leaves_no_hour_is_told_and_not_forgotten(self, making: Session, world: World) -> None:
        visit = make_ready_visit(making, world)
        wish(making, visit, only=True, from_time=dt.time(21), until_time=dt.time(22))
        (left,) = day_of(making, world).left_out
        assert (left.visit_id, left.reason) == (visit.id, UnservedReason.NOT_PERMITTED)
        assert words(left) == ["The times that the debtor stated leave no permitted hour on 2026-03-03."]

    def test_a_visit_inside_its_hours_is_never_refused_for_hours_when_it_is_published(
        self, making: Session, world: World
    ) -> None:
        """Nor is there an hour more: at each end of each window, the next second is refused."""
        visit = make_ready_visit(making, world)
        wish(making, visit, only=False, from_time=dt.time(12, 7), until_time=dt.time(14, 0, 30))
        (one,) = day_of(making, world).visits
        service, second = dt.timedelta(seconds=visit.service_s), dt.timedelta(seconds=1)
        for span in one.hours:
            for begins_at in (span.begins_at, span.ends_at - service):
                assert broken_hours(making, visit, begins_at) == set()
            for begins_at in (span.begins_at - second, span.ends_at - service + second):
                assert broken_hours(making, visit, begins_at) != set()

    def test_on_a_sunday_the_house_policy_stays_at_home_and_says_so(self, making: Session, world: World) -> None:
        make_ready_visit(making, world)
        day = day_of(making, world, on=SUNDAY)
        assert day.visits == ()
        assert [words(left) for left in day.left_out] == [["No visit is permitted on 2026-03-08."]]

    def test_a_block_a_recent_visit_and_too_few_calls_are_each_told_with_their_clause(
        self, making: Session, world: World
    ) -> None:
        blocked, visited = make_ready_visit(making, world), make_ready_visit(making, world)
        uncalled = make_visit(making, world, make_case(making, world))
        block(making, blocked)
        make_attempt(making, visited.case, at=NOW - dt.timedelta(days=3), channel=Channel.VISIT)
        day = day_of(making, world)
        assert day.visits == ()
        assert {left.reason for left in day.left_out} == {UnservedReason.NOT_PERMITTED}
        assert {left.visit_id: {c["clause_id"] for c in left.detail["clauses"]} for left in day.left_out} == {
            blocked.id: {"house/stops/1"},
            visited.id: {"house/caps/1"},
            uncalled.id: {"house/prior_effort/1"},
        }

    def test_a_place_without_a_point_is_told_and_one_out_of_the_area_is_no_matter_of_this_day(
        self, making: Session, world: World
    ) -> None:
        requested = make_ready_visit(making, world, state=VisitState.REQUESTED)
        requested.place.lat = requested.place.lon = None
        requested.place.found_by = PointSource.NONE
        make_ready_visit(making, world, make_ready_case(making, world, point=(60.45, 22.27)))
        making.flush()
        day = day_of(making, world)
        assert day.visits == ()
        assert [(left.visit_id, left.reason) for left in day.left_out] == [(requested.id, UnservedReason.PLACE_UNKNOWN)]

    @pytest.mark.parametrize(
        "given",
        [
            {"last_on": TODAY - dt.timedelta(days=1)},
            {"state": VisitState.REQUESTED},
            {"state": VisitState.UNDER_WAY},
            {"state": VisitState.CANCELLED},
            {"state": VisitState.PUBLISHED},
        ],
        ids=["past its last date", "requested", "under way", "cancelled", "published by no plan of this area"],
    )
    def test_a_visit_that_does_not_wait_is_no_candidate(
        self, making: Session, world: World, given: dict[str, Any]
    ) -> None:
        make_ready_visit(making, world, **given)
        assert (day_of(making, world).visits, day_of(making, world).left_out) == ((), ())

    def test_a_case_that_the_lender_took_back_is_no_candidate(
        self, making: Session, agency: Session, world: World
    ) -> None:
        make_ready_visit(making, world)
        kept = make_ready_visit(making, world)
        making.execute(
            sa.update(Placement).where(Placement.case_id != kept.case_id).values(until_on=TODAY - dt.timedelta(days=1))
        )
        making.commit()
        assert [one.visit.id for one in day_of(agency, world).visits] == [kept.id]

    def test_a_visit_requires_its_skills_its_language_and_papers(self, making: Session, world: World) -> None:
        make_ready_visit(making, world, requires=["hardship_talk"])
        (one,) = day_of(making, world).visits
        assert one.requires == {"hardship_talk", "language:fi", f"papers:{world.lender}:house.1", "at_most:3"}
        assert one.visitors == 1


class TestCrews:
    def test_a_crew_offers_what_any_member_knows_and_the_papers_that_all_hold(
        self, making: Session, world: World
    ) -> None:
        make_ready_visit(making, world)
        make_shift(making, make_visitor(making, world, skills=["mediation"], languages=["fi"]), crew="A")
        make_shift(making, make_visitor(making, world, languages=["sv"]), crew="A", lead=False)
        assert only_crew(day_of(making, world)).offers == {
            *("mediation", "language:fi", "language:sv", "at_most:3"),
            f"papers:{world.lender}:house.1",
        }

    def test_it_works_while_all_of_its_members_do_and_not_before_now(self, making: Session, world: World) -> None:
        make_ready_visit(making, world)
        _, late = make_crew(making, world, "A", people=2)
        late.ends_at = at("13:00")
        making.flush()
        crew = only_crew(day_of(making, world, now=at("08:45")))
        assert (crew.hours.begins_at, crew.hours.ends_at) == (at("08:45"), at("13:00"))
        assert only_crew(day_of(making, world, now=at("08:00"))).hours.begins_at == at("08:30")
        assert day_of(making, world, now=at("13:00")).crews == ()

    def test_whose_letter_has_expired_stays_at_home_and_the_pair_goes_on_as_one(
        self, making: Session, world: World
    ) -> None:
        make_ready_visit(making, world)
        lead, other = make_crew(making, world, "A", people=2)
        letter = paper(lead, CredentialKind.AUTHORISATION_LETTER)
        letter.valid_until = TODAY - dt.timedelta(days=1)
        making.flush()
        day = day_of(making, world)
        assert [shift.visitor_id for shift in only_crew(day).members] == [other.visitor_id]
        (home,) = day.stayed_home
        assert (home.visitor_id, [clause.clause_id for clause in home.clauses]) == (
            lead.visitor_id,
            ["house/credentials/2"],
        )
        assert papers_in(day) <= only_crew(day).offers

    def test_whose_letter_ends_on_the_day_still_goes(self, making: Session, world: World) -> None:
        make_ready_visit(making, world)
        (shift,) = make_crew(making, world, "A")
        paper(shift, CredentialKind.AUTHORISATION_LETTER).valid_until = TODAY
        making.flush()
        assert day_of(making, world).stayed_home == ()

    def test_a_letter_for_one_case_is_good_for_that_case_and_for_no_other(self, making: Session, world: World) -> None:
        mine, other = make_ready_visit(making, world), make_ready_visit(making, world)
        visitor = make_visitor(making, world, papers=False)
        make_shift(making, visitor, crew="A")
        make_credential(making, visitor, kind=CredentialKind.ID_CARD)
        make_credential(making, visitor, kind=CredentialKind.AUTHORISATION_LETTER, for_case_id=mine.case_id)
        day = day_of(making, world)
        able = {one.visit.id: one.requires <= only_crew(day).offers for one in day.visits}
        assert able == {mine.id: True, other.id: False}
        assert day.stayed_home == ()

    def test_it_starts_where_its_lead_does_from_home_or_from_the_office(self, making: Session, world: World) -> None:
        home = {"home_lat": 60.21, "home_lon": 24.88}
        for code, visitor, from_office in (
            ("A", make_visitor(making, world, **home), False),
            ("B", make_visitor(making, world, **home), True),
            ("C", make_visitor(making, world), False),
        ):
            make_shift(making, visitor, crew=code).from_office = from_office
        making.flush()
        day = day_of(making, world)
        office = (day.area.lat, day.area.lon)
        assert {crew.code: ((crew.lat, crew.lon), crew.starts_from_home) for crew in day.crews} == {
            "A": ((60.21, 24.88), True),
            "B": (office, False),
            "C": (office, False),
        }

    def test_who_has_left_the_agency_rides_with_nobody(self, making: Session, world: World) -> None:
        (shift,) = make_crew(making, world, "A")
        shift.visitor.active = False
        making.flush()
        assert day_of(making, world).crews == ()


def wish(session: Session, visit: Visit, **given: Any) -> None:
    values = {"days": ["tue", "wed"], "origin": "by telephone", "stated_at": NOW} | given
    session.add(Wish(org_id=visit.lender_id, debtor_id=visit.debtor_id, **values))
    session.flush()


def block(session: Session, visit: Visit) -> None:
    """Stored without its consequence for the visit, which `file_block` would bring at once."""
    session.add(
        ContactBlock(
            org_id=visit.lender_id,
            made_by_id=visit.lender_id,
            debtor_id=visit.debtor_id,
            trigger=BlockTrigger.DISPUTE,
            scope=BlockScope.VISITS,
            since_at=NOW - dt.timedelta(days=1),
        )
    )
    session.flush()


def broken_hours(session: Session, visit: Visit, begins_at: dt.datetime) -> set[str]:
    """The clauses of hours that stand against this beginning at the gate of publishing."""
    (facts,) = facts_of(session, [subject_of(visit)], NOW)
    question = Question(
        visit_id=str(visit.id),
        moment=CheckMoment.PUBLISHING,
        begins_at=begins_at,
        ends_at=begins_at + dt.timedelta(seconds=visit.service_s),
    )
    decision = evaluate(question, facts, (load_preset("house"),), NOW)
    of_hours = ("windows", "fit", "debtor_times", "holidays")
    refused = {clause.clause_id for clause in decision.clauses if clause.verdict is not Verdict.ALLOWED}
    return {clause_id for clause_id in refused if clause_id.split("/")[1] in of_hours}


def paper(shift: Shift, kind: CredentialKind) -> Any:
    return next(paper for paper in shift.visitor.credentials if paper.kind is kind)
