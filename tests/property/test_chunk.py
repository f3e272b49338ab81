"""Whatever the document: passages are slices of it, fit the model, and leave nothing out."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.chunk import MAX_PIECES, chunk, embedded_text
from knowledge.embed import LocalEmbedder
from knowledge.sentences import sentence_spans

EMBEDDER = LocalEmbedder()

words = st.sampled_from(
    [
        "policy",
        "the",
        "employee",
        "must",
        "never",
        "share",
        "approved",
        "data",
        "(see",
        "§4.2)",
        "e.g.",
        "Überstunden",
        "人工智能",
        "x",
        "|",
        "*",
        "#",
        "3.5",
        "Dr.",
    ]
)
lines = st.lists(words, min_size=1, max_size=120).map(" ".join)
blocks = st.one_of(
    lines,
    lines.map(lambda line: f"{line}. {line}!"),
    st.tuples(st.integers(1, 6), lines).map(lambda pair: f"{'#' * pair[0]} {pair[1][:200]}"),
    st.lists(lines, min_size=1, max_size=4).map(lambda items: "\n".join(f"- {item}" for item in items)),
    st.lists(lines, min_size=1, max_size=6).map(
        lambda rows: (
            "| Who | What |\n|---|---|\n" + "\n".join(f"| {row.replace('|', '')} | yes |" for row in rows)
        )
    ),
    lines.map(lambda code: f"```\n# {code}\n```"),
    st.just("-" * 3),
)
documents = st.lists(blocks, max_size=8).map("\n\n".join)


@settings(max_examples=60, deadline=None)
@given(documents, st.sampled_from(["", "Leave", "A title " * 60]))
def test_passages_are_slices_that_fit_and_cover(document: str, title: str) -> None:
    chunks = chunk(document, EMBEDDER.pieces, title)
    end = 0
    for each in chunks:
        assert document[each.start : each.end] == each.text
        assert each.start >= end
        between = [line for line in document[end : each.start].splitlines() if line.strip()]
        assert all(line.lstrip().startswith("#") for line in between), (
            "only headings without text are left out"
        )
        end = each.end
    texts = [embedded_text(title, each.heading_path, each.text) for each in chunks]
    assert all(len(pieces) <= MAX_PIECES for pieces in EMBEDDER.pieces(texts))
    assert all(line.lstrip().startswith("#") for line in document[end:].splitlines() if line.strip())


@settings(max_examples=60, deadline=None)
@given(documents)
def test_sentences_are_in_order_and_miss_no_letter(document: str) -> None:
    spans = sentence_spans(document)
    assert all(a < b for a, b in spans)
    assert all(b <= c for (_, b), (c, _) in pairwise(spans))
    covered = "".join(document[a:b] for a, b in spans)
    assert "".join(covered.split()) == "".join(document.split())


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Ask Dr. Meyer first. Then book.", ["Ask Dr. Meyer first.", "Then book."]),
        ("It costs 3.50 a day, e.g. for lunch. Really?", ["It costs 3.50 a day, e.g. for lunch.", "Really?"]),
        ("- One. Two.\n- Three", ["- One.", "Two.", "- Three"]),
        ("A line that\ngoes on.", ["A line that\ngoes on."]),
        ("1. First\n2. Second", ["1. First", "2. Second"]),
    ],
)
def test_sentences_end_where_people_end_them(text: str, sentences: list[str]) -> None:
    assert [text[a:b] for a, b in sentence_spans(text)] == sentences


def test_a_tables_header_travels_with_its_rows() -> None:
    rows = "\n".join(f"| Role number {n} | up to {n} euros a month |" for n in range(80))
    chunks = chunk(f"# Limits\n\n| Role | Limit |\n|---|---|\n{rows}\n", EMBEDDER.pieces)
    assert len(chunks) > 2
    assert all(each.heading_path == ("Limits", "Role | Limit") for each in chunks[1:])


def test_sections_keep_their_headings() -> None:
    body = "Everybody may work from home. " * 12
    chunks = chunk(f"# Handbook\n\n## Remote\n\n{body}\n\n## Travel\n\n{body}", EMBEDDER.pieces)
    assert [each.heading_path for each in chunks] == [("Handbook", "Remote"), ("Handbook", "Travel")]
    assert chunks[1].text.startswith("## Travel")
