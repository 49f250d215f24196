"""Kafka: every event a message of one topic, every signed checkpoint one of `TOPIC-checkpoints`; keys are logs.

One log goes to one partition, so it stays in order. The producer is idempotent and every replica in sync has to
answer (acks=all). A batch that is tried again comes twice: whoever reads keeps one of each (log, seq), which stand
in every line.
"""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from proxy.audit.sinks import Batch, ShipError
from proxy.audit.sinks.place import PlaceError

CONNECT = 10.0  # seconds
ANSWER = 30.0  # seconds for a batch
PROMISED = {"acks": "all", "enable.idempotence": True}
CALM = {
    "client.id": "hushwire",
    "compression.type": "lz4",
    "linger.ms": 5,
    "reconnect.backoff.ms": 1000,
    "log_level": 0,  # it would write to stderr at each of its own tries
}


class KafkaSink:
    """An AuditSink."""

    def __init__(self, url: str) -> None:
        """`url` is kafka://[USER:PASSWORD@]BROKER[,BROKER]/TOPIC?PROPERTY=VALUE. Raises PlaceError."""
        parts = urlsplit(url)
        user, _, brokers = parts.netloc.rpartition("@")
        given: dict[str, Any] = dict(parse_qsl(parts.query))
        if given.keys() & PROMISED.keys():
            raise PlaceError(f"{' and '.join(PROMISED)} are not to be chosen: nothing would be sure to arrive")
        if user:
            name, _, password = user.partition(":")
            given |= {"sasl.username": unquote(name), "sasl.password": unquote(password)}
        self._topic = unquote(parts.path.strip("/"))
        self._conf = CALM | given | PROMISED | {"bootstrap.servers": brokers, "error_cb": self._hear}
        self._conf["message.timeout.ms"] = int(ANSWER * 1000)
        self._heard = ""
        try:
            self._producer: Producer | None = Producer(self._conf)
        except KafkaException:
            raise PlaceError(
                "a parameter of this URL is no property of librdkafka, or has no value of its"
            ) from None

    def connect(self) -> None:
        self._producer = producer = self._producer or Producer(self._conf)
        try:
            producer.list_topics(timeout=CONNECT)
        except KafkaException as error:
            self.close()
            raise ShipError(self._words(error.args[0].name())) from None

    def ship(self, batch: Batch) -> None:
        self._producer = producer = self._producer or Producer(self._conf)
        lost: list[str] = []

        def answered(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                lost.append(error.name())

        until = time.monotonic() + ANSWER + 5  # librdkafka gives up by itself; this is if it does not
        try:
            for topic, value in self._messages(batch):
                while not _taken(producer, topic, value, batch.log, answered) and not lost:
                    if time.monotonic() > until:
                        lost.append("_QUEUE_FULL")
            if producer.flush(max(0.0, until - time.monotonic())):
                lost.append("_TIMED_OUT")
        except KafkaException as error:
            lost.append(error.args[0].name())
        if lost:
            self.close()
            raise ShipError(self._words(lost[0]))

    def close(self) -> None:
        """What is on its way may arrive or not: it will come again."""
        if self._producer is not None:
            self._producer.purge()
        self._producer = None

    def _messages(self, batch: Batch) -> list[tuple[str, bytes]]:
        made = [(self._topic, line) for line in batch.lines()]
        if batch.checkpoint is not None:
            made.append((f"{self._topic}-checkpoints", batch.checkpoint.encode()))
        return made

    def _hear(self, error: KafkaError) -> None:
        self._heard = error.name()

    def _words(self, name: str) -> str:
        """Names of errors only: their texts are not ours."""
        return f"Kafka's client says {name}" + (f" after {self._heard}" if self._heard else "")


def _taken(producer: Producer, topic: str, value: bytes, key: str, answered: Any) -> bool:
    """Whether there was room; librdkafka holds 100,000 messages."""
    try:
        producer.produce(topic, value, key, on_delivery=answered)
    except BufferError:
        producer.poll(0.1)
        return False
    producer.poll(0)
    return True
