"""CSV files as transactions and labels: formats, mapping files, bad rows, and what the command says."""

import csv
import gzip
import json
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from console.mapping import built_in, read_mapping
from schemas.codec import decode_disposition, decode_transaction
from tests.command import tierwatch

DATA = Path(__file__).parents[2] / "shared" / "data"
MINIMAL = """
source = "bank"
[[transaction]]
transaction_id = { column = "id" }
customer_id = { column = "customer" }
occurred_at = { column = "at" }
amount = { column = "amount" }
currency = "EUR"
transaction_type = "purchase"
[label]
column = "fraud"
fraud = ["yes"]
genuine = ["no"]
"""
HEADER = "id,customer,at,amount,fraud"


class Done:
    """What a run of the command said and did."""

    def __init__(self, run: CompletedProcess[bytes]) -> None:
        self.code = run.returncode
        self.lines: list[dict[str, Any]] = [json.loads(line) for line in run.stdout.splitlines()]
        self.stderr = run.stderr.decode()

    def values(self, topic: str) -> list[dict[str, Any]]:
        return [line["value"] for line in self.lines if line["topic"] == topic]


def ingest(*arguments: str | Path, stdin: bytes = b"", **environment: str) -> Done:
    return Done(tierwatch("ingest", "--to", "-", *arguments, stdin=stdin, **environment))


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    file = tmp_path / "bank.toml"
    file.write_text(MINIMAL)
    return file


def csv_of(*rows: str) -> bytes:
    return "\n".join([HEADER, *rows]).encode(errors="surrogateescape")


def test_every_row_becomes_a_transaction_and_its_label_a_disposition_when_it_is_known(mapping: Path) -> None:
    done = ingest(
        "--format",
        mapping,
        "--label-delay-days",
        "2",
        "-",
        stdin=csv_of(
            "t1,c1,2026-01-01 10:00:00,10.50,yes", "t2,c2,2026-01-03 10:00:00,7,no", "t3,c1,2026-01-03 10:00:01,8,"
        ),
    )
    assert done.code == 0, done.stderr
    assert [(line["topic"], line["value"]["transaction_id"]) for line in done.lines] == [
        ("transactions", "t1"),
        ("dispositions", "t1"),  # known at the very moment of the next transaction, so before it
        ("transactions", "t2"),
        ("transactions", "t3"),
        ("dispositions", "t2"),
    ]
    assert done.values("transactions")[0] == {
        "source": "bank",
        "transaction_id": "t1",
        "customer_id": "c1",
        "occurred_at": "2026-01-01T10:00:00.000Z",
        "amount": 1050,
        "currency": "EUR",
        "transaction_type": "purchase",
    }
    label = done.values("dispositions")[0]
    assert (label["label"], label["status"], label["occurred_at"]) == ("fraud", "final", "2026-01-03T10:00:00.000Z")
    assert "3 rows, 3 transactions and 2 dispositions" in done.stderr


def test_bad_rows_are_named_left_out_and_told_by_the_exit_code(mapping: Path) -> None:
    done = ingest(
        "--format",
        mapping,
        "-",
        stdin=csv_of(
            "t1,c1,2026-01-01 10:00:00,10.505,no",
            "t2,c1,yesterday,10,no",
            "t3,c1,2026-01-01 10:00:00,10",
            "",
            't4,"c\n1",2026-01-01 10:00:00,10,no',
            ",c1,2026-01-01 10:00:00,10,no",
            "t6,c1,2026-01-01 10:00:00,10,maybe",
            "t7,c\udcff,2026-01-01 10:00:00,10,no",
            "t8,c1,,10,no",
            "t9,c1,2026-01-01 10:00:00,10,no",
        ),
    )
    assert done.code == 3
    assert [value["transaction_id"] for value in done.values("transactions")] == ["t9"]
    said = [line.split(": ", 1)[0] for line in done.stderr.splitlines() if line.startswith("-:") and line[2].isdigit()]
    assert said == ["-:2", "-:3", "-:4", "-:6", "-:8", "-:9", "-:10", "-:11"]
    for problem in (
        "more than 2 decimals",
        "the time cannot be read",
        "4 cells instead of 5",
        "bad_value",
        "missing_field: $.transaction_id",
        "a label that the mapping does not name",
        "not UTF-8",
        "missing_field: $.occurred_at",
        "8 rows cannot be read",
    ):
        assert problem in done.stderr


