"""From a YAML or CSV file to a checked draft. Every fault is listed with its line and field."""

from __future__ import annotations

import csv
import io
import re
from pathlib import PurePath
from typing import Any

from pydantic import ValidationError

from bot.errors import Fault, InputError
from bot.organisation.draft import OrganisationDraft, contradictions
from bot.organisation.located_yaml import Path, dotted, read_located

MAX_BYTES = 20_000_000
MAX_LINE = 100_000

CSV_COLUMNS = (
    "email", "name", "department", "department_name", "template", "role", "role_name", "headcount", "lead",
    "time_zone", "country", "region", "working_days", "working_hours", "slack", "teams", "preferred",
    "duties", "leave",
)  # fmt: skip
CSV_REQUIRED = ("email", "name", "department")


def read_file(raw: bytes, name: str) -> str:
    """The text of an uploaded or named file. Refuses what is empty, too large, binary or not UTF-8."""
    if not raw.strip():
        raise InputError(f"{name} is empty. Start from the example in docs/organisation.md.")
    if len(raw) > MAX_BYTES:
        raise InputError(f"{name} has {len(raw):,} bytes; {MAX_BYTES:,} are the most that is read.")
    if b"\0" in raw[:4096]:
        raise InputError(f"{name} is not a text file. Export it as YAML or as CSV (UTF-8).")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        fault = Fault(f"{name}, line {line}", "", "is not UTF-8; save the file as UTF-8")
        raise InputError(f"{name} can't be read.", [fault]) from None
    for number, line_text in enumerate(text.split("\n"), start=1):
        if len(line_text) > MAX_LINE:
            fault = Fault(f"{name}, line {number}", "", f"has {len(line_text):,} characters")
            raise InputError(f"{name} can't be used: a line is far too long.", [fault])
    return text


def parse_organisation(text: str, name: str, templates: frozenset[str]) -> OrganisationDraft:
    """The organisation that `text` describes. `name` decides by its ending whether it is CSV or YAML.

    `templates` are the departments that the instrument knows. Raises InputError with every fault found.
    """
    suffix = PurePath(name).suffix.lower()
    if suffix == ".csv":
        document, lines = _read_csv(text, name)
        twice: list[Fault] = []
    elif suffix in (".yaml", ".yml"):
        document, lines, twice = read_located(text, name)
    else:
        raise InputError(f"{name}: an organisation is read from a .yaml or .csv file.")
    if not isinstance(document, dict):
        raise InputError(f"{name} does not describe an organisation. See docs/organisation.md.")
    return _checked(document, lines, twice, name, templates)


def _checked(
    document: dict[str, Any], lines: dict[Path, int], found: list[Fault], name: str, templates: frozenset[str]
) -> OrganisationDraft:
    faults = list(found)
    draft: OrganisationDraft | None = None
    try:
        draft = OrganisationDraft.model_validate(document)
    except ValidationError as error:
        for problem in error.errors():
            faults.append(_fault(tuple(problem["loc"]), _reason(problem), lines, name))
    if draft is not None:
        problems = contradictions(draft, templates)
        faults.extend(_fault(path, said, lines, name) for path, said in problems)
    if draft is None or faults:
        count = "One place" if len(faults) == 1 else f"{len(faults)} places"
        raise InputError(f"{name} was not imported. {count} to mend:", faults)
    return draft


_REASONS = {
    "missing": "is missing",
    "extra_forbidden": "is not a field here; check the spelling",
    "string_type": "has to be text",
    "int_type": "has to be a whole number",
    "int_parsing": "has to be a whole number",
    "list_type": "has to be a list",
    "model_type": "has to be a group of fields",
    "dict_type": "has to be a group of fields",
    "date_from_datetime_parsing": "is not a date; write it like 2026-12-24",
    "date_type": "is not a date; write it like 2026-12-24",
}


def _reason(problem: Any) -> str:
    kind = problem["type"]
    if kind == "value_error":
        return str(problem["ctx"]["error"])
    if kind == "string_pattern_mismatch":
        return (
            f"{problem['input']!r} can't be an id here; use lower-case letters, digits and hyphens"
            if ("a-z0-9" in problem["ctx"]["pattern"])
            else f"{problem['input']!r} is not a country; use two capital letters, such as DE"
        )
    if kind == "too_short" and problem["loc"] == ("departments",):
        return "names no department"
    return _REASONS.get(kind, str(problem["msg"]).lower())


