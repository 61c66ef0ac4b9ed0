"""Pages that are written from the code: kept current, or found not to be."""

import sys
from pathlib import Path


def keep_current(page: Path, text: str, module: str) -> int:
    """Write a page, or with `--check` on the command line return 1 where it is not current; `module` writes it."""
    if page.exists() and page.read_text(encoding="utf-8") == text:
        return 0
    if "--check" in sys.argv:
        print(f"{page.name} is not current: run `python -m {module}`", file=sys.stderr)
        return 1
    page.write_text(text, encoding="utf-8")
    return 0