def test_byte_order_mark_gzip_delimiter_and_quotes_are_read(tmp_path: Path) -> None:
    mapping = tmp_path / "bank.toml"
    mapping.write_text('delimiter = ";"\n' + MINIMAL)
    file = tmp_path / "rows.csv.gz"
    rows = f'\ufeff{HEADER}\r\n"t;1";c1;2026-01-01 10:00:00;1;no\r\n'.replace(",", ";")
    file.write_bytes(gzip.compress(rows.encode()))
    done = ingest("--format", mapping, "--no-dispositions", file)
    assert done.code == 0, done.stderr
    assert [line["value"]["transaction_id"] for line in done.lines] == ["t;1"]


def test_currency_of_the_mapping_can_be_replaced_and_decides_the_minor_units(mapping: Path) -> None:
    row = csv_of("t1,c1,2026-01-01 10:00:00,10.505,no")
    done = ingest("--format", mapping, "--currency", "KWD", "-", stdin=row)
    assert [(value["currency"], value["amount"]) for value in done.values("transactions")] == [("KWD", 10505)]
    assert ingest("--format", mapping, "--currency", "EURO", "-", stdin=row).code == 2


@pytest.mark.parametrize(
    "change, problem",
    [
        (('"amount" }', '"amount", unit = "cents" }'), "transaction[0].amount.unit"),
        (("amount = {", "amuont = {"), "amuont"),
        (('currency = "EUR"', ""), "currency"),
        (('{ column = "at" }', '{ column = "at", zone = "Mars/Base" }'), "Mars/Base"),
        (('{ column = "at" }', '{ column = "at", time = "steps" }'), "`step` and `start`"),
        (('source = "bank"', "source = bank"), "line 2"),
        (("[[transaction]]", "[transaction]"), "transaction"),
    ],
)
def test_wrong_mapping_is_named_with_its_place(mapping: Path, change: tuple[str, str], problem: str) -> None:
    mapping.write_text(MINIMAL.replace(*change))
    done = ingest("--format", mapping, "-", stdin=csv_of())
    assert done.code == 3
    assert "bank.toml" in done.stderr
    assert problem in done.stderr


def test_columns_that_the_file_lacks_are_all_named(mapping: Path) -> None:
    done = ingest("--format", mapping, "-", stdin=b"id,customer,when,sum\n")
    assert done.code == 3
    assert "no column amount, at, fraud" in done.stderr
    assert "id, customer, when, sum" in done.stderr


def test_file_that_is_not_there_is_named() -> None:
    done = ingest("--format", "handbook", "nowhere.csv")
    assert done.code == 3
    assert "cannot read nowhere.csv" in done.stderr


