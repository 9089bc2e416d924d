"""What is declared for a key service: prefixes, permissions, routes, plans and limits, from ``tollkey.toml`` or Python.

``load`` reads the file, ``Config`` is the value. Another package of ``tollkey.keys`` adds a table with its own name by
a module ``section.py`` with a frozen dataclass ``Section`` (see ``reading.py`` for the types of its fields).
"""

from tollkey.keys.config.amounts import Period, Quota, Rate
from tollkey.keys.config.faults import ConfigError, Fault
from tollkey.keys.config.file import load, parse
from tollkey.keys.config.plans import Limit, Plan
from tollkey.keys.config.routes import Pattern, Route
from tollkey.keys.config.values import Config

__all__ = [
    "Config",
    "ConfigError",
    "Fault",
    "Limit",
    "Pattern",
    "Period",
    "Plan",
    "Quota",
    "Rate",
    "Route",
    "load",
    "parse",
]
