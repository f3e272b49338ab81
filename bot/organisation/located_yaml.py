"""YAML with the line of every value, so that a fault can be pointed at."""

from __future__ import annotations

from typing import Any

import yaml
from yaml.constructor import SafeConstructor

from bot.errors import Fault, InputError

Path = tuple[str | int, ...]

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MAX_DEPTH = 20


def read_located(text: str, name: str) -> tuple[Any, dict[Path, int], list[Fault]]:
    """The document, the 1-based line of each value by its path, and the keys given twice.

    Raises InputError where it is not YAML, holds several documents, is nested out of all measure, or uses
    aliases (which can make a small file unfold into gigabytes).
    """
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}, line {mark.line + 1}" if mark else name
        raise InputError(f"{name} is not valid YAML.", [Fault(where, "", error.problem or "")]) from None
    except RecursionError:
        raise InputError(f"{name} can't be used: it is nested too deeply.") from None
    except yaml.YAMLError as error:
        raise InputError(f"{name} is not valid YAML.", [Fault(name, "", str(error))]) from None
    lines: dict[Path, int] = {}
    twice: list[Fault] = []
    if node is None:
        return None, lines, twice
    _refuse_aliases(node, name)
    value = _build(node, (), lines, twice, name)
    return value, lines, twice


def _refuse_aliases(root: yaml.Node, name: str) -> None:
    seen: set[int] = set()
    stack = [(root, 0)]
    while stack:
        node, depth = stack.pop()
        where = f"{name}, line {node.start_mark.line + 1}"
        if depth > MAX_DEPTH:
            raise InputError(f"{name} can't be used.", [Fault(where, "", "nested too deeply")])
        if isinstance(node, yaml.CollectionNode):
            if id(node) in seen:
                raise InputError(f"{name} can't be used.", [Fault(where, "", "write it out, no aliases")])
            seen.add(id(node))
            for child in node.value:
                parts = child if isinstance(child, tuple) else (child,)
                stack.extend((part, depth + 1) for part in parts)


def _build(node: yaml.Node, path: Path, lines: dict[Path, int], twice: list[Fault], name: str) -> Any:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        return [_build(item, (*path, number), lines, twice, name) for number, item in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        built: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if key in built:
                where = f"{name}, line {key_node.start_mark.line + 1}"
                twice.append(Fault(where, _dotted((*path, key)), "given twice"))
            built[key] = _build(value_node, (*path, key), lines, twice, name)
        return built
    return _scalar(node)


def _scalar(node: yaml.Node) -> Any:
    # A plain scalar is resolved to its type, a quoted one is text. What looks like a date and is none stays
    # text, so that the field's own check can say so.
    try:
        return SafeConstructor().construct_object(node)
    except (ValueError, yaml.constructor.ConstructorError):
        return node.value


def _dotted(path: Path) -> str:
    shown = ""
    for part in path:
        shown += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if shown else part
    return shown


def dotted(path: Path) -> str:
    """A path as people write it: people[3].email (counted from one)."""
    return _dotted(path)
