"""Against the mock cluster that librdkafka brings: the brokers' protocol on real sockets."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition

from proxy.audit.sinks import ShipError, kafka
from proxy.audit.sinks.follow import Reached, batches, head
from proxy.audit.sinks.place import open_sink, place
from tests.audit.sinks.remote import proves, signed_lines
from tests.audit.sinks.test_postgres import ship
from tests.audit.sinks.test_shipper import grown


def read(brokers: str, topic: str) -> dict[int, list[tuple[bytes, bytes]]]:
    """By partition, the keys and values of a topic, from its beginning to its end."""
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "test", "enable.partition.eof": True})
    partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
    consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
    found: dict[int, list[tuple[bytes, bytes]]] = {number: [] for number in partitions}
    ended: set[int] = set()
    while ended != set(partitions):
        (message,) = consumer.consume(1, timeout=10)
        if message.error():
            ended.add(message.partition())
        else:
            found[message.partition()].append((message.key(), message.value()))
    consumer.close()
    return found


def test_a_log_stays_in_order_and_the_copy_proves_itself(tmp_path: Path, brokers: str):
    logs = [grown(tmp_path, log=name * 8, number=number, count=400) for number, name in enumerate("abc")]
    ship(tmp_path, place(f"kafka://{brokers}/order"))
    partitions = read(brokers, "order").values()
    notes = dict(said for messages in read(brokers, "order-checkpoints").values() for said in messages)
    for log in logs:
        key = log.log.encode()
        (lines,) = filter(None, ([line for name, line in messages if name == key] for messages in partitions))
        assert lines == signed_lines(tmp_path)[log.log]
        assert proves(lines, notes[key].decode(), log.signer.verifier)


def test_what_is_shipped_again_can_be_told_by_log_and_seq(tmp_path: Path, brokers: str):
    log, at = grown(tmp_path), place(f"kafka://{brokers}/again")
    ship(tmp_path, at)
    (tmp_path / f"ship-{at.name}.json").unlink()
    ship(tmp_path, at)
    values = [value for messages in read(brokers, "again").values() for _, value in messages]
    assert len(values) == 12
    assert list(dict.fromkeys(values)) == signed_lines(tmp_path)[log.log]


def test_more_than_librdkafka_holds_at_once_goes_through(tmp_path: Path, brokers: str):
    log = grown(tmp_path, count=600)
    ship(tmp_path, place(f"kafka://{brokers}/full?queue.buffering.max.messages=100"))
    values = [value for messages in read(brokers, "full").values() for _, value in messages]
    assert values == signed_lines(tmp_path)[log.log]


@pytest.mark.parametrize("silent", [True, False], ids=["never answers", "is not there"])
def test_a_broker_that_does_not_answer_is_given_up_and_tried_again(
    tmp_path: Path, brokers: str, silent: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(kafka, "ANSWER", 1.5)
    log = grown(tmp_path)
    target = head(log.folder, log.signer.verifier)
    assert target is not None
    ((batch, _),) = batches(target, Reached())
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1] if silent else 1
        sink = open_sink(place(f"kafka://127.0.0.1:{port}/canary"))
        for _ in range(2):
            began = time.monotonic()
            with pytest.raises(ShipError, match=r"^Kafka's client says _MSG_TIMED_OUT( after _\w+)?$"):
                sink.ship(batch)
            assert time.monotonic() - began < 10
        sink.close()


def test_a_topic_that_is_not_there_and_not_made_is_told(tmp_path: Path, brokers: str, monkeypatch):
    monkeypatch.setattr(kafka, "ANSWER", 3.0)
    grown(tmp_path)
    at = place(f"kafka://{brokers}/absent?allow.auto.create.topics=false&topic.metadata.propagation.max.ms=500")
    with pytest.raises(ShipError, match=r"_UNKNOWN_TOPIC|_UNKNOWN_PARTITION|UNKNOWN_TOPIC_OR_PART"):
        ship(tmp_path, at)
