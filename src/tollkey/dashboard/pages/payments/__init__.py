"""Pages of the payments API."""
