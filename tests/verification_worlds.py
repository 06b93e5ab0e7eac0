"""A morning whose visitors can be checked: Ilta has a portrait and the agency a number to call."""

import uuid
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.files import FileStore
from fieldvisit.models import Case, Debtor, Organisation, Place, Visit
from fieldvisit.papers import put_photo
from fieldvisit.settings import Settings
from fieldvisit.verification_codes import Bearer
from fieldvisit.vocabulary import Role
from tests.phone.worlds import Morning, make_morning
from tests.pictures import picture
from tests.safety.worlds import make_account

NUMBER = "+358 20 123 4567"
NAME = "Pohjola <Field> & Sons"


@dataclass(frozen=True)
class Door:
    """A published morning with two visits, and what nobody may learn of the first."""

    morning: Morning
    secrets: tuple[str, ...]
    account: uuid.UUID
    """Ilta's."""

    @property
    def agency(self) -> uuid.UUID:
        return self.morning.world.agency

    @property
    def ilta(self) -> Bearer:
        return Bearer(visitor_id=self.morning.ilta, account_id=self.account, device_id=None)


def make_door(sessions: sessionmaker[Session], settings: Settings) -> Door:
    morning = make_morning(sessions, visits=2)
    with acting_for_all(sessions) as session:
        agency = session.get_one(Organisation, morning.world.agency)
        agency.name, agency.debtor_phone, agency.emergency_number = NAME, NUMBER, "112"
        secrets = _secrets(session, morning)
    with acting_for(sessions, morning.world.agency) as session:
        put_photo(session, FileStore(settings), morning.ilta, picture())
        account = make_account(session, morning.world, Role.VISITOR, visitor_id=morning.ilta)
    return Door(morning, secrets, account.id)


def _secrets(session: Session, morning: Morning) -> tuple[str, ...]:
    """Everything that tells of the debtor, the debt, the lender or the visits: what no page may hold."""
    found: list[object] = []
    for visit in session.scalars(sa.select(Visit).where(Visit.id.in_(morning.visits))):
        case, debtor = session.get_one(Case, visit.case_id), session.get_one(Debtor, visit.debtor_id)
        place = session.get_one(Place, visit.place_id)
        lender = session.get_one(Organisation, visit.lender_id)
        found += [visit.id, visit.reference, visit.case_id, visit.debtor_id, visit.place_id, visit.plan_id]
        found += [case.external_id, case.product, case.total_minor, debtor.external_id, debtor.name]
        found += [place.address, place.address.split(" ")[0], lender.name, lender.id, lender.code]
    words = ("debt", "loan", "overdue", "arrears", "collect", "owe", "欠", "债", "催", "贷", "逾期", "还款")
    return (*dict.fromkeys(str(each) for each in found), *words)
