"""The settings: read once from the environment, checked all together, then frozen.

Every setting has its line in docs/operators.md; a test holds the two against each other.
"""

import base64
import contextlib
import json
import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from environs import Env, EnvValidationError, ValidationError, validate

from fieldvisit.alarm_providers import AlarmProvider, read_providers
from fieldvisit.errors import SettingsRefused
from fieldvisit.languages import Message
from fieldvisit.notice_providers import NoticeProvider, read_notice_providers
from fieldvisit.on_disk import sync_folder
from fieldvisit.vocabulary import Datum

WITHOUT_SERVICE = ("none", "demo")
_BUSY = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)=(\d+(?:\.\d+)?)")
KEYS, KEY_BYTES = ("data_key", "token_key"), 32
# What the library that reads the values says of a wrong one, with the names of what it fills in.
LIBRARY_SAYS: Mapping[str, tuple[str, ...]] = {
    "Must be one of: {choices}.": ("choices",),
    "Must be greater than or equal to {low} and less than or equal to {high}.": ("low", "high"),
    "Not a valid integer.": (),
}
type Fault = tuple[str, Message]
MOST_USUAL = 4
ENVIRONMENTS = ("development", "demo", "test", "production")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All the product can be told from outside. `_s` is whole seconds, `_m` metres, `_mb` mebibytes."""

    environment: str
    data_folder: Path
    database_url: str | None
    """The application role's database; None starts the embedded server in the data folder."""
    database_owner_url: str | None
    """The role that owns the tables and runs the migrations; needed where `database_url` is given."""
    data_key: bytes
    """32 bytes that encrypt names, numbers, ids and addresses."""
    token_key: bytes
    """32 bytes that sign access tokens."""
    host: str
    port: int
    processes: int
    """How many processes answer the API together."""
    threads: int
    silence_s: int
    """Of all of them together."""
    log_level: str
    access_token_s: int
    refresh_token_s: int
    geofence_m: int
    map_file: Path | None
    """An OpenStreetMap extract for road travel times; None uses geodesic distances, and says so."""
    road_server: str | None
    """The address of an OSRM server for road travel times; the map, or geodesic distances, where it does not answer."""
    busy_hours: tuple[tuple[int, int, float], ...]
    """From which second of the day until which a drive takes how many times as long."""
    geocoder: str
    """`none`, `demo`, or the name of a service of geopy."""
    geocoder_options: Mapping[str, Any]
    """What the service is made with: keys, a domain of one's own."""
    geocoder_datum: Datum
    """What the service's points are given in."""
    solve_s: int
    solve_threads: int
    solve_memory_mb: int
    split_visits: int
    """A day of more visits than this is solved in parts."""
    part_visits: int
    max_body_mb: int
    unfinished_files: int
    """How many evidence files of one visitor may be announced and not whole."""
    unfinished_mb: int
    """To how much they may come, by the sizes they were announced with."""
    file_store: str | None
    """Where files are kept, such as s3://bucket/prefix; None: in the data folder."""
    file_store_options: Mapping[str, Any]
    """What the store is opened with: keys, region, endpoint."""
    public_url: str | None
    """The address that people outside open our pages under; None: the one under which we were asked."""
    trusted_proxies: int
    """How many proxies in front of the server may say for whom they speak."""
    rate_limit: str
    rate_limit_storage: str
    alarm_providers: tuple[AlarmProvider, ...]
    """Who carries alarms: of each channel the first, the second, and so on."""
    notice_providers: tuple[NoticeProvider, ...]
    """Who carries notices to debtors: of each channel the first, the second, and so on."""
    notice_tries: int
    """How often a notice is tried before it is given up."""
    dead_man_url: str | None
    """Called by the auditor while everything holds; None: nobody outside is told."""

    @property
    def is_production(self) -> bool:
        return self.environment == "production"


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read all settings; raise SettingsRefused that names every fault at once."""
    # environs reads os.environ itself, so another mapping is laid over it for the length of the call.
    if environ is None:
        return _read()
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(environ)
    try:
        return _read()
    finally:
        os.environ.clear()
        os.environ.update(before)


def _read() -> Settings:
    env = Env(eager=False)
    values = _values(env)
    try:
        env.seal()
    except EnvValidationError as error:
        said: dict[str, list[str]] = dict(error.error_messages)  # type: ignore[arg-type]  # deferred errors are by name
        raise _refused([(name, _in_words(text)) for name in sorted(said) for text in said[name]]) from error
    faults = _contradictions(values, production=values["environment"] == "production")
    if faults:
        raise _refused(faults)
    for name in KEYS:
        values[name] = _key(name, str(values[name] or ""), Path(str(values["data_folder"])))
    _refuse_unusable_geocoder(str(values["geocoder"]), values["geocoder_options"])  # type: ignore[arg-type]  # an object
    return Settings(**values)  # type: ignore[arg-type]  # environs has checked each value's type


def _refused(faults: list[Fault]) -> SettingsRefused:
    """Every fault with the name of its setting, to be said in any language."""
    told = [Message("{name}: {reason}", {"name": name, "reason": why}) for name, why in faults]
    return SettingsRefused(faults=Message("{faults}", {"faults": told}))


def _in_words(text: str) -> Message:
    """What the library says of a value, as a message that can be translated."""
    for form, names in LIBRARY_SAYS.items():
        pattern = form.replace(".", "[.]").format(**dict.fromkeys(names, "(.+)"))
        if found := re.fullmatch(pattern, text):
            return Message(form, dict(zip(names, found.groups(), strict=True)))
    return Message(text)


def _values(env: Env) -> dict[str, object]:
    return {
        "environment": env.str("ENVIRONMENT", "development", validate=validate.OneOf(ENVIRONMENTS)),
        "data_folder": Path(env.str("DATA_FOLDER", ".data") or ".data").absolute(),
        "database_url": env.str("DATABASE_URL", None) or None,
        "database_owner_url": env.str("DATABASE_OWNER_URL", None),
        "data_key": env.str("DATA_KEY", None),
        "token_key": env.str("TOKEN_KEY", None),
        "host": env.str("HOST", "127.0.0.1"),
        "port": env.int("PORT", 8000, validate=validate.Range(1, 65535)),
        "processes": env.int("PROCESSES", _usual_processes(), validate=validate.Range(1, 64)),
        "threads": env.int("THREADS", 32, validate=validate.Range(2, 500)),
        "silence_s": env.int("SILENCE_S", 60, validate=validate.Range(1, 3_600)),
        "log_level": env.str("LOG_LEVEL", "info", validate=validate.OneOf(("debug", "info", "warning", "error"))),
        "access_token_s": env.int("ACCESS_TOKEN_S", 900, validate=validate.Range(30, 86_400)),
        "refresh_token_s": env.int("REFRESH_TOKEN_S", 30 * 86_400, validate=validate.Range(60, 366 * 86_400)),
        "geofence_m": env.int("GEOFENCE_M", 150, validate=validate.Range(10, 5_000)),
        "map_file": _file(env.str("MAP_FILE", None)),
        "road_server": env.str("ROAD_SERVER", None, validate=_web_address) or None,
        "busy_hours": _busy_hours(env.str("BUSY_HOURS", "", validate=_busy_hours)),
        "geocoder": env.str("GEOCODER", "none", validate=_known_geocoder),
        "geocoder_options": _object(env.str("GEOCODER_OPTIONS", "{}", validate=_object)),
        "geocoder_datum": env.enum("GEOCODER_DATUM", Datum.WGS84, enum=Datum, by_value=True),
        "solve_s": env.int("SOLVE_S", 10, validate=validate.Range(1, 3_600)),
        "solve_threads": env.int("SOLVE_THREADS", 2, validate=validate.Range(1, 64)),
        "solve_memory_mb": env.int("SOLVE_MEMORY_MB", 4_096, validate=validate.Range(512, 262_144)),
        "split_visits": env.int("SPLIT_VISITS", 1_000, validate=validate.Range(1, 100_000)),
        "part_visits": env.int("PART_VISITS", 500, validate=validate.Range(1, 10_000)),
        "public_url": env.str("PUBLIC_URL", None, validate=_web_address) or None,
        **_values_of_files(env),
        "trusted_proxies": env.int("TRUSTED_PROXIES", 0, validate=validate.Range(0, 10)),
        "rate_limit": env.str("RATE_LIMIT", "600/minute"),
        "rate_limit_storage": env.str("RATE_LIMIT_STORAGE", "memory://"),
        "dead_man_url": env.str("DEAD_MAN_URL", None) or None,
        "notice_providers": _notice_providers(env.str("NOTICE_PROVIDERS", "[]", validate=_notice_providers)),
        "notice_tries": env.int("NOTICE_TRIES", 12, validate=validate.Range(1, 100)),
        "alarm_providers": _providers(env.str("ALARM_PROVIDERS", "[]", validate=_providers)),
    }


def _values_of_files(env: Env) -> dict[str, object]:
    return {
        "max_body_mb": env.int("MAX_BODY_MB", 8, validate=validate.Range(1, 512)),
        "unfinished_files": env.int("UNFINISHED_FILES", 200, validate=validate.Range(1, 100_000)),
        # At least the largest file there is.
        "unfinished_mb": env.int("UNFINISHED_MB", 2_048, validate=validate.Range(64, 1_048_576)),
        "file_store": env.str("FILE_STORE", None, validate=_store_address) or None,
        "file_store_options": _object(env.str("FILE_STORE_OPTIONS", "{}", validate=_object)),
    }


def _file(given: str | None) -> Path | None:
    return Path(given).absolute() if given else None


def _usual_processes() -> int:
    """One for each processor that this process may use, a few at most: the database wants some too."""
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, MOST_USUAL)


def _web_address(given: str | None) -> None:
    if given and not given.startswith(("http://", "https://")):
        raise ValidationError("Not an address that begins with http:// or https://.")


def _store_address(given: str | None) -> None:
    if given and not given.startswith(("s3://", "gs://", "az://", "file:///")):
        raise ValidationError("Not an address that begins with s3://, gs://, az:// or file:///.")


def _busy_hours(given: str | None) -> tuple[tuple[int, int, float], ...]:
    """`07:00-09:30=1.4, 16:00-18:30=1.3` as seconds of the day and factors."""
    found: list[tuple[int, int, float]] = []
    for part in filter(None, (part.strip() for part in (given or "").split(","))):
        read = _BUSY.fullmatch(part)
        if read is None:
            raise ValidationError(f"{part!r} is not like 07:00-09:30=1.4.")
        begin, end = (int(read[n]) * 3_600 + int(read[n + 1]) * 60 for n in (1, 3))
        factor = float(read[5])
        if not (found[-1][1] if found else 0) <= begin < end <= 86_400 or not 0.2 <= factor <= 10:
            raise ValidationError(f"{part!r}: hours must be in order, and a factor from 0.2 to 10.")
        found.append((begin, end, factor))
    return tuple(found)


def _known_geocoder(name: str) -> None:
    if name not in WITHOUT_SERVICE:
        # Here and not above: the thirty services are slow to load, and most processes need none.
        from fieldvisit.geocoder_services import SERVICES

        validate.OneOf((*WITHOUT_SERVICE, *SERVICES))(name)


def _providers(given: str) -> tuple[AlarmProvider, ...]:
    try:
        return read_providers(given)
    except ValueError as error:
        raise ValidationError(str(error)) from error


def _notice_providers(given: str) -> tuple[NoticeProvider, ...]:
    try:
        return read_notice_providers(given)
    except ValueError as error:
        raise ValidationError(str(error)) from error


def _object(given: str) -> dict[str, Any]:
    """The JSON object in the text. The fault does not repeat it: it may hold a key."""
    try:
        value = json.loads(given or "{}")
    except ValueError as error:
        raise ValidationError("Not JSON.") from error
    if not isinstance(value, dict):
        raise ValidationError('Not a JSON object, such as {"api_key": "..."}.')
    return value


def _refuse_unusable_geocoder(name: str, options: Mapping[str, Any]) -> None:
    if name not in WITHOUT_SERVICE:
        from fieldvisit.geocoder_services import make_service

        make_service(name, options)
    elif options:
        why = Message("the geocoder {geocoder} takes none.", {"geocoder": name})
        raise _refused([("GEOCODER_OPTIONS", why)])


def _contradictions(values: Mapping[str, object], *, production: bool) -> list[Fault]:
    """What is wrong with values that are right each by itself, all at once."""
    url = values["database_url"]
    faults = [fault for name in KEYS for fault in _key_faults(name, str(values[name] or ""), needed=production)]
    if production and not url:
        faults.append(("DATABASE_URL", Message("the embedded server is never used in production.")))
    if production and values["geocoder"] == "demo":
        faults.append(("GEOCODER", Message("the demo's gazetteer is never used in production.")))
    if url and not str(url).startswith(("postgresql://", "postgresql+psycopg://")):
        faults.append(("DATABASE_URL", Message("only postgresql:// is understood.")))
    return faults


def _key_faults(name: str, given: str, *, needed: bool) -> list[Fault]:
    why = None
    try:
        size = len(base64.b64decode(given, validate=True))
        if given and size != KEY_BYTES:
            why = Message("{size} bytes where 32 are needed.", {"size": size})
    except ValueError:
        why = Message("not base64.")
    if needed and not given:
        why = Message("has to be given in production (32 bytes, base64).")
    return [(name.upper(), why)] if why else []


def _key(name: str, given: str, data_folder: Path) -> bytes:
    """The key from the environment, or one made once and kept in the data folder, readable by its owner only."""
    if given:
        return base64.b64decode(given, validate=True)
    path = data_folder / f"{name}.base64"
    data_folder.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        _keep_first(path, base64.b64encode(secrets.token_bytes(32)).decode())
    return base64.b64decode(path.read_text())


def _keep_first(path: Path, text: str) -> None:
    """Make the file whole, or not at all where somebody is killed over it. Of several that start at once, the first to
    give it its name decides. Only its owner reads it."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f"{path.name}.") as written:
        written.write(text)
        written.flush()
        os.fsync(written.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(written.name, path)
    # What is sealed with it is of no use to anybody without it.
    sync_folder(path.parent)


SETTING_NAMES = tuple(field.name.upper() for field in fields(Settings))
