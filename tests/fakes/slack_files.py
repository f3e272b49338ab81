"""Files at the fake Slack: what people drop, what the bot hands over, and the moment it takes to be ready."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from tests.fakes.slack_streams import Refusal

Given = dict[str, Any]


class Files:
    """Mixed into FakeSlack. `slow_files` is how often a new file is looked at before it is ready;
    `sign_in_page` is what an app without files:read gets."""

    def __init__(self) -> None:
        self.url = ""
        self.tokens: dict[str, str] = {}
        self.files: dict[str, Given] = {}
        self.slow_files = 1
        self.served: list[str] = []
        self.sign_in_page = False

    def routes_of_files(self) -> list[web.RouteDef]:
        """Where files go in and come out."""
        return [
            web.post("/upload/{file}", self._take_file),
            web.get("/files-pri/{file}/{name}", self._give_file),
        ]

    def drop(self, name: str, data: bytes, **marks: Any) -> Given:
        """A file that somebody dropped, as the event about it tells."""
        number = f"F{len(self.files):04d}"
        self.files[number] = {"data": data, "looks": 0, "title": name}
        address = f"{self.url}/files-pri/{number}/{name}"
        told = {"id": number, "name": name, "size": len(data), "mode": "hosted", "url_private": address}
        return told | {"url_private_download": address, **marks}

    async def _take_file(self, request: web.Request) -> web.Response:
        file = self.files[request.match_info["file"]]
        file["data"] = await request.read()
        return web.Response(text=f"OK - {len(file['data'])}")

    async def _give_file(self, request: web.Request) -> web.Response:
        number = request.match_info["file"]
        self.served.append(number)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.tokens or self.sign_in_page:
            # Slack shows its sign-in page to whoever brings no token.
            return web.Response(text="<!doctype html><title>Slack</title>", content_type="text/html")
        return web.Response(body=self.files[number]["data"], content_type="application/octet-stream")

    async def _files_getUploadURLExternal(self, given: Given) -> Given:
        if not given.get("filename") or int(given.get("length") or 0) < 1:
            raise Refusal("invalid_arguments")
        number = f"F{len(self.files):04d}"
        self.files[number] = {"data": b"", "looks": self.slow_files, "alt": given.get("alt_txt")}
        return {"file_id": number, "upload_url": f"{self.url}/upload/{number}"}

    async def _files_completeUploadExternal(self, given: Given) -> Given:
        named = json.loads(given["files"])
        if any(not self.files.get(one["id"], {}).get("data") for one in named):
            raise Refusal("file_not_found")
        return {"files": [{"id": one["id"], "title": one.get("title")} for one in named]}

    async def _files_info(self, given: Given) -> Given:
        file = self.files.get(given.get("file", ""))
        if file is None:
            raise Refusal("file_not_found")
        file["looks"] -= 1
        return {"file": {"id": given["file"], "mimetype": "image/png" if file["looks"] < 0 else ""}}

    def shows(self, blocks: list[Given]) -> bool:
        """Whether every picture of blocks is a file that is ready."""
        pictures = [block["slack_file"]["id"] for block in blocks if "slack_file" in block]
        return all(self.files.get(number, {}).get("looks", 0) < 0 for number in pictures)
