"""An existing whitelist: paper files made into admissions, signed by one person after the other, refused by name."""

from collections import Counter
from pathlib import Path

import pytest
from msgspec.json import encode

from agents.exit_codes import Exit
from console.errors import CommandError
from console.signing_key import Hand
from console.whitelist import _read
from console.whitelist_list import COLUMNS, Fields, admissions, countersigned, refusals, signed_so_far
from pipeline.whitelist.dossier import EMPTY
from pipeline.whitelist.life import Applied
from schemas.timestamps import MS_PER_DAY, format_ms, parse_ms
from tests.grants import POLICY, REVIEW, START, arrive, private_key

HEAD = ",".join(COLUMNS) + "\n"
ISSUED = format_ms(START - MS_PER_DAY)


def made(*rows: str) -> list[Fields]:
    return admissions([HEAD, *(row + "\n" for row in rows)], "list.csv", POLICY, "ana", START)


def hand(person: str) -> Hand:
    return Hand(person, "k-1", private_key(person))


def signed(admission: Fields, *people: str) -> Fields:
    for person in people:
        admission = countersigned(admission, hand(person))
    return admission


def test_each_row_is_a_piece_of_evidence_and_each_customer_an_admission() -> None:
    until = format_ms(START + 90 * MS_PER_DAY)
    one, other = made(f"c-1,gold,identity,p-1,{ISSUED},{until}", f"c-2,silver,identity,p-2,{ISSUED},",
                      f"c-1,gold,income,p-3,{ISSUED},")  # fmt: skip
    assert [item["reference"] for item in one["evidence"]] == ["p-1", "p-3"]
    assert [item.get("expires_at") for item in one["evidence"]] == [until, None]
    assert (other["customer_id"], other["tier"], other["reason_code"]) == ("c-2", "silver", "existing_whitelist")


def test_as_many_signatures_as_the_tier_takes_admit_and_fewer_or_twice_the_same_do_not() -> None:
    (admission,) = made(f"c-1,gold,identity,p-1,{ISSUED},")
    assert isinstance(arrive(signed(admission, "ana", "ben"), EMPTY, START), Applied)
    assert list(refusals([signed(admission, "ana", "ben")], POLICY, START)) == []
    (too_few,) = refusals([signed(admission, "ana")], POLICY, START)
    assert too_few == ("c-1", "too_few_approvers: 1 signed, gold takes 2")
    (twice,) = refusals([signed(admission, "ana", "ana")], POLICY, START)
    assert twice[1].startswith("same_person_twice")


def test_what_would_be_refused_is_named_and_what_cannot_be_read_too() -> None:
    expired, unread = made(f"c-1,silver,identity,p-1,{ISSUED},{ISSUED}", "c-2,silver,identity,p-2,yesterday,")
    found = dict(refusals([signed(one, "ana") for one in (expired, unread)], POLICY, START))
    assert found["c-1"].startswith("evidence_expired")
    assert found["c-2"].startswith("bad_time")


def test_the_first_who_signs_hears_of_all_but_the_signatures_that_are_still_to_come() -> None:
    good, expired = made(f"c-1,gold,identity,p-1,{ISSUED},", f"c-2,gold,identity,p-2,{ISSUED},{ISSUED}")
    once = [signed(one, "ana") for one in (good, expired)]
    assert [why.partition(":")[0] for _, why in refusals(once, POLICY, START)] == ["too_few_approvers"] * 2
    ((who, why),) = refusals(once, signed_so_far(POLICY), START)
    assert (who, why.partition(":")[0]) == ("c-2", "evidence_expired")


def test_what_is_no_admission_is_not_signed_along(tmp_path: Path) -> None:
    (admission,) = made(f"c-1,gold,identity,p-1,{ISSUED},")
    file = tmp_path / "signed.jsonl"
    file.write_bytes(encode(signed(admission, "ana")) + b'\n{"event_type":"tier.suspended","customer_id":"c-9"}\n')
    with pytest.raises(CommandError, match=r"holds more than admissions: tier\.suspended"):
        _read(file, POLICY, "ben", START)


def test_the_same_list_made_again_has_the_same_ids() -> None:
    row = f"c-1,silver,identity,p-1,{ISSUED},"
    later = admissions([HEAD, row], "list.csv", POLICY, "ben", START + MS_PER_DAY)
    assert [one["event_id"] for one in made(row)] == [one["event_id"] for one in later]
    assert made(row)[0]["event_id"] != made(row.replace("p-1", "p-9"))[0]["event_id"]


def test_reviews_are_spread_over_the_second_half_of_the_interval() -> None:
    many = made(*(f"c-{number},silver,identity,p-1,{ISSUED}," for number in range(1_000)))
    days = [(parse_ms(one["review_at"]) - START) // MS_PER_DAY for one in many]
    half = REVIEW.every_ms // 2 // MS_PER_DAY
    assert half <= min(days) < half + 5
    assert 2 * half - 5 < max(days) <= 2 * half
    assert max(Counter(days).values()) < 3 * 1_000 / half


@pytest.mark.parametrize(
    "rows, what",
    [
        ([HEAD.replace("tier", "level")], "no column tier"),
        ([HEAD, f"c-1,base,identity,p-1,{ISSUED},\n"], "list.csv:2: base cannot be granted"),
        ([HEAD, f"c-1,gold,i,p,{ISSUED},\n", f"c-1,silver,i,p,{ISSUED},\n"], "list.csv:3: c-1 has two tiers"),
        ([HEAD, "c-1,gold,identity\n"], "list.csv:2: as many cells"),
        ([HEAD, f"c-1,gold,identity,p,1,{ISSUED},\n"], "list.csv:2: as many cells"),
        ([HEAD], "list.csv has no rows"),
    ],
)
def test_a_list_that_is_none_says_what_to_mend(rows: list[str], what: str) -> None:
    with pytest.raises(CommandError, match=what) as caught:
        admissions(rows, "list.csv", POLICY, "ana", START)
    assert caught.value.code == Exit.BAD_INPUT
