"""Reads a folder of CSV files into rows, and lists everything that is wrong with them, all at once."""

import csv
import io
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from api.loading.rows import FILES, AssetRow, OutageRow, Row, ServicePointRow
from api.network.rules import TreeError, ancestors
from api.outages.rules import complaint_about

AnyRow = TypeVar("AnyRow", bound=Row)


@dataclass(frozen=True, order=True)
class Fault:
    """One thing that is wrong; `line` counts from 1, 0 is the file as a whole. `reason` never repeats personal data."""

    file: str
    line: int
    column: str
    reason: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.column}: {self.reason}" if self.column else f"{where}: {self.reason}"


@dataclass
class Folder:
    """The rows of each file with their line numbers, the columns that it has, and the faults found."""

    rows: dict[str, list[tuple[int, Row]]] = field(default_factory=dict)
    columns: dict[str, frozenset[str]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def of(self, file: str, model: type[AnyRow]) -> list[tuple[int, AnyRow]]:
        """Line numbers and rows of one file."""
        return [(line, row) for line, row in self.rows.get(file, []) if isinstance(row, model)]


def read_folder(folder: Path, zone: ZoneInfo) -> Folder:
    """Read every known file of a folder; times without an offset are in `zone`."""
    result = Folder()
    for name, model in FILES.items():
        path = folder / f"{name}.csv"
        if path.is_file():
            result.rows[name] = list(_read(path, model, zone, result))
    known = {f"{name}.csv" for name in FILES}
    result.faults += [
        Fault(path.name, 0, "", f"unknown file; known are {', '.join(sorted(known))}")
        for path in sorted(folder.glob("*.csv"))
        if path.name not in known
    ]
    return result


def _read(path: Path, model: type[Row], zone: ZoneInfo, folder: Folder) -> Iterator[tuple[int, Row]]:
    faults = folder.faults
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        faults.append(Fault(path.name, line, "", "not UTF-8; save the file as CSV UTF-8"))
        return
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [column.strip() for column in next(reader, [])]
        if not _header_stands(path.name, header, model, faults):
            return
        folder.columns[path.stem] = frozenset(header)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                row = _row(path.name, reader.line_num, header, cells, model, zone, faults)
                if row is not None:
                    yield reader.line_num, row
    except csv.Error as error:
        faults.append(Fault(path.name, reader.line_num, "", f"not readable as CSV: {error}"))


def _header_stands(file: str, header: list[str], model: type[Row], faults: list[Fault]) -> bool:
    fields = model.model_fields
    wrong = [Fault(file, 1, column, "unknown column") for column in header if column not in fields]
    wrong += [Fault(file, 1, c, "column occurs twice") for c in dict.fromkeys(header) if header.count(c) > 1]
    wrong += [
        Fault(file, 1, name, "column is missing")
        for name, column in fields.items()
        if column.is_required() and name not in header
    ]
    faults += wrong
    return not wrong


def _row(
    file: str, line: int, header: list[str], cells: list[str], model: type[Row], zone: ZoneInfo, faults: list[Fault]
) -> Row | None:
    if len(cells) > len(header):
        faults.append(Fault(file, line, "", f"{len(cells)} cells, but the header has {len(header)}"))
        return None
    filled = {column: cell.strip() for column, cell in zip(header, cells, strict=False) if cell.strip()}
    try:
        return model.model_validate(filled, context={"zone": zone})
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False):
            column = str(problem["loc"][0]) if problem["loc"] else ""
            reason = "is missing" if problem["type"] == "missing" else problem["msg"]
            faults.append(Fault(file, line, column, reason))
        return None


def check_folder(folder: Folder, stored: Mapping[str, Set[str]], stored_parents: Mapping[str, str | None]) -> None:
    """Add the faults that only show between rows: repeated ids, unknown references, circles, impossible times.

    `stored` holds the ids per file that the database has already, `stored_parents` the assets among them.
    """
    ids = {name: _ids(folder, name) | set(stored.get(name, ())) for name in FILES}
    for name, model in FILES.items():
        for line, row in folder.rows.get(name, []):
            for column, target in model.references.items():
                value = getattr(row, column)
                if value is not None and value not in ids[target]:
                    folder.faults.append(Fault(f"{name}.csv", line, column, f"there is no {value} in {target}.csv"))
    _check_tree(folder, stored_parents)
    _check_points(folder)
    _check_outages(folder)


def _ids(folder: Folder, name: str) -> set[str]:
    """The ids of a file; a repeated one is a fault. Account numbers are personal: the first line is named instead."""
    seen: dict[str, int] = {}
    column = FILES[name].key_column
    for line, row in folder.rows.get(name, []):
        first = seen.setdefault(str(getattr(row, column)), line)
        if first != line:
            folder.faults.append(Fault(f"{name}.csv", line, column, f"the same as in line {first}"))
    return set(seen)


def _check_tree(folder: Folder, stored_parents: Mapping[str, str | None]) -> None:
    lines = {row.id: (line, row) for line, row in folder.of("assets", AssetRow)}
    parents = dict(stored_parents) | {asset: row.parent_id for asset, (_, row) in lines.items()}
    known = {asset: parent if parent in parents else None for asset, parent in parents.items()}  # others: told above
    while True:
        try:
            ancestors(known)
        except TreeError as error:
            line = lines[error.asset_id][0] if error.asset_id in lines else 0
            folder.faults.append(Fault("assets.csv", line, "parent_id", error.reason))
            known[error.asset_id] = None  # go on looking for the next circle
            continue
        break
    for line, row in lines.values():
        parent = lines.get(row.parent_id or "")
        if parent and parent[1].utility != row.utility:
            folder.faults.append(Fault("assets.csv", line, "parent_id", "belongs to the other utility"))


def _check_points(folder: Folder) -> None:
    utilities = {row.id: row.utility for _, row in folder.of("assets", AssetRow)}
    seen: dict[tuple[str, str], int] = {}
    for line, row in folder.of("service_points", ServicePointRow):
        first = seen.setdefault((row.place_id, row.number), line)
        if first != line:
            reason = f"the place has this number in line {first} already"
            folder.faults.append(Fault("service_points.csv", line, "number", reason))
        for column, utility in (("power_asset_id", "power"), ("water_asset_id", "water")):
            if utilities.get(getattr(row, column) or "", utility) != utility:
                folder.faults.append(Fault("service_points.csv", line, column, f"is no {utility} asset"))


def _check_outages(folder: Folder) -> None:
    utilities = {row.id: row.utility for _, row in folder.of("assets", AssetRow)}
    numbers: dict[str, int] = {}
    for line, row in folder.of("outages", OutageRow):
        first = numbers.setdefault(row.number, line)
        if first != line:
            folder.faults.append(Fault("outages.csv", line, "number", f"the same as in line {first}"))
        if utilities.get(row.asset_id, row.utility) != row.utility:
            folder.faults.append(Fault("outages.csv", line, "utility", "is not the asset's"))
        if wrong := complaint_about(row.kind, row.starts_at, row.expected_end_at, row.ended_at):
            folder.faults.append(Fault("outages.csv", line, *wrong))
        if (row.status in ("restored", "cancelled")) != (row.ended_at is not None):
            reason = "is needed with the status restored or cancelled, and only then"
            folder.faults.append(Fault("outages.csv", line, "ended_at", reason))
