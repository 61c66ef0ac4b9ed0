"""A copy of a labelled file that nothing could have been fitted to: other names, other amounts, ties told otherwise."""

import csv
import gzip
from collections.abc import Iterator
from hashlib import blake2b
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

Row = dict[str, str]


class Layout(NamedTuple):
    """Which columns hold times, amounts, and names; of a name so many letters at its beginning stay."""

    at: str
    amounts: tuple[str, ...]
    names: tuple[str, ...]
    kept: int = 0


LAYOUTS: Final = {
    "handbook": Layout("TX_DATETIME", ("TX_AMOUNT",), ("CUSTOMER_ID", "TERMINAL_ID")),
    "sparkov": Layout("unix_time", ("amt",), ("cc_num", "acct_num", "merchant")),
    # The first letter says whether it is a customer or a merchant.
    "paysim": Layout("step", ("amount",), ("nameOrig", "nameDest"), kept=1),
}
_DIGITS: Final = 12


def shifted(source: Path, target: Path, layout: str, factor: float, seed: int) -> int:
    """Write the copy, gzipped; amounts are `factor` times as large. Returns how many rows it has."""
    of = LAYOUTS[layout]
    chance = Random(seed)
    with gzip.open(source, "rt", newline="") as told, gzip.open(target, "wt", newline="") as out:
        rows = csv.DictReader(told)
        writer = csv.DictWriter(out, rows.fieldnames or ())
        writer.writeheader()
        count = 0
        for row in _retold(rows, of, chance):
            for name in of.amounts:
                row[name] = f"{float(row[name]) * factor:.2f}"
            for name in of.names:
                row[name] = row[name][: of.kept] + _renamed(row[name], seed)
            writer.writerow(row)
            count += 1
    return count


def _retold(rows: Iterator[Row], of: Layout, chance: Random) -> Iterator[Row]:
    """Within a moment the payers take turns anew, each with its rows in their order."""
    payer = of.names[0]
    for _, moment in groupby(rows, key=lambda row: row[of.at]):
        by_payer: dict[str, list[Row]] = {}
        turns = []
        for row in moment:
            by_payer.setdefault(row[payer], []).append(row)
            turns.append(row[payer])
        chance.shuffle(turns)
        waiting = {name: iter(own) for name, own in by_payer.items()}
        yield from (next(waiting[name]) for name in turns)


def _renamed(name: str, seed: int) -> str:
    """Digits of its own, as all these files have them."""
    digest = blake2b(name.encode(), key=seed.to_bytes(8, "big"), digest_size=8).digest()
    return f"{int.from_bytes(digest, 'big') % 10**_DIGITS:0{_DIGITS}d}"
