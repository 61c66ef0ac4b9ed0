"""The dossier's bytes: versioned, reserved flags, and read for ever."""

from dataclasses import replace

import msgspec
import pytest

from pipeline.whitelist.dossier import (
    Allowance,
    Application,
    Basis,
    Chargeback,
    Contact,
    Dossier,
    Evidence,
    Filed,
    Grant,
    Lift,
)
from pipeline.whitelist.dossier_bytes import UnreadableDossierError, decode
from pipeline.whitelist.on_time import due
from pipeline.whitelist.restart import due_of, state_of

FULL = Dossier(
    grant=Grant(
        tier="gold",
        event_id="e-1",
        approvers=("ana", "ben"),
        evidence=(Evidence("identity", "doc-1", 1_000, None), Evidence("income", "doc-2", 2_000, 3_000_000)),
        granted_ms=10_000,
        expires_ms=9_000_000,
        review_ms=5_000_000,
        grace_until_ms=6_000_000,
        steps=(4_000_000, 5_000_000, 6_000_000),
    ),
    announced=1,
    frozen_since_ms=-5,
    lowered_ms=77,
    applied=(bytes(16), b"0123456789abcdef"),
    suspended_since_ms=78,
    application=Application(
        "a-1",
        "gold",
        (("amount_24h", 5),),
        "c-1",
        9_000,
        "ready",
        9_500,
        None,
        2,
        ("q",),
        doubted=True,
        reason_code="why",
    ),
    file=(Filed("credit", "r-1", 8_000, 8_500, None, "eve", (("bureau", "b"), ("score", 700))),),
    contacts=(Contact("phone", "n-1", 7_000),),
    allowances=(Allowance("amount_24h", None, 99_000, "e-2", ("ana",)),),
    warned_ms=98_000,
)
FULL_V2 = replace(
    FULL,
    grant=replace(FULL.grant or Grant("", "", (), (), 0, 0, 0, 0, ()), dormant_ms=90),
    swept=(("policy_tightened", 5_000),),
    active_ms=6_000,
    failures=(7_000, 8_000),
    assess_ms=9_000,
)
FULL_V3 = replace(
    FULL_V2, measured_ms=10_000, shifted_ms=11_000, chargebacks=(Chargeback(b"12345678", 12_000, is_fraud=True),)
)
FULL_V4 = replace(FULL_V3, credential_ms=13_000)
FULL_V5 = replace(FULL_V4, application=FULL_V4.application and FULL_V4.application._replace(stopped=True))
FULL_V6 = replace(
    FULL_V5,
    grant=FULL_V5.grant and replace(FULL_V5.grant, basis=Basis("a-1", 2, 9_000, ("cho",))),
    lifts=(Lift("freeze", 14_000, 2),),
)
# As versions 1 to 6 wrote them: these bytes are never made anew.
V1 = bytes.fromhex(
    "01009b99a4676f6c64a3652d3192a3616e61a362656e9294a86964656e74697479a5646f632d31cd03e8c094a6696e636f6d"
    "65a5646f632d32cd07d0ce002dc6c0cd2710ce00895440ce004c4b40ce005b8d8093ce003d0900ce004c4b40ce005b8d8001"
    "fb4d92c41000000000000000000000000000000000c410303132333435363738396162636465664e9ca3612d31a4676f6c64"
    "9192aa616d6f756e745f32346805a3632d31cd2328a57265616479cd251cc00291a171c3a37768799197a6637265646974a3"
    "722d31cd1f40cd2134c0a36576659292a6627572656175a16292a573636f7265cd02bc9193a570686f6e65a36e2d31cd1b58"
    "9195aa616d6f756e745f323468c0ce000182b8a3652d3291a3616e61ce00017ed0"
)

