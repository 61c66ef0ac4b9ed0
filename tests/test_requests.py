"""A transaction's requests and answers are, byte for byte, what aiokafka makes of the protocol's own description."""

from collections.abc import Iterable, Sequence
from io import BytesIO
from itertools import groupby
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import IncompatibleBrokerVersion
from aiokafka.protocol.api import RequestHeader_v1, RequestStruct
from aiokafka.protocol.produce import ProduceRequest_v7
from aiokafka.protocol.transaction import AddPartitionsToTxnRequest_v0, EndTxnRequest_v0
from hypothesis import given
from hypothesis import strategies as st

from agents.engine.requests import Answered, Request, Requests

ID, PRODUCER, EPOCH, TIMEOUT_MS = "tierwatch-3", 2**40 + 1, 7, 15_000
REQUESTS = Requests(ID, PRODUCER, EPOCH)
THROTTLE_MS, LOG_START = 5, 1
CODES, INT64 = st.integers(-1, 100), st.integers(-1, 2**62)
PLACES = st.lists(st.builds(TopicPartition, st.text("abcä-", min_size=1), st.integers(0, 9)), unique=True).map(sorted)


def by_topic(places: Sequence[TopicPartition], told: Iterable[object]) -> list[tuple[str, list[Any]]]:
    both = zip(places, told, strict=True)
    return [(topic, [each for _, each in same]) for topic, same in groupby(both, key=lambda pair: pair[0].topic)]


def assert_same(ours: Request, theirs: RequestStruct, correlation_id: int = 77) -> None:
    header = RequestHeader_v1(theirs, correlation_id, "client-ä")
    told = ours.build_request_header(correlation_id, "client-ä")
    assert (told.encode(), ours.encode()) == (header.encode(), theirs.encode())


@given(places=PLACES)
def test_partitions_to_add_are_written_as_the_protocol_has_them(places: list[TopicPartition]) -> None:
    numbers = by_topic(places, (place.partition for place in places))
    assert_same(REQUESTS.add(places), AddPartitionsToTxnRequest_v0(ID, PRODUCER, EPOCH, numbers))


@given(places=PLACES, data=st.data())
def test_batches_are_written_as_the_protocol_has_them(places: list[TopicPartition], data: st.DataObject) -> None:
    batches = [(place, data.draw(st.binary(max_size=40))) for place in places]
    sent = by_topic(places, ((place.partition, batch) for place, batch in batches))
    assert_same(REQUESTS.produce(batches, TIMEOUT_MS), ProduceRequest_v7(ID, -1, TIMEOUT_MS, sent))


def test_an_end_is_written_as_the_protocol_has_it() -> None:
    for commit in (True, False):
        assert_same(REQUESTS.end(commit=commit), EndTxnRequest_v0(ID, PRODUCER, EPOCH, commit))


@given(places=PLACES, data=st.data())
def test_answers_are_read_as_the_protocol_has_them(places: list[TopicPartition], data: st.DataObject) -> None:
    told = [Answered(place, data.draw(CODES), data.draw(INT64), data.draw(INT64)) for place in places]
    added = by_topic(places, ((each.place.partition, each.code) for each in told))
    answer = AddPartitionsToTxnRequest_v0.RESPONSE_TYPE(THROTTLE_MS, added).encode()
    assert REQUESTS.add(places).RESPONSE_TYPE.decode(BytesIO(answer)) == [Answered(*each[:2]) for each in told]
    written = by_topic(places, ((each.place.partition, *each[1:], LOG_START) for each in told))
    answer = ProduceRequest_v7.RESPONSE_TYPE(written, THROTTLE_MS).encode()
    assert REQUESTS.produce((), TIMEOUT_MS).RESPONSE_TYPE.decode(BytesIO(answer)) == told


@given(code=CODES)
def test_an_ends_answer_is_read_behind_its_header(code: int) -> None:
    request = REQUESTS.end(commit=True)
    answer = BytesIO(b"\0\0\0\x4d" + EndTxnRequest_v0.RESPONSE_TYPE(THROTTLE_MS, code).encode())
    assert request.parse_response_header(answer).correlation_id == 77
    assert request.RESPONSE_TYPE.decode(answer) == code


def test_a_broker_that_does_not_speak_our_versions_is_named() -> None:
    request = REQUESTS.end(commit=True)
    assert request.prepare({26: (0, 5)}) is request
    for versions in ({}, {26: (1, 5)}):
        with pytest.raises(IncompatibleBrokerVersion, match="request 26"):
            request.prepare(versions)
