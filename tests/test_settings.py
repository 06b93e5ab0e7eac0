"""The settings refuse what is not usable, all faults at once, and production refuses what is only for play."""

import base64
import stat
from pathlib import Path

import pytest

from fieldvisit.errors import SettingsRefused
from fieldvisit.languages import LANGUAGES, say
from fieldvisit.settings import read_settings

KEY = base64.b64encode(bytes(32)).decode()
PRODUCTION = {
    "ENVIRONMENT": "production",
    "DATABASE_URL": "postgresql://app@db/fieldvisit",
    "DATA_KEY": KEY,
    "TOKEN_KEY": KEY,
}


@pytest.fixture
def given(tmp_path: Path) -> dict[str, str]:
    return {"DATA_FOLDER": str(tmp_path)}


def test_nothing_has_to_be_set(given: dict[str, str]) -> None:
    settings = read_settings(given)
    assert (settings.environment, settings.database_url, settings.map_file) == ("development", None, None)


def test_every_fault_is_told_at_once(given: dict[str, str]) -> None:
    with pytest.raises(SettingsRefused) as refused:
        read_settings(given | {"PORT": "0", "THREADS": "many", "ENVIRONMENT": "staging"})
    told = str(refused.value)
    assert all(name in told for name in ("PORT", "THREADS", "ENVIRONMENT"))


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"DATA_KEY": "not base64!"}, "DATA_KEY"),
        ({"TOKEN_KEY": base64.b64encode(b"short").decode()}, "TOKEN_KEY"),
        ({"DATABASE_URL": "mysql://x"}, "DATABASE_URL"),
        ({"SOLVE_MEMORY_MB": "10"}, "SOLVE_MEMORY_MB"),
        ({"ROAD_SERVER": "osrm:5000"}, "ROAD_SERVER"),
        ({"BUSY_HOURS": "7-9=1.5"}, "BUSY_HOURS"),
        ({"BUSY_HOURS": "09:00-07:00=1.5"}, "BUSY_HOURS"),
        ({"BUSY_HOURS": "07:00-09:00=1.5,08:00-10:00=1.2"}, "BUSY_HOURS"),
        ({"BUSY_HOURS": "07:00-09:00=15"}, "BUSY_HOURS"),
        ({"GEOCODER": "guess"}, "GEOCODER"),
        ({"TRUSTED_PROXIES": "-1"}, "TRUSTED_PROXIES"),
    ],
)
def test_a_bad_value_is_named(given: dict[str, str], wrong: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsRefused, match=named):
        read_settings(given | wrong)


def test_empty_addresses_are_none(given: dict[str, str]) -> None:
    settings = read_settings(given | {"MAP_FILE": "", "DATABASE_URL": ""})
    assert (settings.map_file, settings.database_url) == (None, None)


def test_production_starts_with_what_it_needs(given: dict[str, str]) -> None:
    assert read_settings(given | PRODUCTION).is_production


@pytest.mark.parametrize("missing", ["DATABASE_URL", "DATA_KEY", "TOKEN_KEY"])
def test_production_refuses_the_embedded_server_and_made_up_keys(given: dict[str, str], missing: str) -> None:
    with pytest.raises(SettingsRefused, match=missing):
        read_settings({name: value for name, value in (given | PRODUCTION).items() if name != missing})


def test_production_names_all_that_it_lacks_at_once_in_either_language(given: dict[str, str]) -> None:
    with pytest.raises(SettingsRefused) as refused:
        read_settings(given | {"ENVIRONMENT": "production", "GEOCODER": "demo"})
    for language in LANGUAGES:
        said = say(refused.value, language)
        assert all(name in said for name in ("DATA_KEY", "TOKEN_KEY", "DATABASE_URL", "GEOCODER"))
    assert "production" not in say(refused.value, "zh_CN")


def test_production_refuses_the_demos_gazetteer(given: dict[str, str]) -> None:
    with pytest.raises(SettingsRefused, match="GEOCODER"):
        read_settings(given | PRODUCTION | {"GEOCODER": "demo"})


def test_a_key_is_made_once_and_readable_by_its_owner_only(given: dict[str, str], tmp_path: Path) -> None:
    first, second = read_settings(given), read_settings(given)
    assert first.data_key == second.data_key
    assert first.data_key != first.token_key
    assert stat.S_IMODE((tmp_path / "data_key.base64").stat().st_mode) == 0o600
