"""Make a key for the examples: python make_key.py report_read report_write"""

import os
import sys

from tollkey.keys import KeyService, Permission

with KeyService.open(os.environ.get("KEYS_DB", "keys.db"), [Permission("report", "Reports")]) as keys:
    key, text = keys.create("Example", permissions=sys.argv[1:])
    print(text)
