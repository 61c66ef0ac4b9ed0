"""What the pager remembers of a correlation key: a state of bounded size, on a compacted topic of its own."""

from msgspec import Struct

from schemas.case import Case


class Watch(Struct, frozen=True, kw_only=True, array_like=True):
    """A rule that may become a campaign: the latest customers, each with the time of their alert (epoch ms)."""

    rule: str
    customers: tuple[tuple[str, int], ...]


class SendBack(Struct, frozen=True, kw_only=True, array_like=True):
    """A campaign that has this key's case: alerts of its rule around `at_ms` (epoch ms) belong to it."""

    rule: str
    key: str
    at_ms: int


class CaseKey(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`cases`: the latest few, by the transactions' own times. `recent`: what was taken last, to know it again."""

    key: str
    cases: tuple[Case, ...] = ()
    watches: tuple[Watch, ...] = ()
    send_back: tuple[SendBack, ...] = ()
    recent: tuple[str, ...] = ()
    version: int = 1
