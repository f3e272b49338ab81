"""The `stagecoach` command. Each command reads, calls one use case and prints.

stdout carries what was asked for and nothing else; sentences for people go to stderr. Status: 0 done, 1
refused or failed with a sentence, 2 wrong usage. Nothing prints a traceback: what nobody foresaw goes to a
file.
"""

from __future__ import annotations

import errno
import gc
import importlib
import os
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from bot.config import from_environment
from bot.errors import StagecoachError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Coaches a company through the five AI value models, in Slack, Teams and on a local page.",
)


def _group(name: str, help_text: str) -> typer.Typer:
    made = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help=help_text)
    app.add_typer(made, name=name)
    return made


org = _group("org", "Departments and people.")
kb = _group("kb", "The policies.")
audit = _group("audit", "Where departments stand.")
coverage = _group("coverage", "The share of repetitive work that AI handles.")
db = _group("db", "The database.")
slack = _group("slack", "The app at Slack.")
teams = _group("teams", "The app in Microsoft Teams.")

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def _command(module: str, function: str, *args: Any, **named: Any) -> Any:
    """Import a command's module only when it is called: a start of one command loads no other's libraries."""
    # Everything that an import makes stays: looking it through for garbage again and again only costs.
    gc.disable()
    common = importlib.import_module("handlers.commands.common")
    found = getattr(importlib.import_module(f"handlers.commands.{module}"), function)
    gc.freeze()
    gc.enable()
    common.log_to_file(_home())
    return found(*args, **named)


@app.command()
def serve() -> None:
    """Every configured surface, the worker and the scheduler, until SIGTERM."""
    _command("serve", "serve", from_environment())


@app.command()
def demo(
    reset: Annotated[bool, typer.Option("--reset", help="Begin again with a fresh sample company.")] = False,
) -> None:
    """The whole product on a local page, with a sample company and a clock that can be moved."""
    _command("serve", "demo", from_environment(), reset)


@app.command()
def chat(
    as_email: Annotated[str, typer.Option("--as", help="Whose conversation it is.")],
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines in and out.")] = False,
) -> None:
    """One conversation over the terminal."""
    _command("chat", "chat", from_environment(), as_email, as_json)


@app.command()
def schedule(
    start: Annotated[str, typer.Option("--from", help="ISO time with offset.")],
    end: Annotated[str, typer.Option("--to", help="ISO time with offset.")],
    as_json: AsJson = False,
) -> None:
    """What would be sent to whom and why, and what is held back. Sends nothing."""
    _command("schedule", "schedule_command", from_environment(), start, end, as_json)


@app.command()
def digest(
    department: Annotated[str | None, typer.Option(help="A department's id; else the company.")] = None,
    week: Annotated[str | None, typer.Option(help="Such as 2026-W47; else the last whole week.")] = None,
    formats: Annotated[str, typer.Option("--format", help="text,json,slack,teams,html,png")] = "text",
    out: Annotated[Path | None, typer.Option(help="A folder for the files; else stdout.")] = None,
) -> None:
    """Render a weekly digest without sending it."""
    _command("digest", "digest_command", from_environment(), department, week, formats, out)


@app.command()
def deliveries(
    put_aside: Annotated[
        bool, typer.Option("--put-aside", help="Only what could not be delivered, with the reason.")
    ] = False,
    again: Annotated[int | None, typer.Option(help="Send this message once more, by its number.")] = None,
    as_json: AsJson = False,
) -> None:
    """The latest messages and what became of them, never their words."""
    _command("deliveries", "deliveries", from_environment(), put_aside, again, as_json)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Look at everything that has to work, and say what to do where something does not."""
    _command("doctor", "doctor", from_environment(), as_json)


Whose = Annotated[str, typer.Option("--person", help="An e-mail address.")]


@app.command()
def export(person: Whose, out: Annotated[Path, typer.Option(help="A new file, for their eyes.")]) -> None:
    """Everything that is kept about a person, as one JSON file."""
    _command("privacy", "export", from_environment(), person, out)


@app.command()
def erase(
    person: Whose,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; else only say what would go.")] = False,
) -> None:
    """Erase what is kept about a person. Their department's figures stay."""
    _command("privacy", "erase", from_environment(), person, yes)


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the database to this program's schema."""
    _command("operate", "db_upgrade", from_environment())


@db.command("check")
def db_check() -> None:
    """Say whether the database fits this program."""
    _command("operate", "db_check", from_environment())


@slack.command("manifest")
def slack_manifest() -> None:
    """The app's manifest for this deployment, to be pasted at api.slack.com/apps."""
    _command("slack", "slack_manifest", from_environment())


@teams.command("package")
def teams_package(
    out: Annotated[Path, typer.Option(help="Where to write the zip.")] = Path("stagecoach-teams.zip"),
) -> None:
    """The app package for this deployment, to be uploaded in the Teams admin center."""
    _command("teams", "teams_package", from_environment(), out)


