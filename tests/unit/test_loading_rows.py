"""Reading CSV files: every fault is found, with its place and reason, and no personal data in it."""

import shutil
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from api.loading.files import Folder, check_folder, read_folder
from api.loading.rows import AccountRow, FactRow, OutageRow, OutletRow, ServicePointRow, read_hours

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "utility"
ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the example that a test may spoil."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "utility"))


def faults_of(folder: Path) -> list[str]:
    read = read_folder(folder, ZONE)
    check_folder(read, {}, {})
    return [str(fault) for fault in sorted(read.faults)]


def replace(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def test_the_example_is_sound_and_typed() -> None:
    read: Folder = read_folder(EXAMPLE, ZONE)
    check_folder(read, {}, {})
    assert read.faults == []
    account = read.of("accounts", AccountRow)[0][1]
    assert (account.balance, account.id_last6) == (Decimal("25.50"), "01001X")
    assert account.flags == ["life_support", "low_income"]
    assert account.last_reading_at == datetime(2026, 2, 19, 16, tzinfo=UTC)
    planned, leak = (row for _, row in read.of("outages", OutageRow))
    assert planned.starts_at == datetime(2026, 3, 10, 0, tzinfo=UTC)  # local time, as no offset is given
    assert leak.starts_at == datetime(2026, 3, 1, 2, tzinfo=UTC)
    facts = {row.key: row.value for _, row in read.of("facts", FactRow)}
    assert facts["hotline"] == "96666"
    assert facts["commitments_minutes"] == {"urban": 45, "rural": 90, "remote": 120}
    hall, machine = (row for _, row in read.of("outlets", OutletRow))
    assert hall.hours["sat"] == ["09:00-12:00"]
    assert hall.hours["sun"] == []
    assert machine.values()["round_the_clock"] is True
    assert [row.number for _, row in read.of("service_points", ServicePointRow)] == ["1", "2", "8", "10A", "3"]


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        ("assets.csv", "tr-2,power", "tr-1,power", "assets.csv:5: id: the same as in line 2"),
        ("assets.csv", "10,line-1", "10,line-9", "assets.csv:2: parent_id: there is no line-9 in assets.csv"),
        ("assets.csv", "35,\n", "35,tr-1\n", "parent_id: its parents form a circle"),
        ("assets.csv", ",,plant-1", ",,ss-1", "assets.csv:7: parent_id: belongs to the other utility"),
        ("assets.csv", ",35,", ",high,", "assets.csv:3: voltage_kv: Input should be a valid integer"),
        ("assets.csv", "ss-1,power", "ss-1,gas", "assets.csv:3: utility: Input should be 'power' or 'water'"),
        ("assets.csv", "tr-1,power", ",power", "assets.csv:2: id: is missing"),
        ("places.csv", "urban,\n", "suburb,\n", "places.csv:2: area_class: Input should be 'urban', 'rural' or"),
        ("places.csv", "rural,neighbour", "rural,nobody", "places.csv:5: served_by: there is no nobody in units.csv"),
        ("places.csv", "aliases", "alias", "places.csv:1: alias: unknown column"),
        ("service_points.csv", "willow,2", "willow,1", "service_points.csv:3: number: the place has this number in"),
        ("service_points.csv", "tr-2,zone-1", "zone-1,zone-1", "service_points.csv:2: power_asset_id: is no power"),
        ("service_points.csv", "willow-1,willow", "willow-1,elm", "service_points.csv:2: place_id: there is no elm"),
        ("accounts.csv", "25.50", "25.505", "accounts.csv:2: balance: Decimal input should have no more than 2"),
        ("accounts.csv", "25.50", "much", "accounts.csv:2: balance: Input should be a valid decimal"),
        ("accounts.csv", "2026-02-20", "20260220", "accounts.csv:2: last_reading_at: Value error, not a time"),
        ("accounts.csv", "2026-02-20", "2026-02-30", "accounts.csv:2: last_reading_at: Input should be a valid"),
        ("accounts.csv", "life_support|", "alive|", "accounts.csv:2: flags: Input should be 'life_support'"),
        ("accounts.csv", "300200", "300100", "accounts.csv:3: number: the same as in line 2"),
        ("accounts.csv", ",no,25.50", ",perhaps,25.50", "accounts.csv:2: prepaid: Input should be a valid boolean"),
        ("outages.csv", "2026-03-10 18:00", "", "outages.csv:2: expected_end_at: A confirmed outage always has"),
        ("outages.csv", "2026-03-10 18:00", "2026-03-09 18:00", "outages.csv:2: expected_end_at: The expected end"),
        ("outages.csv", "2026-03-01T05:10:00Z", "", "outages.csv:3: ended_at: is needed with the status restored"),
        ("outages.csv", "20260310001", "20260301001", "outages.csv:3: number: the same as in line 2"),
        ("outages.csv", "o-1,20260310001,power", "o-1,20260310001,water", "outages.csv:2: utility: is not the asset's"),
        ("outlets.csv", "mon-fri", "weekdays", "outlets.csv:2: hours: Value error, not opening hours such as"),
        ("routing.csv", "repair", "repairs", "routing.csv:2: unit_id: there is no repairs in units.csv"),
        ("facts.csv", '"{""urban"": 45', '"{urban: 45', "facts.csv:3: value: Value error"),
        ("units.csv", "抢修班,Repair team,", "抢修班,Repair team,,", "units.csv:2: 5 cells, but the header has 4"),
    ],
)
def test_each_fault_is_named(folder: Path, file: str, old: str, new: str, fault: str) -> None:
    replace(folder, file, old, new)
    assert any(fault in found for found in faults_of(folder)), faults_of(folder)


