"""The app package for Teams: the manifest fits the schema, the icons are what Teams asks for."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from bot.errors import SettingsError
from handlers.teams.icons import colour_icon, outline_icon
from handlers.teams.manifest import manifest, package
from tests.conftest import SHARED
from tests.fakes.teams_server import APP
from tests.support.command import stagecoach

SCHEMA = SHARED / "schemas/MicrosoftTeams.schema.v1.29.json"
URL = "https://stagecoach.larkfield.example"


@pytest.mark.parametrize("url", [URL, f"{URL}/", None])
def test_the_manifest_fits_the_schema(url: str | None) -> None:
    made = manifest(APP, url)
    assert made["bots"][0]["botId"] == made["id"] == APP
    if SCHEMA.exists():
        Draft7Validator(json.loads(SCHEMA.read_text())).validate(made)


def test_every_command_is_understood_without_a_button() -> None:
    made = manifest(APP, URL)
    for listed in made["bots"][0]["commandLists"]:
        titles = [command["title"] for command in listed["commands"]]
        assert len(titles) == len(set(titles)) <= 10
        assert all(len(command["description"]) <= 128 for command in listed["commands"])


def test_an_app_id_that_is_none_is_refused() -> None:
    with pytest.raises(SettingsError, match="MICROSOFT_APP_ID"):
        manifest("my app", URL)


def pixels(png: bytes) -> tuple[int, list[tuple[int, ...]]]:
    """Width, and all pixels as red, green, blue, opacity."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    at, data = 8, b""
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        body = png[at + 8 : at + 8 + length]
        assert zlib.crc32(kind + body) == struct.unpack(">I", png[at + 8 + length : at + 12 + length])[0]
        data, at = data + (body if kind == b"IDAT" else b""), at + 12 + length
    raw, line = zlib.decompress(data), width * 4 + 1
    rows = [raw[number * line + 1 : (number + 1) * line] for number in range(height)]
    return width, [tuple(row[x : x + 4]) for row in rows for x in range(0, len(row), 4)]


def test_the_icons_are_what_teams_asks_for() -> None:
    width, seen = pixels(colour_icon())
    assert width == 192
    assert {pixel[3] for pixel in seen} == {255}, "the coloured one is opaque"
    assert {seen[0][:3], (255, 255, 255)} <= {pixel[:3] for pixel in seen}
    width, seen = pixels(outline_icon())
    assert width == 32
    assert {pixel[:3] for pixel in seen} == {(255, 255, 255)}, "the outline is white alone"
    assert {0, 255} <= {pixel[3] for pixel in seen}, "on nothing"


def test_the_package_holds_three_files_and_is_the_same_each_time() -> None:
    made = package(APP, URL)
    assert made == package(APP, URL)
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert archive.namelist() == ["manifest.json", "color.png", "outline.png"]
        assert json.loads(archive.read("manifest.json")) == manifest(APP, URL)


def test_the_command_writes_it_and_says_what_is_missing(tmp_path: Path) -> None:
    out = tmp_path / "app.zip"
    refused = stagecoach(tmp_path, "teams", "package", "--out", str(out))
    assert (refused.status, out.exists()) == (1, False)
    assert "MICROSOFT_APP_ID" in refused.err
    done = stagecoach(tmp_path, "teams", "package", "--out", str(out), MICROSOFT_APP_ID=APP)
    assert done.status == 0
    assert "PUBLIC_URL" in done.err
    assert zipfile.is_zipfile(out)
    nowhere = stagecoach(tmp_path, "teams", "package", "--out", "none/app.zip", MICROSOFT_APP_ID=APP)
    assert nowhere.status == 1
    assert "Traceback" not in nowhere.err
