"""The services that geopy knows, by name, each made from options as a setting can hold them."""

import inspect
from collections.abc import Mapping
from typing import Any

from geopy.exc import GeopyError
from geopy.geocoders import SERVICE_TO_GEOCODER, get_geocoder_for_service

from fieldvisit.errors import SettingsRefused

TIMEOUT_S = 5
DEFAULTS: dict[str, Any] = {"user_agent": "fieldvisit", "timeout": TIMEOUT_S}
# Objects of Python, which no JSON describes.
NOT_FROM_JSON = ("adapter_factory", "ssl_context")

SERVICES = tuple(sorted(SERVICE_TO_GEOCODER))


def make_service(name: str, options: Mapping[str, Any]) -> Any:
    """A geocoder of one of `SERVICES`. Nothing is asked of the service yet.

    Raises SettingsRefused for options that are unknown to it, missing or unusable; no value of an option is repeated.
    """
    maker = get_geocoder_for_service(name)
    try:
        inspect.signature(maker).bind(**{**DEFAULTS, **options})
        if refused := sorted(set(options).intersection(NOT_FROM_JSON)):
            raise TypeError(f"{', '.join(refused)} cannot be set")
    except TypeError as error:
        raise SettingsRefused(faults=f"GEOCODER_OPTIONS: {name}: {error}.") from error
    try:
        return maker(**{**DEFAULTS, **options})
    except (GeopyError, ValueError, TypeError, AttributeError) as error:
        raise SettingsRefused(faults=f"GEOCODER_OPTIONS: {name} cannot be used with these values.") from error
