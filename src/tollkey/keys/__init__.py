"""API keys: create, verify, restrict, roll, revoke. Usable alone, in front of any application, without a web framework.

Begin with ``KeyService.open``, declare each ``Permission``, and look at what it returns: ``Key``, ``Made``, ``Rolled``,
``Checked``, ``Denied`` with its ``Reason``, the ``AccountKeys`` of one customer. ``NewKey`` is for many at once.
``TollkeyError`` is the base of all errors, ``KeyRefused`` says why a change is not allowed. What fewer applications
need stands in a module with a name:

``asgi``, ``wsgi``: a ``KeyGate`` around an application; ``adapters``: one for each web framework.
``errors``: every error. ``actors``: who changes a key, for the audit log. ``refusal``: the answer to a refused request.
``config``, ``limiting``, ``limits``: what is declared in ``tollkey.toml``, rate limits and quotas, limits of your own.
``token``: the prefixes and the text of a key. ``keyring``: the secrets behind digests and sealed copies.
``attempts``, ``usage``: refused attempts and counted requests. ``remote``, ``tokens``: verification from elsewhere.
``portal``, ``notices``, ``vaults``, ``importing``, ``scanning``: what surrounds a key.

The other modules are the parts that ``KeyService`` is made of, for hosts that put them together in another way.
"""

from tollkey.keys.accounts import AccountKeys
from tollkey.keys.changing import Made, NewKey, Rolled
from tollkey.keys.errors import KeyRefused, TollkeyError
from tollkey.keys.key import Checked, Denied, Key, Reason
from tollkey.keys.permissions import Permission
from tollkey.keys.service import KeyService

__all__ = [
    "AccountKeys",
    "Checked",
    "Denied",
    "Key",
    "KeyRefused",
    "KeyService",
    "Made",
    "NewKey",
    "Permission",
    "Reason",
    "Rolled",
    "TollkeyError",
]
