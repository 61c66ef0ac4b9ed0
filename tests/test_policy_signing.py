"""Who signs: the key decides, not what somebody types."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from console.errors import CommandError
from console.signing_key import hand, read_private_key
from pipeline.policy.load import load_policy
from tests.policy_story import private_key, yaml

POLICY = load_policy(yaml(1).encode())


def written(folder: Path, private: bytes, mode: int = 0o600) -> Path:
    file = folder / "me.pem"
    key = Ed25519PrivateKey.from_private_bytes(private)
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    file.chmod(mode)
    return file


def test_the_key_says_whose_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, private_key("ben"))
    assert hand(file, POLICY) == ("ben", "ben-1", private_key("ben"))
    assert capsys.readouterr().err == ""


def test_a_key_that_others_can_read_is_used_with_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, private_key("ben"), 0o644)
    assert hand(file, POLICY).name == "ben"
    assert f"chmod 600 {file}" in capsys.readouterr().err


def test_a_key_of_nobody_signs_nothing(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="nobody's in the policy in force, version 1"):
        hand(written(tmp_path, private_key("mallory")), POLICY)


def test_what_is_no_key_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "key.pem"
    with pytest.raises(CommandError, match="no such file"):
        read_private_key(file)
    file.write_bytes(b"no key")
    with pytest.raises(CommandError, match="no private key in PEM"):
        read_private_key(file)
    other = generate_private_key(SECP256R1())
    file.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(CommandError, match="not of Ed25519"):
        read_private_key(file)
    monkeypatch.delenv("TIERWATCH_SIGNING_KEY", raising=False)
    with pytest.raises(CommandError, match="no key to sign with"):
        hand(None, POLICY)
