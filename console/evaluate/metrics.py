"""AUC, average precision and card precision at 100, as the Fraud Detection Handbook defines them."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from schemas.timestamps import MS_PER_DAY

Floats = npt.NDArray[np.float64]
_CARDS = 100
_RESAMPLES = 200


class Measured(NamedTuple):
    """Area under the ROC curve, average precision, and the share of frauds among the 100 cards ranked highest a day."""

    auc: float
    ap: float
    cp100: float


def measure(
    score: Floats, fraud: npt.NDArray[np.int8], account: npt.NDArray[np.int32], at_ms: npt.NDArray[np.int64]
) -> Measured:
    """Measure scores of payments; all arguments are of (payments,). Not a number where there is no fraud to find."""
    auc, ap = _curves(score, fraud, np.ones(len(score)))
    return Measured(auc, ap, card_precision(score, fraud, account, at_ms // MS_PER_DAY))


def card_precision(
    score: Floats, fraud: npt.NDArray[np.int8], account: npt.NDArray[np.int32], day: npt.NDArray[np.int64]
) -> float:
    """Of the 100 cards with the highest score of a day, the share that was defrauded that day; the mean over days.

    A card that was found on one day is not looked at on those that follow.
    """
    found: set[int] = set()
    shares = []
    for each in np.unique(day).tolist():
        here = np.nonzero(day == each)[0]
        best: dict[int, float] = {}
        frauds = set()
        for card, points, label in zip(account[here].tolist(), score[here].tolist(), fraud[here].tolist(), strict=True):
            if card not in found:
                best[card] = max(points, best.get(card, points))
                if label == 1:
                    frauds.add(card)
        top = sorted(best, key=lambda card: (-best[card], card))[:_CARDS]
        caught = frauds.intersection(top)
        shares.append(len(caught) / _CARDS)
        found |= caught
    return float(np.mean(shares)) if shares else float("nan")


def resampled(score: Floats, fraud: npt.NDArray[np.int8], account: npt.NDArray[np.int32], seed: int = 1) -> Floats:
    """The average precision in 200 bootstrap samples of the cards: one card's payments are not independent."""
    chance = np.random.default_rng(seed)
    cards, of_card = np.unique(account, return_inverse=True)
    even = np.full(len(cards), 1 / len(cards))
    drawn = [
        _curves(score, fraud, chance.multinomial(len(cards), even)[of_card].astype(np.float64))[1]
        for _ in range(_RESAMPLES)
    ]
    return np.array(drawn)


def interval(drawn: Floats) -> tuple[float, float]:
    """The 95% interval of what was resampled."""
    low, high = np.nanquantile(drawn, (0.025, 0.975))
    return float(low), float(high)


def _curves(score: Floats, fraud: npt.NDArray[np.int8], weight: Floats) -> tuple[float, float]:
    order = np.argsort(-score, kind="stable")
    score, caught = score[order], (fraud[order] == 1) * weight[order]
    # Payments with one score are one step: nobody can rank them.
    steps = np.append(np.nonzero(np.diff(score))[0], len(score) - 1)
    true, all_ = np.cumsum(caught)[steps], np.cumsum(weight[order])[steps]
    frauds, genuine = true[-1], all_[-1] - true[-1]
    if frauds <= 0 or genuine <= 0:
        return float("nan"), float("nan")
    recall = np.concatenate(([0.0], true / frauds))
    alarm = np.concatenate(([0.0], (all_ - true) / genuine))
    precision = np.divide(true, all_, out=np.zeros_like(true), where=all_ > 0)
    return float(np.trapezoid(recall, alarm)), float(np.sum(np.diff(recall) * precision))
