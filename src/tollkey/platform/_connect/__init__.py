"""Connected accounts: their fields, requirements and verification.

countries   currencies and what each country requires
shape       new accounts and people, and applying parameters to them
needs       ``requirements``, computed from what is missing
kyc         the test values that decide the result of a verification
loading     loading an account that the caller may access, and saving it with its events
"""

from tollkey.platform._connect.loading import (
    LoadedAccount,
    connected_accounts,
    load_account,
    load_v2_account,
    save_account,
)

__all__ = ["LoadedAccount", "connected_accounts", "load_account", "load_v2_account", "save_account"]