@org.command("import")
def org_import(
    file: Path,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the difference, change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """People and departments from YAML or CSV."""
    _command("org", "org_import", from_environment(), file, dry_run, as_json)


@org.command("show")
def org_show(as_json: AsJson = False) -> None:
    """The organisation as stored."""
    _command("org", "org_show", from_environment(), as_json)


@kb.command("add")
def kb_add(
    places: Annotated[
        list[str], typer.Argument(metavar="PATH_OR_URL...", help="Files, folders, zips, URLs.")
    ],
    audience: Annotated[
        str | None, typer.Option(help="all, or departments and role:NAME, with commas.")
    ] = None,
    owner: Annotated[str | None, typer.Option(help="The owner's e-mail address.")] = None,
    effective: Annotated[str | None, typer.Option(help="Since when it holds, such as 2026-11-22.")] = None,
    review_by: Annotated[str | None, typer.Option("--review-by", help="When it is to be reviewed.")] = None,
    supersedes: Annotated[str | None, typer.Option(help="The id of the document that it replaces.")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Follow these folders from now on.")] = False,
    pull: Annotated[
        bool,
        typer.Option("--pull", help="With --watch: the folder is a Git checkout; pull before each look."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take in policies. The same file again is the same version."""
    given = _command("kb", "details", audience, owner, effective, review_by, supersedes)
    if watch or pull:
        _command("kb", "kb_watch", from_environment(), places, given, pull, as_json)
    else:
        _command("kb", "kb_add", from_environment(), places, given, as_json)


@kb.command("sources")
def kb_sources(as_json: AsJson = False) -> None:
    """The folders that are followed, and what is wrong there."""
    _command("kb", "kb_sources", from_environment(), as_json)


@kb.command("sync")
def kb_sync(as_json: AsJson = False) -> None:
    """Look through every folder that is followed, now."""
    _command("kb", "kb_sync", from_environment(), as_json)


@kb.command("unwatch")
def kb_unwatch(folder: int) -> None:
    """Follow a folder no more; its documents stay."""
    _command("kb", "kb_unwatch", from_environment(), folder)


@kb.command("list")
def kb_list(as_json: AsJson = False) -> None:
    """Every document."""
    _command("kb", "kb_list", from_environment(), as_json)


@kb.command("show")
def kb_show(document: int, as_json: AsJson = False) -> None:
    """One document: its versions, what changed, its passages."""
    _command("kb", "kb_show", from_environment(), document, as_json)


@kb.command("remove")
def kb_remove(document: int) -> None:
    """Take a document out, and everything made from it."""
    _command("kb", "kb_remove", from_environment(), document)


AsEmail = Annotated[str, typer.Option("--as", help="Who asks: an e-mail address.")]


@kb.command("search")
def kb_search(
    text: str,
    as_email: AsEmail,
    limit: Annotated[int, typer.Option(min=1, max=100)] = 10,
    as_json: AsJson = False,
) -> None:
    """The passages that this person may read, best first."""
    _command("kb", "kb_search", from_environment(), text, as_email, limit, as_json)


@kb.command("ask")
def kb_ask(text: str, as_email: AsEmail, as_json: AsJson = False) -> None:
    """The answer that this person gets."""
    _command("kb", "kb_ask", from_environment(), text, as_email, as_json)


@kb.command("gaps")
def kb_gaps(as_json: AsJson = False) -> None:
    """Questions that the policies did not answer."""
    _command("kb", "kb_gaps", from_environment(), as_json)


@kb.command("eval")
def kb_eval(
    folder: Annotated[Path, typer.Argument(metavar="DIR")],
    as_json: AsJson = False,
    per_question: Annotated[
        Path | None, typer.Option("--per-question", help="A file for one JSON line per question.")
    ] = None,
    group: Annotated[str | None, typer.Option(help="The department that the asker belongs to.")] = None,
) -> None:
    """How well passages are found, refused and quoted, on a folder of documents with questions."""
    _command("kb_eval", "kb_eval", folder, as_json, per_question, group)


@audit.command("show")
def audit_show(department: str, as_json: AsJson = False) -> None:
    """Where a department stands."""
    _command("audit", "audit_show", from_environment(), department, as_json)


@audit.command("score")
def audit_score(file: Path, as_json: AsJson = False) -> None:
    """The rules on the answers in a file."""
    _command("score", "audit_score_command", file, as_json)


@coverage.command("show")
def coverage_show(department: str, as_json: AsJson = False) -> None:
    """A department's coverage."""
    _command("audit", "coverage_show", from_environment(), department, as_json)


@coverage.command("score")
def coverage_score(file: Path, as_json: AsJson = False) -> None:
    """The coverage of the tasks in a file."""
    _command("score", "coverage_score_command", file, as_json)


def _unforeseen(error: BaseException, settings_home: Callable[[], Path]) -> NoReturn:
    """Write the details to a file, tell the person one sentence, and leave with status 1."""
    where = "nowhere (the folder can't be written)"
    try:
        folder = settings_home()
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "errors.log"
        with file.open("a", encoding="utf-8") as log:
            log.write(f"{datetime.now(UTC).isoformat()} {' '.join(sys.argv[:3])}\n")
            traceback.print_exception(error, file=log)
        where = str(file)
    except OSError:
        pass
    _say(f"Something went wrong that nobody foresaw ({type(error).__name__}). The details are in {where}.")
    raise SystemExit(1)


def _home() -> Path:
    try:
        return from_environment().home
    except StagecoachError:
        return Path(os.environ.get("STAGECOACH_HOME") or "var")


def _say(sentence: str) -> None:
    typer.echo(sentence, err=True)


def main() -> NoReturn:
    """The entry point of the `stagecoach` command."""
    # Read when NumPy is first loaded, which is later. The model's matrices are small: a second thread gains
    # little on an idle machine, and on a busy one its waiting makes everything several times slower.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        app()
        sys.stdout.flush()
    except StagecoachError as refusal:
        _say(str(refusal))
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        _say("Stopped.")
        raise SystemExit(130) from None
    except BrokenPipeError:
        # Whoever read our output has enough of it. Python would complain once more at its own end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
    except OSError as error:
        if error.errno == errno.ENOSPC:
            _say("There is no space left on the disk. Free some and try again; nothing was half stored.")
            raise SystemExit(1) from None
        _unforeseen(error, _home)
    except Exception as error:
        _unforeseen(error, _home)
    raise SystemExit(0)
