"""An organisation is added with policies that there are; where there is one only, it need not be named."""

from typing import Any

import pytest
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.compliance.loading import preset_names
from fieldvisit.database import acting_for_all
from fieldvisit.errors import InvalidValue
from fieldvisit.languages import say
from fieldvisit.organisations import (
    OrganisationDraft,
    OrganisationNotNamed,
    create_organisation,
    get_only_organisation,
)
from fieldvisit.vocabulary import OrganisationKind


def draft(**given: Any) -> OrganisationDraft:
    values = {"code": "aurora-lend", "name": "Aurora", "kind": OrganisationKind.LENDER, "country": "FI"}
    return OrganisationDraft(**values | {"zone": "Europe/Helsinki"} | given)


def test_every_preset_may_be_switched_on() -> None:
    assert draft(policies=tuple(preset_names())).policies == tuple(preset_names())


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_a_policy_that_there_is_not_is_refused_naming_those_there_are(language: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        draft(policies=("house", "hause"))
    told = say(refused.value.details["reason"], language)
    assert refused.value.details["path"] == "policies"
    assert told.startswith("hause")
    assert all(name in told for name in preset_names())


def test_the_only_organisation_need_not_be_named(sessions: sessionmaker[Session]) -> None:
    with acting_for_all(sessions) as session:
        with pytest.raises(OrganisationNotNamed):
            get_only_organisation(session)
        made = create_organisation(session, draft())
        assert get_only_organisation(session) is made
        create_organisation(session, draft(code="pohjola-field"))
        with pytest.raises(OrganisationNotNamed, match="aurora-lend, pohjola-field"):
            get_only_organisation(session)
