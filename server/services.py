"""What functions get handed in: the objects the server is made of, found by the type a parameter names.

Handlers, duties, parts and routes of features say by type what they need; `server.app` knows the objects.
Nothing is looked up while serving: everything is wired once, at the start, and what is missing stops it.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

Services = Mapping[type, Any]
"""The one object there is of each type."""


def wired(function: Callable[..., Any], services: Services, *, given: int = 0) -> dict[str, Any]:
    """The arguments for all parameters of a function (or class) but the first `given`, by name.

    Raises LookupError when there is no object of a type that is asked for.
    """
    parameters = list(inspect.signature(function).parameters.values())[given:]
    missing = [p.name for p in parameters if p.annotation not in services]
    if missing:
        raise LookupError(f"{function.__qualname__}: nothing was wired for {missing}")
    return {p.name: services[p.annotation] for p in parameters}
