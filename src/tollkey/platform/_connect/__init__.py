"""Connected accounts: how they look, what they still have to tell, and what becomes of what they told.

countries   currencies and what each country asks for
shape       new accounts and people, and what parameters change in them
needs       ``requirements``, computed from what is missing
kyc         the test values that decide how a check ends
held        finding an account that the caller may touch, and saving it with its events
"""

from tollkey.platform._connect.held import Held, connected_accounts, find_held, save_held

__all__ = ["Held", "connected_accounts", "find_held", "save_held"]
