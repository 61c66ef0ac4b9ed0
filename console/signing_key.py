"""The private key that a person signs with, and whose it is."""

import stat
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from agents.exit_codes import Exit
from console.errors import CommandError
from console.terminal import warn

if TYPE_CHECKING:
    from pipeline.policy.model import Policy

MAKE_ONE = "Make one with `openssl genpkey -algorithm ed25519 -out me.pem`, and keep it to yourself."

KeyFile = Annotated[
    Path | None,
    typer.Option("--key", metavar="FILE", help="Your Ed25519 private key, PEM. [default: TIERWATCH_SIGNING_KEY]"),
]


class Hand(NamedTuple):
    """Who signs: the person's name in the policy, the key's id there, and its private half (32 bytes)."""

    name: str
    key_id: str
    private_key: bytes


def read_private_key(path: Path) -> bytes:
    """The 32 bytes of an Ed25519 private key in a PEM file; its password, if it has one, is asked for.

    Raises:
        CommandError: the file cannot be read, or holds no such key.

    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        pem = path.read_bytes()
        mode = path.stat().st_mode
    except OSError as error:
        raise CommandError(f"cannot read {path}: {(error.strerror or str(error)).lower()}", MAKE_ONE) from error
    if mode & (stat.S_IRGRP | stat.S_IROTH):
        warn(f"{path} can be read by others, and whoever reads it can sign as you: chmod 600 {path}")
    try:
        try:
            key = load_pem_private_key(pem, None)
        except TypeError:  # it is encrypted
            password: str = typer.prompt(f"Password of {path}", hide_input=True, err=True)
            key = load_pem_private_key(pem, password.encode())
    except ValueError as error:
        raise CommandError(f"{path} is no private key in PEM, or the password is wrong", MAKE_ONE) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise CommandError(f"{path} is a private key, but not of Ed25519", MAKE_ONE)
    return key.private_bytes_raw()


def hand(path: Path | None, policy: "Policy") -> Hand:
    """Who signs with the key of a file, by the policy in force.

    Raises:
        CommandError: no key is named, or it is nobody's.

    """
    from base64 import b64encode

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from console.environment import settings

    path = path or settings().signing_key
    if path is None:
        raise CommandError("no key to sign with", f"Name your key: --key FILE, or TIERWATCH_SIGNING_KEY. {MAKE_ONE}")
    private_key = read_private_key(path)
    public_key = Ed25519PrivateKey.from_private_bytes(private_key).public_key().public_bytes_raw()
    for person in policy.people:
        for key_id, key in person.keys.items():
            if key == public_key:
                return Hand(person.name, key_id, private_key)
    raise CommandError(
        f"the key of {path} is nobody's in the policy in force, version {policy.version}",
        f"Its public half is {b64encode(public_key).decode()}: have it listed under `people`, or name another key.",
        Exit.BAD_INPUT,
    )
