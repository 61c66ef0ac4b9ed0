"""What committed messages say that is worth counting: they are few beside decisions, so their bytes are read."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from operator import attrgetter

import msgspec

from pipeline.record import Message
from pipeline.tally import Name


class _Signal(msgspec.Struct):
    rule: str
    mode: str = "live"


class _Alert(msgspec.Struct):
    tier: str
    signals: tuple[_Signal, ...] = ()


class _Action(msgspec.Struct):
    action: str
    because: str
    tier_from: str = ""
    tier_to: str = ""


class _Audited(msgspec.Struct):
    what: str
    result: str


class _ReReview(msgspec.Struct):
    kind: str = "call"  # a request to call an applicant has none
    why: str = "application"


_alert = msgspec.json.Decoder(_Alert).decode
_action = msgspec.json.Decoder(_Action).decode
_audited = msgspec.json.Decoder(_Audited).decode
_re_review = msgspec.json.Decoder(_ReReview).decode
_topic = attrgetter("topic")


def _of_alert(value: bytes) -> Iterator[Name]:
    alert = _alert(value)
    for rule in {signal.rule for signal in alert.signals if signal.mode == "live"}:
        yield ("alerts", rule, alert.tier)


def _of_action(value: bytes) -> Iterator[Name]:
    asked = _action(value)
    yield ("account_actions", asked.action, asked.because)
    if asked.action == "tier_change":
        yield ("tier_changes", asked.tier_from, asked.tier_to)


def _of_audit(value: bytes) -> Iterator[Name]:
    entry = _audited(value)
    yield ("audited", entry.what, entry.result)


def _of_re_review(value: bytes) -> Iterator[Name]:
    asked = _re_review(value)
    yield ("re_reviews", asked.kind, asked.why)


_BY_TOPIC: Mapping[str, Callable[[bytes], Iterator[Name]]] = {
    "alerts": _of_alert,
    "account-actions": _of_action,
    "audit": _of_audit,
    "re-reviews": _of_re_review,
}


def told(messages: Collection[Message]) -> Counter[Name]:
    """Count messages by topic, and those that people act on by what they say: metrics and their label values."""
    by_topic = Counter(map(_topic, messages))
    counts: Counter[Name] = Counter({("published", topic): count for topic, count in by_topic.items()})
    if not by_topic.keys().isdisjoint(_BY_TOPIC):
        for message in messages:
            if message.topic in _BY_TOPIC:
                counts.update(_BY_TOPIC[message.topic](message.value or b""))
    return counts
