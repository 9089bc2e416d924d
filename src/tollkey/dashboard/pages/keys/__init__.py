"""Pages of a library's keys, without the payments API."""
