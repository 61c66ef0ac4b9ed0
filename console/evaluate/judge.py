"""One trial: calibrate and train on what was known then, score what followed, and measure."""

from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np

from console.evaluate.metrics import Floats, measure
from console.evaluate.online import Scored
from console.evaluate.stream import Stream
from console.evaluate.trials import Trial
from pipeline.points.calibrate import Past, calibrate
from pipeline.points.score import Score


class Judged(NamedTuple):
    """What came of a trial: its points; per way of scoring, the scores of tested payments and what they are worth.

    `base` is the share of frauds among the payments whose labels were visible.
    """

    points: Score
    base: float
    scores: dict[str, Floats]
    measured: dict[str, dict[str, Any]]


def judge(
    stream: Stream, trial: Trial, modes: Collection[str], without: Collection[str], online: Scored | None = None
) -> Judged:
    """Score the tested payments of a trial; `online` are points that count on, instead of those of the past alone.

    Labels that are not visible are taken away first: nothing that follows could look at them.
    """
    past, tested = trial.past, trial.tested
    visible = trial.visible[:past]
    fraud = np.where(visible, stream.label[:past], 0).astype(np.int8)
    known = Past(stream.features[:past], stream.at_ms[:past], stream.account[:past], fraud, visible)
    points = online.points if online else calibrate(known, without)
    scores: dict[str, Floats] = {}
    extra: dict[str, dict[str, Any]] = {}
    if "rules" in modes:
        if online:
            scores["rules"] = online.scores[tested]
        else:
            # Each payment's own points of 48 hours before it: nothing after a payment touches its features.
            features = points.filled(stream.features, stream.account, stream.at_ms)
            scores["rules"] = points.of(features[tested]).astype(np.float64)
        extra["rules"] = {"fitted": points.fitted}
    if "learned" in modes:
        from pipeline.learned.boosted import train

        seen = np.nonzero(visible)[0]
        model = train(stream.features[seen], fraud[seen], stream.at_ms[seen], stream.categories, sorted(without))
        scores["learned"] = model.score(stream.features[tested])
        extra["learned"] = {"leaves": model.card.leaves, "trees": model.card.trees, "model": model.card.sha256[:12]}
    of_tested = (stream.label[tested], stream.account[tested], stream.at_ms[tested])
    measured = {
        mode: {**{name: round(value, 4) for name, value in measure(score, *of_tested)._asdict().items()}, **extra[mode]}
        for mode, score in scores.items()
    }
    base = float(fraud[visible].mean()) if visible.any() else 0.0
    return Judged(points, base, scores, measured)
