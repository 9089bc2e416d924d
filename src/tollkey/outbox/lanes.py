"""How many attempts each webhook endpoint may have in flight, so that those that do not answer delay no other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_FIRST = 4  # attempts of an endpoint that nothing is known of
_REMEMBERED = 10_000  # endpoints


@dataclass(slots=True)
class _Lane:
    """One endpoint. width: attempts that it may have in flight. more: whether it probably has more that are due."""

    width: int
    in_flight: int = 0
    failing: bool = False
    more: bool = False


class Lanes:
    """The endpoints of one deliverer.

    An endpoint that answers gets more attempts at once, up to ``widest``; one that fails has a single one. Endpoints
    that fail have half of all places at most.

    places: attempts in flight, of all endpoints.
    """

    def __init__(self, places: int, widest: int) -> None:
        self._places, self._widest = places, widest
        self._lanes: dict[str, _Lane] = {}
        self.in_flight = self._failing_in_flight = 0

    def rooms(self, endpoints: Iterable[str]) -> dict[str, int]:
        """Return how many more attempts may begin, by endpoint; those without room are left out.

        Endpoints that answer come first, and share what is free. An endpoint that is half full waits for a larger part.
        """
        free, free_for_failing = self._places - self.in_flight, self._places // 2 - self._failing_in_flight
        lanes = {id: self._lanes.get(id) or _Lane(min(_FIRST, self._widest)) for id in endpoints}
        half_free = {id: one for id, one in lanes.items() if one.width - one.in_flight >= max(1, one.width // 2)}
        answering = [id for id, lane in half_free.items() if not lane.failing]
        rooms: dict[str, int] = {}
        for number, id in enumerate(answering):
            room = min(lanes[id].width - lanes[id].in_flight, max(1, free // (len(answering) - number)), free)
            rooms[id] = room
            free -= room
        failing = [id for id, lane in half_free.items() if lane.failing]
        rooms.update(dict.fromkeys(failing[: max(0, min(free, free_for_failing))], 1))
        return {id: room for id, room in rooms.items() if room > 0}

    def claimed(self, asked: dict[str, int], got: Iterable[str]) -> None:
        """Note which deliveries were claimed. asked: what ``rooms`` returned. got: the endpoint of each delivery."""
        counts = dict.fromkeys(asked, 0)
        for id in got:
            counts[id] += 1
        for id, room in asked.items():
            self._lane(id).more = counts[id] >= room

    def begin(self, id: str) -> None:
        """Note that an attempt begins."""
        lane = self._lane(id)
        lane.in_flight += 1
        self.in_flight += 1
        self._failing_in_flight += lane.failing

    def end(self, id: str, succeeded: bool) -> bool:
        """Note that an attempt ended. Returns whether more deliveries of the endpoint can be claimed now."""
        lane = self._lane(id)
        self._failing_in_flight -= lane.failing * lane.in_flight
        lane.in_flight -= 1
        self.in_flight -= 1
        lane.failing = not succeeded
        self._failing_in_flight += lane.failing * lane.in_flight
        lane.width = min(lane.width * 2, self._widest) if succeeded else 1
        return lane.more and lane.width - lane.in_flight >= max(1, lane.width // 2)

    def _lane(self, id: str) -> _Lane:
        lane = self._lanes.get(id)
        if lane is None:
            if len(self._lanes) >= _REMEMBERED:
                self._lanes = {one: kept for one, kept in self._lanes.items() if kept.in_flight}
            lane = self._lanes[id] = _Lane(min(_FIRST, self._widest))
        return lane
