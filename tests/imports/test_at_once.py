"""Two imports at once: neither fails of the other, and what both bring is there once."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import sqlalchemy as sa

from fieldvisit.cases import record_payment
from fieldvisit.database import Urls, acting_for, owner_engine
from fieldvisit.imports.columns import Origin
from fieldvisit.imports.payments import draft
from fieldvisit.models import Payment
from tests.conftest import NOW
from tests.imports.files import CASE, PAYMENT, Office
from tests.locks import until_somebody_waits
from tests.worlds import TODAY

VICTIM_ONCE = """
    create sequence victims;
    create function gives_way() returns trigger language plpgsql security definer as $$
    begin
        if nextval('victims') = 1 then raise exception 'deadlock detected' using errcode = '40P01'; end if;
        return new;
    end $$;
    create trigger gives_way before insert on payments for each row when (new.external_id = 'P-2')
        execute function gives_way()
"""


def test_a_batch_that_gives_way_to_another_is_stored_again(lender: Office, urls: Urls) -> None:
    lender.load("cases", CASE)
    engine = owner_engine(urls)
    with engine.begin() as connection:
        connection.execute(sa.text(VICTIM_ONCE))
    engine.dispose()
    found = lender.load("payments", PAYMENT, PAYMENT | {"payment_id": "P-2"}, PAYMENT)
    assert (found.added, found.unchanged, found.refused) == (2, 1, 0)
    with acting_for(lender.sessions, lender.org_id) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Payment)) == 2


def test_what_another_stores_in_the_meantime_is_there_already_and_not_refused(lender: Office) -> None:
    lender.load("cases", CASE)
    values = PAYMENT | {"amount": Decimal(PAYMENT["amount"]), "paid_on": TODAY}
    told = PAYMENT | {"paid_on": TODAY.isoformat()}
    with ThreadPoolExecutor(1) as other:
        with acting_for(lender.sessions, lender.org_id) as session:
            record_payment(session, draft(values, Origin(zone="Europe/Helsinki", country="FI")), now=NOW)
            late = other.submit(lender.load, "payments", told)
            until_somebody_waits(lender.sessions)
        found = late.result()
    assert (found.unchanged, found.refused) == (1, 0)
