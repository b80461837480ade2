"""A table is read in the encodings people have, its numbers as they type them, and every fault is told by line."""

from __future__ import annotations

import time
from datetime import date
from typing import Any

import pytest

from recycling.errors import RowsRefused
from recycling.usecases.bookings.import_table import MOST_ROWS, read_table
from recycling.usecases.csv_table import SHOWN_ERRORS
from tests.tables import COLUMNS, a_row, a_table


def faults(text: str | bytes, charset: str | None = None) -> list[dict[str, Any]]:
    with pytest.raises(RowsRefused) as refused:
        read_table(text if isinstance(text, bytes) else text.encode(), charset=charset)
    found: list[dict[str, Any]] = refused.value.facts["errors"]
    for fault in found:
        assert set(fault) == {"line", "column", "zh", "en"}
        assert any("一" <= character <= "鿿" for character in fault["zh"]), fault
    return found


@pytest.mark.parametrize(
    ("encoding", "charset", "recognised"),
    [
        ("utf-8", None, "utf-8"),
        ("utf-8-sig", None, "utf-8"),
        ("gbk", None, "gb18030"),
        ("gb18030", None, "gb18030"),
        ("gb18030", "gbk", "gb18030"),
        ("utf-8", "UTF-8", "utf-8"),
    ],
)
def test_the_encodings_of_spreadsheets_are_recognised(encoding: str, charset: str | None, recognised: str) -> None:
    raw = a_table(a_row(address="枣庄市薛城区清泉路 1 号", note="到门卫室找张老师")).encode(encoding)
    found, (one,) = read_table(raw, charset=charset)
    assert found == recognised
    assert (one.wish.address, one.wish.note) == ("枣庄市薛城区清泉路 1 号", "到门卫室找张老师")


@pytest.mark.parametrize(
    ("raw", "charset", "says"),
    [
        (a_table(a_row()).encode("utf-16"), None, "UTF-16"),
        (a_table(a_row(note="café")).encode("latin-1", "replace"), None, "neither UTF-8 nor GB18030"),
        (a_table(a_row(note="测试")).encode("gbk"), "utf-8", "no UTF-8"),
        (a_table(a_row()).encode(), "iso-8859-1", "not taken"),
        (a_table(a_row(note="一二三四五")).encode().replace("五".encode(), b"\xe4"), None, "line 2 is no UTF-8"),
        (a_table(a_row(note="a")).encode().replace(b'"a"', b'"\0"'), None, "NUL"),
    ],
)
def test_another_encoding_is_refused_by_name(raw: bytes, charset: str | None, says: str) -> None:
    (fault,) = faults(raw, charset)
    assert says in fault["en"]


def test_numbers_may_be_full_width_and_days_as_spreadsheets_write_them() -> None:
    wide = str.maketrans("0123456789.-", "０１２３４５６７８９．－")
    typed = {"phone": "13600000001", "day": "2026/11/24", "lat": "34.8", "quantity": "2", "floor": "-1"}
    row = a_row(has_lift="是", **{name: text.translate(wide) for name, text in typed.items()})
    _, (one,) = read_table(a_table(row).encode())
    assert one.phone == "13600000001"
    assert (one.wish.day, one.wish.lat, one.wish.floor, one.wish.has_lift) == (date(2026, 11, 24), 34.8, -1, True)
    assert one.wish.items[0].quantity == 2


@pytest.mark.parametrize("formula", ["=1+1+1", "+1234", "-2+3", "@SUM(A1)", "=cmd|' /C calc'!A0", "＝1+1+1"])
def test_a_formula_is_text_where_text_is_asked_for_and_no_number(formula: str) -> None:
    _, (one,) = read_table(a_table(a_row(address=formula, note=formula)).encode())
    assert (one.wish.address, one.wish.note) == (formula, formula)
    for column in ("quantity", "lat", "floor", "day", "phone", "booking", "pickup_window", "has_lift"):
        for fault in faults(a_table(a_row(**{column: formula}))):
            assert fault["column"] == column
            assert fault["en"].startswith(column)  # an answer pasted into a sheet begins no cell like a formula


