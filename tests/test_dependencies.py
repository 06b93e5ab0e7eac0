"""Every dependency has its sentence of reason, and none is named that is not there."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_each_dependency_has_a_sentence_of_reason_and_no_other_is_named() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {re.match(r"[A-Za-z0-9-]+", line).group() for line in project["dependencies"]}  # type: ignore[union-attr]
    rows = re.findall(r"^\| ([a-z0-9-]+) \| \S", (ROOT / "docs" / "dependencies.md").read_text(), flags=re.M)
    assert set(rows) - {"package"} == declared
    assert rows == sorted(rows) or rows[1:] == sorted(rows[1:])


def test_the_lock_files_name_no_address() -> None:
    for name in ("requirements.lock", "requirements-dev.lock", "requirements-tools.lock"):
        assert "://" not in (ROOT / name).read_text()


def test_every_pin_carries_its_hashes() -> None:
    for name in ("requirements.lock", "requirements-dev.lock", "requirements-tools.lock"):
        pins = re.findall(
            r"^[a-zA-Z0-9._-]+==.*?(?=^[a-zA-Z0-9._-]+==|\Z)", (ROOT / name).read_text(), flags=re.M | re.S
        )
        assert pins
        assert [pin.split()[0] for pin in pins if "--hash=sha256:" not in pin] == []