V2 = bytes.fromhex(
    "0200929b99a4676f6c64a3652d3192a3616e61a362656e9294a86964656e74697479a5646f632d31cd03e8c094a6696e636f"
    "6d65a5646f632d32cd07d0ce002dc6c0cd2710ce00895440ce004c4b40ce005b8d8093ce003d0900ce004c4b40ce005b8d80"
    "01fb4d92c41000000000000000000000000000000000c410303132333435363738396162636465664e9ca3612d31a4676f6c"
    "649192aa616d6f756e745f32346805a3632d31cd2328a57265616479cd251cc00291a171c3a37768799197a6637265646974"
    "a3722d31cd1f40cd2134c0a36576659292a6627572656175a16292a573636f7265cd02bc9193a570686f6e65a36e2d31cd1b"
    "589195aa616d6f756e745f323468c0ce000182b8a3652d3291a3616e61ce00017ed0955a9192b0706f6c6963795f74696768"
    "74656e6564cd1388cd177092cd1b58cd1f40cd2328"
)


V3 = bytes.fromhex(
    "0300939b99a4676f6c64a3652d3192a3616e61a362656e9294a86964656e74697479a5646f632d31cd03e8c094a6696e636f"
    "6d65a5646f632d32cd07d0ce002dc6c0cd2710ce00895440ce004c4b40ce005b8d8093ce003d0900ce004c4b40ce005b8d80"
    "01fb4d92c41000000000000000000000000000000000c410303132333435363738396162636465664e9ca3612d31a4676f6c"
    "649192aa616d6f756e745f32346805a3632d31cd2328a57265616479cd251cc00291a171c3a37768799197a6637265646974"
    "a3722d31cd1f40cd2134c0a36576659292a6627572656175a16292a573636f7265cd02bc9193a570686f6e65a36e2d31cd1b"
    "589195aa616d6f756e745f323468c0ce000182b8a3652d3291a3616e61ce00017ed0955a9192b0706f6c6963795f74696768"
    "74656e6564cd1388cd177092cd1b58cd1f40cd232893cd2710cd2af89193c4083132333435363738cd2ee0c3"
)


V4 = bytes.fromhex(
    "0400949b99a4676f6c64a3652d3192a3616e61a362656e9294a86964656e74697479a5646f632d31cd03e8c094a6696e636f"
    "6d65a5646f632d32cd07d0ce002dc6c0cd2710ce00895440ce004c4b40ce005b8d8093ce003d0900ce004c4b40ce005b8d80"
    "01fb4d92c41000000000000000000000000000000000c410303132333435363738396162636465664e9ca3612d31a4676f6c"
    "649192aa616d6f756e745f32346805a3632d31cd2328a57265616479cd251cc00291a171c3a37768799197a6637265646974"
    "a3722d31cd1f40cd2134c0a36576659292a6627572656175a16292a573636f7265cd02bc9193a570686f6e65a36e2d31cd1b"
    "589195aa616d6f756e745f323468c0ce000182b8a3652d3291a3616e61ce00017ed0955a9192b0706f6c6963795f74696768"
    "74656e6564cd1388cd177092cd1b58cd1f40cd232893cd2710cd2af89193c4083132333435363738cd2ee0c391cd32c8"
)

V5 = bytes.fromhex(
    "0500959b99a4676f6c64a3652d3192a3616e61a362656e9294a86964656e74697479a5646f632d31cd03e8c094a6696e636f"
    "6d65a5646f632d32cd07d0ce002dc6c0cd2710ce00895440ce004c4b40ce005b8d8093ce003d0900ce004c4b40ce005b8d80"
    "01fb4d92c41000000000000000000000000000000000c410303132333435363738396162636465664e9ca3612d31a4676f6c"
    "649192aa616d6f756e745f32346805a3632d31cd2328a57265616479cd251cc00291a171c3a37768799197a6637265646974"
    "a3722d31cd1f40cd2134c0a36576659292a6627572656175a16292a573636f7265cd02bc9193a570686f6e65a36e2d31cd1b"
    "589195aa616d6f756e745f323468c0ce000182b8a3652d3291a3616e61ce00017ed0955a9192b0706f6c6963795f74696768"
    "74656e6564cd1388cd177092cd1b58cd1f40cd232893cd2710cd2af89193c4083132333435363738cd2ee0c391cd32c891c3"
)


