"""What workers knew of the payments of a log while they judged them, and the labels known by now: to train on."""

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from console.errors import CommandError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from console.evaluate.stream import Stream
    from pipeline.learned.onlooker import Onlooker
    from pipeline.policy.model import Policy


class Known(NamedTuple):
    """Payments with their features; from when on each label teaches, epoch ms, int64; and when the log ends.

    `tiers` are the names of those in force, one a payment; None where nobody knows of any.
    """

    stream: "Stream"
    known_ms: "npt.NDArray[np.int64]"
    until_ms: int
    tiers: "npt.NDArray[np.str_] | None" = None


def from_files(files: list[str], first: "Policy", genuine_after_ms: int | None) -> Known:
    """Judge JSON Lines again; `first` is the policy in force at first.

    Raises:
        CommandError: a file cannot be read, or nothing in it was judged with a profile.

    """
    from console.inputs import check_readable, lines_of, open_input
    from console.offline import Offline
    from console.replay import replay
    from pipeline.learned.onlooker import Onlooker

    check_readable(files)

    def lines() -> Iterator[bytes]:
        for name in files:
            with open_input(name) as source:
                yield from lines_of(source)

    onlooker, pipeline = Onlooker(), Offline(first)
    pipeline.show(onlooker)
    deque(replay(lines(), first, pipeline=pipeline), 0)
    return _known(onlooker, first, genuine_after_ms)


def from_kafka(first: "Policy", genuine_after_ms: int | None) -> Known:
    """Run the journal again, as `verify` does; `first` is the house's first policy.

    Raises:
        CommandError: no payment was judged with a profile.
        BrokerError: Kafka cannot be used, or topics are missing.
        GoneError: retention has taken what is needed.

    """
    import asyncio

    from agents.verify.shown import show
    from console.environment import settings
    from pipeline.learned.onlooker import Onlooker

    onlooker = Onlooker()
    asyncio.run(show(settings(), first, onlooker))
    return _known(onlooker, first, genuine_after_ms)


def _known(onlooker: "Onlooker", first: "Policy", genuine_after_ms: int | None) -> Known:
    import numpy as np

    from console.evaluate.stream import UNLABELLED, Stream
    from pipeline.behaviour.features import INDEX
    from pipeline.labels.verdict import FRAUD, GENUINE

    if not first.profile:
        raise CommandError("this policy keeps no profile of customers", "Set `profile: true`: models look at it.")
    if not onlooker.at_ms:
        raise CommandError("no payment in this log", "`tierwatch replay` says what is wrong with it.")
    verdicts = onlooker.verdicts()
    at_ms = np.array(onlooker.at_ms, dtype=np.int64)
    label = np.array([{FRAUD: 1, GENUINE: 0}.get(each.label, UNLABELLED) for each in verdicts], dtype=np.int8)
    known_ms = np.array([each.matures_ms for each in verdicts], dtype=np.int64)
    until_ms = int(max(at_ms.max(), onlooker.latest_ms))
    if genuine_after_ms is not None:
        unsaid = label == UNLABELLED
        label[unsaid], known_ms[unsaid] = 0, at_ms[unsaid] + genuine_after_ms
    features = np.concatenate(onlooker.rows)
    categories, codes = np.unique(onlooker.categories, return_inverse=True)
    features[:, INDEX["category"]] = codes
    account = np.unique(onlooker.customers, return_inverse=True)[1].astype(np.int32)
    # By their times, whichever partition or lane they came through.
    order = np.argsort(at_ms, kind="stable")
    stream = Stream(features[order], at_ms[order], account[order], label[order], tuple(categories.tolist()))
    return Known(stream, known_ms[order], until_ms, np.array(onlooker.tiers)[order])