def test_all_faults_at_once(folder: Path) -> None:
    replace(folder, "assets.csv", ",35,", ",high,")
    replace(folder, "accounts.csv", "25.50", "much")
    replace(folder, "routing.csv", "repair", "repairs")
    assert {fault.split(":")[0] for fault in faults_of(folder)} >= {"assets.csv", "accounts.csv", "routing.csv"}


def test_no_personal_data_in_a_fault(folder: Path) -> None:
    replace(folder, "accounts.csv", "13900000000", "139-secret-0000")
    replace(folder, "accounts.csv", "01001x", "my-document")
    replace(folder, "accounts.csv", "300200", "300300")
    text = "\n".join(faults_of(folder))
    assert text.count("accounts.csv") == 3
    assert not any(secret in text for secret in ("secret", "my-document", "300300"))


def test_wrong_encoding_and_unknown_files(folder: Path) -> None:
    (folder / "places.csv").write_bytes("id,kind\nx,小区\n".encode("gb18030"))
    (folder / "acounts.csv").write_text("id\n")
    faults = faults_of(folder)
    assert "places.csv:2: not UTF-8; save the file as CSV UTF-8" in faults
    assert any(fault.startswith("acounts.csv: unknown file") for fault in faults)


def test_byte_order_mark_and_blank_lines_are_no_fault(folder: Path) -> None:
    path = folder / "places.csv"
    path.write_text("\ufeff" + path.read_text("utf-8") + ",,\n\n", "utf-8")
    assert faults_of(folder) == []


def test_unclosed_quote(folder: Path) -> None:
    replace(folder, "places.csv", "Willow Court,", '"Willow Court,')
    assert any("not readable as CSV" in fault for fault in faults_of(folder))


def test_hours() -> None:
    assert read_hours("24h")["sun"] == ["00:00-24:00"]
    assert read_hours("mon-tue 08:00-12:00,13:00-17:00; sun 09:00-10:00")["tue"] == ["08:00-12:00", "13:00-17:00"]
    assert read_hours("mon-fri 08:00-12:00")["sat"] == []
    for wrong in ("always", "fri-mon 08:00-12:00", "mon 8-12", "mon 08:00-25:00"):
        with pytest.raises(ValueError, match=r"hours|order"):
            read_hours(wrong)
