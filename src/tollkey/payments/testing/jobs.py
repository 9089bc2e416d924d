"""The names of the jobs of this package; ``on_due`` of its resources has their functions."""

from __future__ import annotations

from tollkey.wire.kinds import Job

TEST_CLOCK_DELETE = Job("test_clock.delete")
