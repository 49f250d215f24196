"""A config and the options of the command line -> what runs. Options win; what is a route's the file says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from proxy.config.read import Config
from proxy.faults import Fault, Unusable, settings_of
from proxy.options import OF_ROUTES, OPTIONS
from proxy.route import Plan, Route


def plan_of(config: Config, given: Mapping[str, Any], environ: Mapping[str, str]) -> Plan:
    """Raises Unusable with every fault of the options."""
    sentence = "each route of --config says that for itself; leave it out"
    faults = [
        Fault(option.name, sentence)
        for option in OPTIONS
        if option.field in OF_ROUTES and given.get(option.field) is not None
    ]
    if faults:
        raise Unusable(faults)
    some = {
        "upstream": config.routes[0].values["upstream"]
    }  # every Settings has one; that of the process is not used
    settings = settings_of(given, environ, {**config.values, **some})
    routes = (
        Route(
            route.name,
            settings.model_copy(update=dict(route.values)),
            route.match,
            route.path,
            route.auth,
            route.shadow,
        )
        for route in config.routes
    )
    return Plan(settings, tuple(routes), named=True)
