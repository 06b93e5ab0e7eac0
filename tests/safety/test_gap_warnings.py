"""Nobody on duty while visitors are out by the plan is told a day ahead; out without a session is an invariant.

The crew is expected at 08:00 UTC; the clock begins at 07:00 and stands still but for what is let pass.
"""

import datetime as dt

import sqlalchemy as sa

from fieldvisit.database import Urls, acting_for_all, plain_url
from fieldvisit.models import DutyShift, OutboxMessage, Route
from fieldvisit.phone.steps import set_out
from fieldvisit.safety.auditing import audit
from fieldvisit.safety.gap_warnings import warn_of_gaps
from fieldvisit.safety.wording import write
from fieldvisit.vocabulary import MessagePurpose
from tests.phone.worlds import event
from tests.safety.test_following import EXPECTED_AT, Planned, planned
from tests.safety.test_unwatched import raise_after
from tests.safety.worlds import MINUTE

__all__ = ["planned"]


def test_a_gap_while_a_crew_is_out_is_told_once_to_everybody_who_answers(planned: Planned) -> None:
    sessions = planned.door.sessions
    with acting_for_all(sessions) as session:
        assert warn_of_gaps(session) == 0, "somebody is on duty"
        depart_at, return_at = session.execute(sa.select(Route.depart_at, Route.return_at)).one()
        gap_at = depart_at + (return_at - depart_at) / 2
        now = session.scalars(sa.select(sa.func.fieldvisit_now())).one()
        assert gap_at > now
        session.execute(sa.update(DutyShift).values(starts_at=now - dt.timedelta(hours=1), ends_at=gap_at))
    with acting_for_all(sessions) as session:
        assert [warn_of_gaps(session), warn_of_gaps(session)] == [2, 0]
    with acting_for_all(sessions) as session:
        found = session.scalars(sa.select(OutboxMessage).where(OutboxMessage.purpose == MessagePurpose.COVER_GAP)).all()
        assert {(each.channel.value, each.give_up_at) for each in found} == {("sms", gap_at)}
        letter = write(session, [found[0].id])[found[0].id]
        assert "nobody on the roster would answer" in getattr(letter, "text", "")


def test_the_auditor_names_who_is_out_without_a_session_and_was_not_raised(planned: Planned, urls: Urls) -> None:
    def found() -> list[str]:
        return [each.subject for each in audit(plain_url(urls.app)) if each.number == 11]

    raise_after(planned, 10 * MINUTE)
    planned.pass_until(EXPECTED_AT)
    planned.told(set_out, event())
    planned.door.pass_under_watch_s(10 * MINUTE + 5)
    assert found() == []
    planned.door.pass_under_watch_s(10)
    assert found() == [str(planned.door.visitor_id)]
    planned.door.watch()
    assert found() == []