V6 = bytes.fromhex(
    "0600969b99a4676f6c64a3652d3192a3616e61a362656e9294a86964656e74697479a5646f632d31cd03e8c094a6696e636f"
    "6d65a5646f632d32cd07d0ce002dc6c0cd2710ce00895440ce004c4b40ce005b8d8093ce003d0900ce004c4b40ce005b8d80"
    "01fb4d92c41000000000000000000000000000000000c410303132333435363738396162636465664e9ca3612d31a4676f6c"
    "649192aa616d6f756e745f32346805a3632d31cd2328a57265616479cd251cc00291a171c3a37768799197a6637265646974"
    "a3722d31cd1f40cd2134c0a36576659292a6627572656175a16292a573636f7265cd02bc9193a570686f6e65a36e2d31cd1b"
    "589195aa616d6f756e745f323468c0ce000182b8a3652d3291a3616e61ce00017ed0955a9192b0706f6c6963795f74696768"
    "74656e6564cd1388cd177092cd1b58cd1f40cd232893cd2710cd2af89193c4083132333435363738cd2ee0c391cd32c891c3"
    "9294a3612d3102cd232891a363686f9193a6667265657a65cd36b002"
)


# What a restart asks, before what version 6 would have.
V7 = b"\x07\x00" + bytes.fromhex("f5e1bc61ffffffff0101511da94710270000000000001027000000000000") + V6[2:]


def test_version_1_is_read_for_ever() -> None:
    assert decode(V1) == FULL


def test_version_2_is_read_for_ever() -> None:
    assert decode(V2) == FULL_V2


def test_version_3_is_read_for_ever() -> None:
    assert decode(V3) == FULL_V3


def test_version_4_is_read_for_ever() -> None:
    assert decode(V4) == FULL_V4


def test_version_5_is_read_for_ever() -> None:
    assert decode(V5) == FULL_V5


def test_version_6_is_read_for_ever() -> None:
    assert decode(V6) == FULL_V6


def test_version_7_is_read_for_ever_and_is_what_is_written() -> None:
    assert decode(V7) == FULL_V6
    assert state_of("c-1", FULL_V6) == V7


def test_a_restart_reads_what_version_7_tells_first_and_before_it_the_whole() -> None:
    assert due_of("c-1", V7, ()) == due_of("c-1", V6, ()) == due("c-1", FULL_V6)


def test_before_version_6_a_grant_rests_on_the_application_that_was_granted() -> None:
    before = decode(V5.replace(b"\xa5ready", b"\xa7granted"))
    assert before.grant is not None
    assert before.grant.basis == Basis("a-1", 2)


def test_what_was_a_stage_before_version_5_is_read_as_an_application_that_was_stopped() -> None:
    assert FULL_V4.application is not None
    before = V4.replace(b"\xa5ready", b"\xa7stopped")
    stopped = FULL_V4.application._replace(stage="doubted", stopped=True)
    assert decode(before) == replace(FULL_V4, application=stopped)


def test_an_empty_dossier_is_no_record() -> None:
    assert state_of("c-1", Dossier()) is None
    assert decode(None) == Dossier()


@pytest.mark.parametrize(
    "state",
    [
        b"",
        b"\x01",
        b"\x02" + V1[1:],
        b"\x01\x01" + V1[2:],
        V1[:-1],
        V1 + b"\x00",
        V7[:9],
        V1[:2] + msgspec.msgpack.encode([1]),
    ],
)
def test_what_cannot_be_read_is_named(state: bytes) -> None:
    with pytest.raises(UnreadableDossierError):
        decode(state)
    with pytest.raises(UnreadableDossierError):
        due_of("c-1", state, ())