def test_rows_of_one_name_are_the_items_of_one_booking() -> None:
    blank = dict.fromkeys(COLUMNS, "")
    text = a_table(
        a_row(booking="A1"),
        a_row(booking="B"),
        blank | {"booking": "A1", "item_type": "tv-crt", "quantity": "3"},
        blank,
        a_row(booking="A1", item_type="sofa-three"),
        a_row(),
    )
    _, found = read_table(text.encode())
    assert [(one.label, one.lines) for one in found] == [("A1", (2, 4, 6)), ("B", (3,)), ("line-7", (7,))]
    assert [(item.item_type, item.quantity) for item in found[0].wish.items] == [
        ("fridge", 1), ("tv-crt", 3), ("sofa-three", 1),
    ]  # fmt: skip


def test_rows_of_one_booking_may_not_contradict_each_other() -> None:
    text = a_table(a_row(booking="A"), a_row(booking="A", address="另一处地址 8 号", item_type="fridge"))
    assert [(fault["line"], fault["column"]) for fault in faults(text)] == [(3, "address"), (3, "item_type")]
    assert "另一处" not in str(faults(text))


def test_every_fault_is_told_by_line_and_column_and_personal_data_is_not_repeated() -> None:
    text = a_table(
        a_row(phone="12345", quantity="0"),
        a_row(note="第一行\n第二行"),  # one row on two lines of the file
        a_row(day="2026-02-30", village_code="3.70403E+11", item_type=""),
        a_row(address="短"),
    )
    found = faults(text)
    assert [(fault["line"], fault["column"]) for fault in found] == [
        (2, "phone"), (2, "quantity"), (5, "day"), (5, "village_code"), (5, "item_type"), (6, "address"),
    ]  # fmt: skip
    assert "12345" not in str(found)
    assert "短" not in str(found)
    assert '"2026-02-30"' in found[2]["en"]


def test_a_thousand_faults_are_counted_and_a_hundred_told() -> None:
    with pytest.raises(RowsRefused) as refused:
        read_table(a_table(*[a_row(quantity="x") for _ in range(MOST_ROWS)]).encode())
    assert refused.value.facts["error_count"] == MOST_ROWS
    assert len(refused.value.facts["errors"]) == SHOWN_ERRORS
    assert "1000 faults" in refused.value.message


def test_more_rows_than_a_thousand_are_refused_without_reading_them() -> None:
    rows = a_table(*[a_row() for _ in range(MOST_ROWS)])
    assert len(read_table(rows.encode())[1]) == MOST_ROWS
    many = (rows + a_table(a_row()).split("\r\n", 1)[1] * 99_000).encode()
    began = time.process_time()
    (fault,) = faults(many)
    # 15 MB are decoded, a thousand rows of them read: a fraction of a second; reading all takes several.
    assert time.process_time() - began < 2
    assert "split it" in fault["en"]
    (fault,) = faults(rows.split("\r\n")[0] + "\r\n" + "\r\n" * 100_000)
    assert "split it" in fault["en"]


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("phone;day", '"phone;day" is unknown'),
        ("phone,day,day", "twice"),
        ("phone,day", "lacks pickup_window, village_code"),
        ("=1+1,day", '"=1+1" is unknown'),
        ("", "no rows"),
    ],
)
def test_a_wrong_header_is_refused_in_words(header: str, says: str) -> None:
    (fault,) = faults(header + "\r\n1,2\r\n" if header else "")
    assert says in fault["en"]


def test_quotes_that_do_not_close_and_stray_cells_are_told_by_line() -> None:
    text = a_table(a_row(), a_row())
    (fault,) = faults(text + 'x,"open\r\n')
    assert (fault["line"], "quotes" in fault["en"]) == (4, True)
    (fault,) = faults(text + "x," * 20 + "\r\n")
    assert (fault["line"], "quote a text that has a comma" in fault["en"]) == (4, True)


def test_either_phone_or_resident_names_the_contact() -> None:
    columns = (*COLUMNS, "resident_id")
    both = a_row(resident_id="6f0c1f7e-1111-4111-8111-111111111111")
    for row in (both, a_row(phone="")):
        (fault,) = faults(a_table(row, columns=columns))
        assert fault["column"] == "phone"
    _, (one,) = read_table(a_table(both | {"phone": ""}, columns=columns).encode())
    assert one.phone is None
    assert str(one.resident_id).startswith("6f0c1f7e")
