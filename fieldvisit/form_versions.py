"""The versions of a house's report form, and the judging of what was filled in with one of them."""

import datetime as dt
import json
import uuid
from collections.abc import Callable, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.decision import plain
from fieldvisit.errors import FieldVisitError, InvalidValue, Kind, NotFound
from fieldvisit.forms import NEEDABLE, Answer, FilledForm, FormDraft, FormRefused, Question, question_from
from fieldvisit.languages import Message
from fieldvisit.models import Evidence, FormVersion, Organisation
from fieldvisit.report_drafts import ONLY_TALKED, OUTCOMES
from fieldvisit.together import together
from fieldvisit.vocabulary import VisitOutcome

# Contact data that nobody gave can be said to be none; the others say something of somebody who was spoken with.
UNSAYABLE = {*ONLY_TALKED} - {"contact_changes"}


class FormChangedMeanwhile(FieldVisitError):
    code, kind = "form_changed_meanwhile", Kind.CONFLICT
    says = "The form is at version {version}, you wrote yours over {given}. Look again."


class FormUnknown(FieldVisitError):
    code, kind = "form_unknown", Kind.INVALID
    says = "There is no version {version} of the form."


def versions_of(org_id: uuid.UUID) -> sa.Select[FormVersion]:
    """Every version of the organisation's form; the caller states the order."""
    return sa.select(FormVersion).where(FormVersion.org_id == org_id)


def newest_of(org_id: uuid.UUID) -> sa.Select[uuid.UUID]:
    """The id of the version that phones ask by from now on."""
    return versions_of(org_id).with_only_columns(FormVersion.id).order_by(FormVersion.version.desc()).limit(1)


def find_newest(session: Session) -> FormVersion | None:
    """The version that phones ask by from now on; None where the house has no form of its own."""
    newest = versions_of(session.info["org"]).order_by(FormVersion.version.desc()).limit(1)
    return session.scalars(newest).one_or_none()


def get_version(session: Session, form_id: uuid.UUID) -> FormVersion:
    found = session.scalars(versions_of(session.info["org"]).where(FormVersion.id == form_id)).one_or_none()
    if found is None:
        raise NotFound(what="form version", id=form_id)
    return found


def publish_form(session: Session, draft: FormDraft, *, by: uuid.UUID | None, now: dt.datetime) -> FormVersion:
    """Make the next version. Raises FormChangedMeanwhile where it does not replace the newest one, and InvalidValue
    where it needs what cannot be said: nobody could report such an outcome any more."""
    for outcome, needed in draft.needs.items():
        if not OUTCOMES[outcome].talked and (unsayable := set(needed) & UNSAYABLE):
            known = {"unknown": ", ".join(sorted(unsayable)), "known": ", ".join(sorted({*NEEDABLE} - UNSAYABLE))}
            raise InvalidValue(path=f"needs.{outcome.value}", reason=Message("{unknown}: not among {known}", known))
    # Two who publish at once take turns: the second is told of the first.
    org_id = session.info["org"]
    session.execute(sa.select(Organisation.id).where(Organisation.id == org_id).with_for_update(key_share=True))
    newest = find_newest(session)
    version = newest.version if newest else 0
    if draft.replaces != version:
        raise FormChangedMeanwhile(version=version, given=draft.replaces)
    row = FormVersion(
        org_id=org_id,
        version=version + 1,
        questions=plain(draft.questions),
        needs=[{"outcome": outcome.value, "fields": list(needed)} for outcome, needed in sorted(draft.needs.items())],
        made_by_id=by,
        published_at=now,
    )
    session.add(row)
    session.flush()
    return row


def form_of(row: FormVersion) -> FormDraft:
    questions = tuple(map(question_from, row.questions))
    needs = {VisitOutcome(each["outcome"]): tuple(each["fields"]) for each in row.needs}
    return FormDraft(replaces=row.version - 1, questions=questions, needs=needs)


def judge(
    session: Session,
    filled: FilledForm | None,
    outcome: VisitOutcome,
    *,
    visit_id: uuid.UUID,
    said: Callable[[str], bool],
    known_since: dt.datetime,
) -> tuple[FormVersion | None, list[str]]:
    """The version that was filled in, and what is missing by it. `known_since`: until when a phone had fetched whatever
    it asked by; without a form the one that was in use then says what had to be said.

    Raises FormUnknown, and FormRefused for answers that the version does not take.
    """
    versions = _known(session)
    if filled is None:
        before = [row for row in versions if row.published_at <= known_since]
        return None, form_of(before[-1]).missing(outcome, {}, said) if before else []
    row = next((row for row in versions if row.version == filled.version), None)
    if row is None:
        raise FormUnknown(version=filled.version)
    form = form_of(row)
    faults = form.faults(outcome, filled.answers) or _unfit_files(session, form, filled, visit_id)
    if faults:
        raise FormRefused(version=row.version, faults=side_by_side(faults))
    return row, form.missing(outcome, filled.answers, said)


def _unfit_files(session: Session, form: FormDraft, filled: FilledForm, visit_id: uuid.UUID) -> list[Message]:
    """Files that are here already and answer nothing: of another visit, of another kind, or chosen where the form wants
    them taken. One of this visit that comes later is flagged then."""
    asked = form.files(filled.answers)
    if not asked:
        return []
    rows = session.scalars(sa.select(Evidence).where(Evidence.id.in_([uuid.UUID(file_id) for file_id, _ in asked])))
    here = {str(row.id): row for row in rows}
    found = [_unfit(here[file_id], question, visit_id) for file_id, question in asked if file_id in here]
    return [fault for fault in found if fault is not None]


def _unfit(row: Evidence, question: Question, visit_id: uuid.UUID) -> Message | None:
    named = {"file_id": str(row.id)}
    if row.visit_id != visit_id:
        return Message("{file_id}: is a file of another visit", named)
    if row.kind is not question.evidence:
        return Message("{file_id}: is a file of another kind", named)
    if question.camera_only and not row.by_camera:
        return Message("{file_id}: has to be taken with the camera", named)
    return None


def side_by_side(messages: Sequence[Message]) -> Message:
    """Several sentences as one."""
    names = [f"part_{place}" for place in range(len(messages))]
    text = " ".join(f"{{{name}}}" for name in names)
    return Message(text, dict(zip(names, messages, strict=True)))


def gather_versions(session: Session) -> Sequence[FormVersion]:
    """All versions of the acting organisation, the oldest first."""
    return session.scalars(versions_of(session.info["org"]).order_by(FormVersion.version)).all()


def _known(session: Session) -> Sequence[FormVersion]:
    gathered = together(session)
    return gather_versions(session) if gathered is None else gathered.forms


def as_text(answers: Mapping[str, Answer]) -> str:
    """As they are sealed."""
    return json.dumps(plain(answers), ensure_ascii=False, sort_keys=True)