def test_damaged_gzip_is_told_after_what_could_be_read(tmp_path: Path, mapping: Path) -> None:
    whole = gzip.compress(csv_of(*(f"t{n},c{n},2026-01-01 10:00:00,{n},no" for n in range(20_000))))
    file = tmp_path / "cut.csv.gz"
    file.write_bytes(whole[: len(whole) // 2])
    done = ingest("--format", mapping, file)
    assert done.code == 3
    assert "damaged gzip data" in done.stderr


def test_demo_key_is_warned_of_and_the_own_key_changes_the_hashes() -> None:
    rows = (
        b"event_id,unix_time,cc_num,acct_num,category,merchant,amt,merch_lat,merch_long,is_fraud\n"
        b"7,1577836948,4111111111111111,917,misc_net,m,1,2.5,-3.5,1\n"
    )
    with_demo_key = ingest("--format", "sparkov", "-", stdin=rows)
    with_own_key = ingest("--format", "sparkov", "-", stdin=rows, TIERWATCH_HASH_KEY="of our own")
    assert "demo key" in with_demo_key.stderr
    assert "demo key" not in with_own_key.stderr
    first, second = (done.values("transactions")[0] for done in (with_demo_key, with_own_key))
    assert first["card_token"] != second["card_token"]
    assert b"4111111111111111" not in json.dumps([with_demo_key.lines, with_own_key.lines]).encode()
    assert (first["mcc"], first["channel"], first["location"]) == ("5999", "ecommerce", {"lat": 2.5, "lon": -3.5})


def test_paysim_row_of_a_transfer_becomes_what_was_sent_and_what_was_received() -> None:
    header = b"step,action,amount,nameOrig,nameDest,isFraud,isUnauthorizedOverdraft\n"
    rows = (
        b"1,TRANSFER,10.00,C1,CC2,1,0\n"
        b"1,PAYMENT,20.00,C1,M3,0,0\n"
        b"2,CASH_OUT,30.00,CC2,M4,1,0\n"
        b"2,TRANSFER,40.00,C1,C5,0,1\n"
        b"2,DEBIT,50.00,C1,B6,0,0\n"
        b"3,CASH_IN,60.00,C1,M4,0,0\n"
    )
    done = ingest("--format", "paysim", "--label-delay-days", "1", "-", stdin=header + rows)
    made = done.values("transactions")
    assert [(each["transaction_id"], each["transaction_type"], each["status"]) for each in made] == [
        ("0-out", "transfer", "authorised"),
        ("0-in", "deposit", "authorised"),
        ("1-out", "purchase", "authorised"),
        ("2", "withdrawal", "authorised"),
        ("3-out", "transfer", "declined"),
        ("3-in", "deposit", "declined"),
        ("4", "withdrawal", "authorised"),
        ("5", "deposit", "authorised"),
    ]
    sent, received, _, cashed_out, *_ = made
    assert sent["payee_id"] == received["customer_id"] == cashed_out["customer_id"]
    assert sent["occurred_at"] == received["occurred_at"]
    assert not any(name in json.dumps(done.lines) for name in ("CC2", "C1", "M3", "B6"))
    assert [label["transaction_id"] for label in done.values("dispositions")] == [
        "0-out", "1-out", "2", "3-out", "4", "5",
    ]  # fmt: skip


@pytest.mark.parametrize("name", built_in())
def test_built_in_mapping_is_one(name: str) -> None:
    assert read_mapping(name).source == name


@pytest.mark.parametrize("name, label", [("handbook", "TX_FRAUD"), ("paysim", "isFraud"), ("sparkov", "is_fraud")])
def test_shared_data_is_read_row_by_row(name: str, label: str) -> None:
    file = DATA / f"{name}.csv.gz"
    if not file.exists():
        pytest.skip(f"{file.name} is not here")
    with gzip.open(file, "rt", encoding="utf-8") as rows:
        head = [next(rows) for _ in range(20_001)]
    read = list(csv.DictReader(head))
    done = ingest("--format", name, "-", stdin="".join(head).encode())
    assert done.code == 0, done.stderr
    received = sum(row.get("action") == "TRANSFER" for row in read)
    transactions, labels = done.values("transactions"), done.values("dispositions")
    assert (len(transactions), len(labels)) == (len(read) + received, len(read))
    assert sum(each["label"] == "fraud" for each in labels) == sum(row[label] == "1" for row in read)
    sent = [each for each in transactions if not each["transaction_id"].endswith("-in")]
    column = {"handbook": "TX_AMOUNT", "paysim": "amount", "sparkov": "amt"}[name]
    assert [each["amount"] for each in sent] == [round(float(row[column]) * 100) for row in read]
    times = [line["value"]["occurred_at"] for line in done.lines]
    assert times == sorted(times)
    for each in transactions[::100]:
        decode_transaction(json.dumps(each).encode())
    for each in labels[::100]:
        decode_disposition(json.dumps(each).encode())
