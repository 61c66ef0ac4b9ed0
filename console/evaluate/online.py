"""Payments scored from a cold start by points that count on as labels become known, a day at a time."""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np

from console.evaluate.metrics import Floats
from console.evaluate.stream import Stream
from pipeline.points.calibrate import Past
from pipeline.points.memory import WINDOW_MS
from pipeline.points.online import Online
from pipeline.points.score import Score
from schemas.timestamps import MS_PER_DAY


class Scored(NamedTuple):
    """The score of each payment, 0 while no fraud is known; and the points at the end."""

    scores: Floats
    points: Score


def score_online(stream: Stream, delay_ms: int, without: Collection[str]) -> Scored:
    """Score each day's payments by the labels that were known when it began."""
    at_ms, labelled = stream.at_ms, stream.label >= 0
    scores = np.zeros(len(at_ms))
    filled = stream.features.copy()
    online = Online()
    counted = 0
    for day in range(int(at_ms[0]) // MS_PER_DAY, int(at_ms[-1]) // MS_PER_DAY + 1):
        now_ms = day * MS_PER_DAY
        first, last = np.searchsorted(at_ms, (now_ms, now_ms + MS_PER_DAY)).tolist()
        known = int(np.searchsorted(at_ms, now_ms - delay_ms, side="right"))
        fresh = np.nonzero(labelled[counted:known])[0] + counted
        counted = max(counted, known)
        frauds = int((stream.label[:counted] == 1).sum())
        if online.is_due(frauds):
            visible = labelled[:first].copy()
            visible[counted:] = False
            fraud = np.where(visible, stream.label[:first], 0).astype(np.int8)
            past = Past(stream.features[:first], at_ms[:first], stream.account[:first], fraud, visible)
            online.cut(past, sorted(without))
        elif len(fresh) and online.payments:
            online.learn(filled[fresh], stream.label[fresh])
        # A payment's own points of the 48 hours before it are all that it takes from earlier days.
        since = int(np.searchsorted(at_ms, now_ms - WINDOW_MS, side="right"))
        window = slice(since, last)
        seen = online.score.filled(stream.features[window], stream.account[window], at_ms[window])[first - since :]
        filled[first:last] = seen
        scores[first:last] = online.score.of(seen)
    return Scored(scores, online.score)
