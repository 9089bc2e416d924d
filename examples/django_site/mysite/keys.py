"""The keys of this site."""

import os

from tollkey.keys import KeyService, Permission

keys = KeyService.open(os.environ.get("KEYS_DB", "keys.db"), [Permission("report", "Reports")])
