"""The papers of visitors; dates are local and both included."""

from datetime import datetime

from sqlalchemy.orm import Session

from fieldvisit.drafts import Change
from fieldvisit.imports.columns import Column, Origin, date, identifier, one_of, text
from fieldvisit.imports.readers import Reader, Values, one_by_one
from fieldvisit.people import CredentialDraft, upsert_credential
from fieldvisit.vocabulary import CredentialKind

EVERYBODY = ""
"""What an empty cell says: the paper is for all of them. A column that is missing says nothing."""

COLUMNS = (
    Column(name="credential_id", read=identifier, aliases=("证件编号",)),
    Column(name="visitor_id", read=identifier, aliases=("外访员编号", "员工编号")),
    Column(name="kind", read=one_of(CredentialKind), aliases=("证件类型",)),
    Column(name="number", read=identifier, aliases=("证件号", "证件号码"), personal=True),
    Column(name="issuer", read=text, aliases=("签发机构", "发证机构")),
    Column(name="valid_from", read=date, aliases=("生效日期", "有效期起")),
    Column(name="valid_until", read=date, aliases=("失效日期", "有效期止")),
    Column(name="for_organisation", read=identifier, aliases=("适用机构",), needed=False, empty=EVERYBODY),
    Column(name="for_case", read=identifier, aliases=("适用案件",), needed=False, empty=EVERYBODY),
)
SCOPE = {"for_organisation": "for_org_id", "for_case": "for_case_id"}


def draft(values: Values, origin: Origin) -> CredentialDraft:
    return CredentialDraft(
        external_id=values["credential_id"],
        visitor_id=values["visitor_id"],
        kind=values["kind"],
        number=values["number"],
        issuer=values["issuer"],
        valid_from=values["valid_from"],
        valid_until=values["valid_until"],
        for_organisation=values["for_organisation"] or None,
        for_case=values["for_case"] or None,
        keeps=frozenset(field for column, field in SCOPE.items() if values[column] is None),
    )


def _store(session: Session, draft: CredentialDraft, now: datetime) -> Change:
    return upsert_credential(session, draft)[1]


READER = Reader(
    kind="credentials",
    summary="The papers of visitors, for everybody, one lender or one case. Both dates are included.",
    columns=COLUMNS,
    draft=draft,
    store=one_by_one(_store),
    key=("credential_id",),
)
