"""What was said of a customer's own payments of the last 48 hours: a burst is judged as one."""

from typing import Final

import numpy as np
import numpy.typing as npt

from schemas.timestamps import MS_PER_HOUR

WINDOW_MS: Final = 48 * MS_PER_HOUR


def recent_points(
    account: npt.NDArray[np.int32], at_ms: npt.NDArray[np.int64], score: npt.NDArray[np.int32]
) -> npt.NDArray[np.float32]:
    """Per payment, the sum of the scores above 0 of this account's payments before it, in the window.

    All arguments are of (payments,), in the order in which the payments happened; the result is float32 of (payments,).
    """
    order = np.argsort(account, kind="stable")
    worth = np.concatenate(([0], np.cumsum(np.maximum(score[order], 0).astype(np.int64))))
    # Accounts follow each other on one line of time, far enough apart never to meet.
    span = np.int64(at_ms.max() - at_ms.min() + WINDOW_MS + 1) if len(at_ms) else np.int64(1)
    line = account[order].astype(np.int64) * span + (at_ms[order] - at_ms.min() if len(at_ms) else 0)
    begin = np.searchsorted(line, line - WINDOW_MS, side="right")
    result = np.zeros(len(score), dtype=np.float32)
    result[order] = worth[np.arange(len(line))] - worth[begin]
    return result
