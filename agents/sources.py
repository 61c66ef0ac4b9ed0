"""A processor's name as labels, pages and reports may carry it: what may name a card, an account or a person is not."""

import re
from typing import Final

OTHER_SOURCES: Final = "others"

# Fewer digits than any card number has, however they are parted; no spaces and no `@`, as people have.
_names_a_processor = re.compile(r"(?!(?:[^0-9]*[0-9]){8})[A-Za-z/][A-Za-z0-9._:/-]{0,63}").fullmatch


def shown(source: str) -> str:
    """Return the name, or `OTHER_SOURCES`."""
    return source if _names_a_processor(source) else OTHER_SOURCES
