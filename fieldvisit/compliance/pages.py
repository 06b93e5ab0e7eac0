"""The pages of `docs/policies/`: one for each preset, and the table of all of them.

python -m fieldvisit.compliance.pages docs/policies
"""

import sys
from pathlib import Path

from fieldvisit.compliance.describing import clauses_of, confidences, scope_of
from fieldvisit.compliance.loading import load_preset, preset_names
from fieldvisit.compliance.policy import Policy

INDEX_HEAD = """# The presets

Made from the presets by `python -m fieldvisit.compliance.pages docs/policies`; a test holds them against each other. No
page here is legal advice: have a local lawyer look at a preset before you rely on it. *read*: seen in an official text;
*second hand*: seen quoted or summed up; *house*: our own number or reading; *unconfirmed*: remembered and not read
again, such a rule only warns. A *draft* simulates and is never enforced.

| preset | jurisdiction | status | in force from | about | rules | read | second hand | house | unconfirmed |
|---|---|---|---|---|---|---|---|---|---|
"""


def page(policy: Policy) -> str:
    """One preset as a Markdown page, its rules in one table."""
    until = f" to {policy.effective_to}" if policy.effective_to else ""
    head = (
        f"# {policy.title} (`{policy.id}` {policy.version})\n\n"
        f"Jurisdiction {policy.jurisdiction}, {policy.status.value}, in force from {policy.effective_from}{until}. "
        f"Visits for {', '.join(sorted(policy.purposes))}; about: {scope_of(policy)}.\n\n"
        "| clause | says | source | legal force | confidence | breach | note |\n|---|---|---|---|---|---|---|\n"
    )
    rows = (
        (each.id, each.says, each.source, each.legal_force, each.confidence, each.on_breach, each.note)
        for each in clauses_of(policy)
    )
    return head + "".join(f"| {' | '.join(_cell(value) for value in row)} |\n" for row in rows)


def index(policies: list[Policy]) -> str:
    """The table of all presets."""
    return INDEX_HEAD + "".join(_row(policy) for policy in policies)


def pages() -> dict[str, str]:
    """File name → content of everything in the folder."""
    policies = [load_preset(name) for name in preset_names()]
    return {"README.md": index(policies)} | {f"{policy.id}.md": page(policy) for policy in policies}


def main(folder: str) -> None:
    for name, text in pages().items():
        Path(folder, name).write_text(text, "utf-8")


def _row(policy: Policy) -> str:
    counts = confidences(policy).values()
    cells = [
        f"[{policy.id}]({policy.id}.md)",
        *(policy.jurisdiction, policy.status.value, policy.effective_from.isoformat(), scope_of(policy)),
        *(str(number) for number in (sum(counts), *counts)),
    ]
    return f"| {' | '.join(cells)} |\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    main(sys.argv[1])
