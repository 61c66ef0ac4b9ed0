"""Write what is generated from the message types: `python -m schemas.generate`, or `--check` that it is current."""

import argparse
import json
import sys  # noqa: TID251 - a tool of the house: nothing imports it but its test
from pathlib import Path  # noqa: TID251 - the same

import yaml

from schemas.publish import asyncapi, json_schema, wire_page
from schemas.publish.messages import published, snake

ROOT = Path(__file__).resolve().parent.parent
_SCHEMAS = "schemas/json"


def generated() -> dict[str, str]:
    """Every generated file: its path below the root, and its text."""
    files = {
        f"{_SCHEMAS}/{snake(kind)}.json": json.dumps(json_schema.document(kind), indent=2, ensure_ascii=False) + "\n"
        for kind in published()
    }
    files["schemas/asyncapi.yaml"] = yaml.dump(asyncapi.document(), Dumper=_Dumper, sort_keys=False, width=120)
    files["docs/wire/README.md"] = wire_page.page()
    return files


def stale(root: Path = ROOT) -> list[str]:
    """The files below `root` that are missing, differ from what would be generated, or belong to no type any more."""
    files = generated()
    left_over = {path.relative_to(root).as_posix() for path in (root / _SCHEMAS).glob("*.json")} - files.keys()
    return sorted(left_over | {path for path, text in files.items() if _read(root / path) != text})


def write(root: Path = ROOT) -> None:
    """Write every generated file below `root`, and remove schemas of types that are gone."""
    files = generated()
    for path in stale(root):
        target = root / path
        if path in files:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(files[path], encoding="utf-8")
        else:
            target.unlink()


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; 1 when `--check` finds stale files."""
    parser = argparse.ArgumentParser(prog="python -m schemas.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail when a file is not current")
    if not parser.parse_args(arguments).check:
        write()
        return 0
    outdated = stale()
    for path in outdated:
        sys.stderr.write(f"{path} is not current: run python -m schemas.generate\n")
    return 1 if outdated else 0


class _Dumper(yaml.SafeDumper):
    """YAML without anchors: a reader need not jump."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the signature is PyYAML's
        return True


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main())
