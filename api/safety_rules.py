"""What an organisation sets for its safety besides the timers."""

from api.auth import actor
from api.db import session
from api.editing import Edited
from api.endpoints import endpoint
from api.openapi import Blueprint
from api.roles import Permission
from api.schemas.safety_rules import SafetyRulesIn, SafetyRulesOut
from fieldvisit.safety.rules import RulesDraft, RulesInForce, rules_in_force, set_rules

bp = Blueprint("safety_rules", __name__, url_prefix="/safety", description=__doc__)


@bp.get("/rules")
@endpoint(may=Permission.READ_SAFETY, returns=SafetyRulesOut())
def read_safety_rules() -> RulesInForce:
    """What holds now, and who set it."""
    return rules_in_force(session())


@bp.post("/rules")
@endpoint(
    may=Permission.SET_TIMERS,
    body=SafetyRulesIn(),
    returns=SafetyRulesOut(),
    status=201,
    edits=Edited(read_safety_rules),
)
def change_safety_rules(body: RulesDraft) -> RulesInForce:
    """Set them, with a reason."""
    return set_rules(session(), body, actor().account_id)