def _fault(path: Path, said: str, lines: dict[Path, int], name: str) -> Fault:
    known = path
    while known and known not in lines:
        known = known[:-1]
    line = lines.get(known)
    where = f"{name}, line {line}" if line else name
    return Fault(where, dotted(path), said)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.strip().lower()).strip("-")


def _read_csv(text: str, name: str) -> tuple[dict[str, Any], dict[Path, int]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = [(column or "").strip() for column in reader.fieldnames or ()]
        reader.fieldnames = columns
        _check_columns(columns, name)
        rows = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        where = f"{name}, line {reader.line_num}"
        raise InputError(f"{name} is not valid CSV.", [Fault(where, "", str(error))]) from None
    return _CsvAssembly(name).assemble(rows)


def _check_columns(columns: list[str], name: str) -> None:
    faults = [
        Fault(f"{name}, line 1", column, "this column is missing")
        for column in CSV_REQUIRED
        if column not in columns
    ]
    faults += [
        Fault(f"{name}, line 1", column, f"is not a column here; there are {', '.join(CSV_COLUMNS)}")
        for column in columns
        if column not in CSV_COLUMNS
    ]
    faults += [
        Fault(f"{name}, line 1", column, "is given twice")
        for column in sorted({column for column in columns if columns.count(column) > 1})
    ]
    if faults:
        raise InputError(f"{name} was not imported. Its first line names the columns.", faults)


class _CsvAssembly:
    """Builds the same document that a YAML file would give: one row a person, departments from the rows."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.faults: list[Fault] = []
        self.lines: dict[Path, int] = {}
        self.departments: dict[str, dict[str, Any]] = {}
        self.people: list[dict[str, Any]] = []

    def assemble(
        self, rows: list[tuple[int, dict[str | Any, str | Any]]]
    ) -> tuple[dict[str, Any], dict[Path, int]]:
        for line, row in rows:
            if None in row or None in row.values():
                self.faults.append(
                    Fault(f"{self.name}, line {line}", "", "has more or fewer cells than line 1")
                )
                continue
            self._row(line, {key: value.strip() for key, value in row.items()})
        if self.faults:
            raise InputError(f"{self.name} was not imported.", self.faults)
        document = {
            "departments": [
                {**department, "roles": list(department["roles"].values())}
                for department in self.departments.values()
            ],
            "people": self.people,
        }
        return document, self.lines

    def _row(self, line: int, row: dict[str, str]) -> None:
        number = len(self.people)
        self.lines[("people", number)] = line
        department = self._department(line, row)
        person: dict[str, Any] = {
            key: row[key]
            for key in (
                "email",
                "name",
                "time_zone",
                "country",
                "region",
                "working_days",
                "working_hours",
                "preferred",
            )
            if row.get(key)
        }
        for key in ("slack", "teams", "duties"):
            if row.get(key):
                person[key] = re.split(r"[\s;]+", row[key])
        if row.get("leave"):
            person["leave"] = [_span(part) for part in re.split(r"\s*;\s*", row["leave"])]
        if department is not None:
            person["department"] = department["id"]
            if row.get("role"):
                person["role"] = _slug(row["role"])
                self._role(department, person["role"], row)
            if row.get("lead", "").lower() in ("yes", "true", "1", "x"):
                department["leads"].append(row["email"])
        self.people.append(person)

    def _department(self, line: int, row: dict[str, str]) -> dict[str, Any] | None:
        if not row.get("department"):
            return None
        slug = _slug(row["department"])
        if slug not in self.departments:
            self.lines[("departments", len(self.departments))] = line
            shown = row.get("department_name") or row["department"]
            self.departments[slug] = {"id": slug, "name": shown, "roles": {}, "leads": []}
        department = self.departments[slug]
        if row.get("template"):
            department["template"] = row["template"]
        return department

    def _role(self, department: dict[str, Any], slug: str, row: dict[str, str]) -> None:
        made = {"id": slug, "name": row.get("role_name") or row["role"], "headcount": 0}
        role = department["roles"].setdefault(slug, made)
        if row.get("headcount"):
            role["headcount"] = row["headcount"]
        elif isinstance(role["headcount"], int):
            role["headcount"] += 1


def _span(text: str) -> dict[str, str]:
    first, _, last = text.partition("/")
    return {"from": first.strip(), "to": (last or first).strip()}
