"""Each webhook endpoint has as many attempts in flight as its answers allow."""

from __future__ import annotations

from tollkey.outbox.lanes import Lanes


def begin(lanes: Lanes, id: str, attempts: int) -> None:
    for _ in range(attempts):
        lanes.begin(id)


def test_an_endpoint_that_answers_gets_more_attempts_at_once_and_one_that_fails_a_single_one() -> None:
    lanes = Lanes(100, 16)
    widths = []
    for succeeded in (True, True, True, False, True):
        lanes.begin("we_1")
        lanes.end("we_1", succeeded)
        widths.append(lanes.rooms(["we_1"])["we_1"])
    assert widths == [8, 16, 16, 1, 2]


def test_an_endpoint_that_does_not_answer_at_all_has_four_attempts() -> None:
    lanes = Lanes(100, 16)
    assert lanes.rooms(["we_1"]) == {"we_1": 4}
    begin(lanes, "we_1", 4)
    assert lanes.rooms(["we_1"]) == {}


def test_room_is_given_in_parts_of_half_the_width() -> None:
    lanes = Lanes(100, 16)
    begin(lanes, "we_1", 3)
    assert lanes.rooms(["we_1"]) == {}
    lanes.claimed({"we_1": 3}, ["we_1"] * 3)
    assert lanes.end("we_1", True)  # 2 of 8
    assert lanes.rooms(["we_1"]) == {"we_1": 6}


def test_who_had_no_more_deliveries_is_not_looked_for_again() -> None:
    lanes = Lanes(100, 16)
    lanes.claimed({"we_1": 4}, ["we_1"])
    lanes.begin("we_1")
    assert not lanes.end("we_1", True)


def test_failing_endpoints_have_half_of_all_places_and_come_last() -> None:
    lanes = Lanes(10, 4)
    failing, good = [f"we_bad_{number}" for number in range(20)], [f"we_{number}" for number in range(3)]
    for id in failing:
        lanes.begin(id)
        lanes.end(id, False)
    rooms = lanes.rooms(failing)
    assert rooms == dict.fromkeys(failing[:5], 1)
    for id in rooms:
        lanes.begin(id)
    assert lanes.rooms([*failing, *good]) == {"we_0": 1, "we_1": 2, "we_2": 2}
    lanes.end(failing[0], True)
    assert failing[1] not in lanes.rooms(failing)
    assert lanes.in_flight == 4


def test_places_are_shared_by_the_endpoints_that_wait() -> None:
    lanes = Lanes(6, 4)
    assert lanes.rooms(["we_1", "we_2", "we_3"]) == {"we_1": 2, "we_2": 2, "we_3": 2}
