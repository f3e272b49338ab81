"""Searching a small library: what is found, by whom, how surely, and what it does to a question."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bot.errors import InputError
from bot.store.tables import Band
from knowledge.bands import Bands, Calibration, confidence, limits
from knowledge.confirmed import Confirmed
from knowledge.embed import LocalEmbedder, Reading
from knowledge.evaluate import Gold, auroc, evaluate, gains_of, ndcg
from knowledge.index import Index
from knowledge.lexical import Terms
from knowledge.port import Indexed
from knowledge.query import Asked, make_query, without_courtesy
from knowledge.retriever import LocalRetriever
from knowledge.search import Found
from knowledge.spelling import mended
from knowledge.synonyms import Synonyms
from knowledge.vectors import pack, unpack
from tests.conftest import SHARED

POLICIES = Path(__file__).parents[2] / "handlers" / "demo" / "sample" / "policies"
EMBEDDER = LocalEmbedder()
TITLES = ("leave", "expenses", "passwords-mfa")
EVERYTHING = frozenset(range(len(TITLES)))


def indexed(retriever: LocalRetriever, document: int, first: int) -> list[Indexed]:
    title = TITLES[document]
    text = (POLICIES / f"{title}.md").read_text(encoding="utf-8").split("---", 2)[2]
    return [
        Indexed(first + n, document, title, d.heading_path, d.text, d.vectors, d.dimensions)
        for n, d in enumerate(retriever.prepare(title, text))
    ]


@pytest.fixture(scope="module")
def passages() -> list[Indexed]:
    retriever = LocalRetriever(EMBEDDER)
    found: list[Indexed] = []
    for document in range(len(TITLES)):
        found += indexed(retriever, document, len(found))
    return found


@pytest.fixture
def retriever(passages: Sequence[Indexed]) -> LocalRetriever:
    made = LocalRetriever(EMBEDDER)
    made.update(passages, [])
    return made


def document_of(passages: Sequence[Indexed], retriever: LocalRetriever, question: str) -> str:
    (best, _), *_ = retriever.search(question, EVERYTHING, 5).hits
    return next(p.title for p in passages if p.passage_id == best)


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("How many days of vacation do I get in Portugal?", "leave"),
        ("how long must a pasword be", "passwords-mfa"),
        ("What may I spend on a hotel in Paris?", "expenses"),
    ],
)
def test_the_right_policy_comes_first(
    passages: Sequence[Indexed], retriever: LocalRetriever, question: str, title: str
) -> None:
    assert document_of(passages, retriever, question) == title


def test_words_of_a_conversation_are_not_missed_in_a_policy(retriever: LocalRetriever) -> None:
    plain = "What may I spend on a hotel in Paris?"
    chatty = "What may I possibly spend on a hotel in Paris, anybody any idea?"
    found = [retriever.found(retriever.snapshot(), text, EVERYTHING, 3) for text in (plain, chatty)]
    assert found[1].rows[0][0] == found[0].rows[0][0]
    assert found[1].late > found[0].late - 0.1


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("Hello, just wondering whether I can fly, thanks!", "I can fly"),
        ("hi there! quick question: how long is leave", "how long is leave"),
        ("pls help asap laptop stolen in train", "laptop stolen in train"),
        ("who can help me with mfa please", "who can help me with mfa"),
        ("help desk number", "help desk number"),
        ("All hands meeting", "All hands meeting"),
        ("please", "please"),
    ],
)
def test_courtesy_is_not_searched_for(said: str, asked: str) -> None:
    assert without_courtesy(said) == asked


def test_what_may_not_be_read_is_neither_found_nor_weighed(
    passages: Sequence[Indexed], retriever: LocalRetriever
) -> None:
    question = "What may I spend on a hotel in Paris?"
    allowed = frozenset({0, 2})
    ranked = retriever.search(question, allowed, 50)
    assert {p.document_id for p in passages if p.passage_id in dict(ranked.hits)} <= allowed
    alone = LocalRetriever(EMBEDDER)
    alone.update([p for p in passages if p.document_id in allowed], [])
    assert ranked.band is not Band.ANSWER
    found = retriever.found(retriever.snapshot(), question, allowed, 50)
    other = alone.found(alone.snapshot(), question, allowed, 50)
    assert found.standing == pytest.approx(other.standing, abs=1e-5)
    assert retriever.search(question, frozenset(), 5).hits == ()


@pytest.mark.parametrize("block", [1, 7, 8192])
def test_taking_passages_out_and_in_equals_a_fresh_index(
    passages: Sequence[Indexed], block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("knowledge.index._BLOCK", block)
    changed = LocalRetriever(EMBEDDER)
    for first in range(0, len(passages), 3):
        changed.update(passages[first : first + 3], [])
    changed.search("anything", EVERYTHING, 5)
    changed.update([], [p.passage_id for p in passages if p.document_id == 1])
    changed.update(passages[:3], [])
    fresh = LocalRetriever(EMBEDDER)
    fresh.update([p for p in passages if p.document_id != 1], [])
    for question in ("hotel limits", "annual leave in Portugal", "password length"):
        one, two = (r.search(question, EVERYTHING, 8) for r in (changed, fresh))
        assert dict(one.hits) == pytest.approx(dict(two.hits), abs=1e-5)


def test_a_follow_up_leans_on_the_question_before(
    passages: Sequence[Indexed], retriever: LocalRetriever
) -> None:
    ranked = retriever.search(
        "And in Paris?", EVERYTHING, 5, earlier=("What may I spend on a hotel per night?",)
    )
    assert next(p.title for p in passages if p.passage_id == ranked.hits[0][0]) == "expenses"


class Reader(LocalEmbedder):
    """Remembers what it was given to read."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def read(self, texts: Sequence[str]) -> list[Reading]:
        self.texts += texts
        return super().read(texts)


RULES = (
    "keep the screen locked",
    "leave no paper on desks",
    "report a stolen badge at once",
    "shred old files",
)


@pytest.mark.parametrize("rule", RULES)
def test_of_a_long_sentence_the_clause_that_decides_is_read_alone(rule: str) -> None:
    clauses = [f"{each} in all rooms of all floors" for each in RULES * 2]
    sentence = f"In every office people {'; they '.join(clauses)}."
    reader = Reader()
    retriever = LocalRetriever(reader)
    draft = retriever.prepare("Offices", f"Ask at the desk. {sentence} Thank you.")[0]
    retriever.update([Indexed(1, 0, "Offices", (), draft.text, draft.vectors, draft.dimensions)], [])
    assert retriever.search(f"Do people {rule}?", frozenset({0}), 1).hits
    alone = reader.texts[-1]
    assert rule in alone
    assert alone in sentence
    assert 30 < len(reader.pieces([alone])[0]) <= 40
    before = sentence[: sentence.index(alone)]
    assert before == "" or before.endswith("; "), "it begins where a clause does"


def test_a_short_sentence_is_read_whole() -> None:
    reader = Reader()
    retriever = LocalRetriever(reader)
    draft = retriever.prepare(
        "Offices", "Ask at the desk. Lock the screen, always, before you leave. Thank you."
    )[0]
    retriever.update([Indexed(1, 0, "Offices", (), draft.text, draft.vectors, draft.dimensions)], [])
    retriever.search("Must I lock the screen before I leave?", frozenset({0}), 1)
    assert reader.texts[-1] == "Lock the screen, always, before you leave."


@pytest.mark.parametrize(
    "question", ["How do I bake sourdough bread?", "Who won the cup in 1974?", "asdf", "??"]
)
def test_what_no_policy_speaks_of_is_not_answered(retriever: LocalRetriever, question: str) -> None:
    assert retriever.search(question, EVERYTHING, 5).band is not Band.ANSWER


def test_decisive_sentences_are_slices_and_the_best_is_first(
    passages: Sequence[Indexed], retriever: LocalRetriever
) -> None:
    question = "What is the annual leave in Portugal?"
    best = retriever.search(question, EVERYTHING, 1).hits[0][0]
    text = next(p.text for p in passages if p.passage_id == best)
    sentences = retriever.decisive(question, text)
    assert all(sentence in text for sentence in sentences)
    assert "Portugal" in sentences[0]
    unknown = "Nobody has indexed this. Leave in Portugal is long."
    assert retriever.decisive(question, unknown)[0] == "Leave in Portugal is long."


@pytest.mark.parametrize(
    ("question", "decisive"),
    [
        ("can I expense a beer", "Alcohol is paid with a meal"),
        ("may I get money for fines", "- Fines, parking tickets"),
        ("my grandmother died, how many days off do I get", "| Death of grandparent, sibling"),
        ("how many days of leave in Portugal", "| Portugal | 26 "),
        ("what is the limit for flights", "| Flight | Economy"),
    ],
)
def test_the_sentence_or_row_that_says_it_is_the_decisive_one(
    passages: Sequence[Indexed], retriever: LocalRetriever, question: str, decisive: str
) -> None:
    (text,) = {p.text for p in passages if decisive in p.text}
    found = retriever.decisive(question, text)
    assert found[0].startswith(decisive)
    if decisive.startswith("|"):
        assert all(each.startswith("|") for each in found), "a row stands for itself"


def test_what_decides_is_never_a_heading_or_a_header() -> None:
    retriever = LocalRetriever(EMBEDDER)
    table = "## What is kept\n\n| What | Kept for |\n|---|---|\n| Chat messages | 18 months |\n"
    assert retriever.decisive("What is kept for how long?", table) == ["| Chat messages | 18 months |"]
    assert retriever.decisive("What is kept?", "## What is kept") == ["## What is kept"]
    assert retriever.decisive("What?", " ") == []


def test_a_follow_up_is_decided_in_the_light_of_the_question_before(
    passages: Sequence[Indexed], retriever: LocalRetriever
) -> None:
    (text,) = {p.text for p in passages if "| Hotel, per night |" in p.text}
    before = ("What may I spend on a hotel?",)
    assert retriever.decisive("and flights?", text, before)[0].startswith("| Flight")
    assert retriever.decisive("and how much?", text, before)[0].startswith("| Hotel")


def test_a_follow_up_is_read_together_with_the_question_before(
    passages: Sequence[Indexed], retriever: LocalRetriever
) -> None:
    before = ("How many days of leave do I get?",)
    ranked = retriever.search("and in my first year?", EVERYTHING, 3, before)
    best = next(p.text for p in passages if p.passage_id == ranked.hits[0][0])
    assert "In the first year there is one twelfth" in best
    assert ranked.band is Band.ANSWER
    assert retriever.search("and for my boat?", EVERYTHING, 3, before).band is not Band.ANSWER
    names = ("What may I spend on a hotel?",)
    assert retriever.search("and what name may it have?", EVERYTHING, 3, names).band is not Band.ANSWER


def test_the_words_of_the_question_before_weigh_less(passages: Sequence[Indexed]) -> None:
    index = Index()
    index.update(passages, [])
    vectors = np.ones((2, 4), dtype=np.float32)
    asked = Asked("leave leave", np.ones(4, dtype=np.float32), vectors, np.array([[0, 5], [6, 11]]), own=5)
    query = make_query(index.snapshot(), index.terms, Synonyms(index.terms.of), asked)
    assert query.weights[1] == pytest.approx(0.6 * query.weights[0])
    assert len(query.terms) == len({number for number, _ in query.terms})
    assert max(weight for _, weight in query.terms) == 1.0, "a word of both is the question's own"


def test_passages_that_hold_the_quantity_rise(
    retriever: LocalRetriever, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = retriever.snapshot()
    gained = set()
    for question in ("How many goats may travel with me?", "How long is a password?"):
        with_it = dict(retriever.found(snapshot, question, EVERYTHING, 5).rows)
        with monkeypatch.context() as without_it:
            without_it.setattr("knowledge.search.QUANTITY_WEIGHT", 0.0)
            without = dict(retriever.found(snapshot, question, EVERYTHING, 5).rows)
        gained |= {round(with_it[row] - without[row], 3) for row in with_it.keys() & without.keys()}
    assert gained == {0.05, 0.1}, "there are numbers, but none of goats; there are durations"


def test_what_holds_the_quantity_comes_before_what_only_speaks_of_the_thing(
    passages: Sequence[Indexed], retriever: LocalRetriever
) -> None:
    snapshot = retriever.snapshot()
    money = retriever.found(snapshot, "When do I get my travel money back?", EVERYTHING, 3)
    assert money.held == 1.0
    assert retriever.found(snapshot, "How many goats may travel with me?", EVERYTHING, 3).held < 1.0
    best = next(p.text for p in passages if p.passage_id == snapshot.ids[money.rows[0][0]])
    assert "10th and the 25th" in retriever.decisive("When do I get my travel money back?", best)[0]


def test_a_word_is_touched_where_the_passage_has_a_synonym_of_it(
    retriever: LocalRetriever, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = "How much vacation do I get in Portugal?"
    touched = retriever.found(retriever.snapshot(), question, EVERYTHING, 1)
    monkeypatch.setattr("knowledge.search._SYNONYM_TOUCHES", -1.0)
    alone = retriever.found(retriever.snapshot(), question, EVERYTHING, 1)
    assert touched.rows == alone.rows
    assert touched.late > alone.late


def test_a_passage_with_a_synonym_comes_before_one_without(
    retriever: LocalRetriever, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lead() -> float:
        """How far the passage on annual leave is before the next one."""
        found = retriever.found(retriever.snapshot(), "vacation in Portugal", EVERYTHING, 2)
        return found.rows[0][1] - found.rows[1][1]

    with_synonyms = lead()
    monkeypatch.setattr("knowledge.search._SYNONYM_ORDERS", -1.0)
    assert lead() < with_synonyms


def test_vectors_survive_packing(passages: Sequence[Indexed]) -> None:
    for passage in passages:
        vectors = unpack(passage.vectors)
        again = unpack(pack(vectors))
        assert abs(again.tokens - vectors.tokens).max() < 0.01
        assert (again.spans == vectors.spans).all()
        assert (again.probe is None) == (vectors.probe is None)
    assert any(unpack(p.vectors).probe for p in passages)


def test_slips_are_mended_and_names_are_left_alone() -> None:
    used = {"password": 9, "vacation": 3, "manager": 2, "annual": 1}
    common = {"gender", "make", "how", "long"}.__contains__
    assert mended("how long is a pasword", used, common) == "how long is a password"
    assert mended("vacaton", used, common) == "vacation"
    assert mended("Is Pasword a product?", used, common) == "Is Pasword a product?"
    assert mended("a lender", used, common) == "a lender", "slips do not hit the first letter"
    assert mended("managers and passwords", used, common) == "managers and passwords"


def test_synonyms_hold_for_phrases_in_both_directions() -> None:
    terms = Terms()
    synonyms = Synonyms(terms.of)
    assert "vacat" in synonyms.of(terms.of("annual leave"))
    assert synonyms.of(terms.of("vacation"))["annual"] == pytest.approx(0.5)
    assert synonyms.of(terms.of("sourdough")) == {}


def found(late: float, standing: float = 0.5, alone: float = 1.0) -> Found:
    return Found(((0, 1.0),), late, standing, alone)


def test_a_quantity_that_is_missing_makes_an_answer_less_sure() -> None:
    without, with_it = found(0.8), replace(found(0.8), held=0.0)
    assert confidence(without) > confidence(with_it)


def test_limits_follow_the_probes() -> None:
    one_theme, many = limits([found(0.9, 0.2)] * 100), limits([found(0.9, 0.5)] * 100)
    assert one_theme.answer < many.answer
    assert many.closest < many.answer
    assert limits([found(0.9, 0.2)]).answer == pytest.approx(limits([]).answer, abs=0.05), "one tells little"
    assert many.of(found(0.95, 0.9)) is Band.ANSWER
    assert many.of(Found((), 0.0, 0.0)) is Band.SILENT


def test_what_people_confirmed_moves_the_limit_by_its_weight() -> None:
    probes = [found(0.8, 0.4)] * 100
    own = limits(probes).answer
    beside = (found(0.8, 0.4, (own + 0.05 - 0.8 - 0.32) / 0.3), False)  # just good enough, and wrong
    held = (found(0.8, 0.4, (own - 0.05 - 0.8 - 0.32) / 0.3), True)  # just not good enough, and right
    raised = [limits(probes, [beside] * count).answer for count in (0, 1, 5, 40)]
    assert raised == sorted(raised)
    assert raised[0] == own
    assert own < raised[2] < raised[3] <= own + 0.2 + 1e-9
    assert limits(probes, [held] * 5).answer < own
    assert limits(probes, [held, beside] * 5).answer > own, "a false answer weighs more"


def test_limits_are_kept_until_the_library_changes_notably(passages: Sequence[Indexed]) -> None:
    retriever = LocalRetriever(EMBEDDER)
    retriever.update(passages, [])
    kept = retriever.settle(None, ())
    other = Calibration(Bands(9.0, 9.0), kept.passages, kept.confirmed)
    assert retriever.settle(other, ()) == other
    assert retriever.search("What may I spend on a hotel in Paris?", EVERYTHING, 5).band is Band.SILENT
    retriever.update([], [p.passage_id for p in passages if p.document_id == 1])
    assert retriever.settle(other, ()) != other
    assert not Calibration(other.bands, 100, 10).fits(100, 20)
    assert Calibration(other.bands, 100, 10).fits(105, 14)


def test_confirmed_questions_count_where_the_same_passage_is_found(passages: Sequence[Indexed]) -> None:
    retriever = LocalRetriever(EMBEDDER)
    retriever.update(passages, [])
    own = retriever.settle(None, ()).bands
    question = "What may I spend on a hotel in Paris?"
    best = retriever.search(question, EVERYTHING, 1).hits[0][0]
    other = next(p.passage_id for p in passages if p.passage_id != best)
    false = [Confirmed(question, best, False)] * 20
    assert retriever.settle(None, false).bands.answer > own.answer
    assert retriever.settle(None, [Confirmed(question, other, False)] * 20).bands == own


def test_measures_on_cases_worked_out_by_hand() -> None:
    gold = [Gold("a", "keep receipts"), Gold("b")]
    passages = [
        {"doc": "a", "text": "Nothing here"},
        {"doc": "a", "text": "You KEEP, receipts!"},
        {"doc": "b", "text": "Anything"},
        {"doc": "b", "text": "Again"},
        {"doc": "c", "text": "keep receipts"},
    ]
    assert gains_of(gold, passages) == [0, 1, 1, 0, 0]
    assert gains_of([Gold("a", "end")], [{"doc": "a", "text": "word " * 400 + "end"}]) == [0]
    assert ndcg([1, 1], 2) == pytest.approx(1)
    assert ndcg([0, 1], 1) == pytest.approx(0.6309, abs=1e-4)
    assert auroc([3, 2], [1, 2]) == pytest.approx(0.875)
    assert auroc([], [1]) is None


def write_folder(folder: Path) -> None:
    (folder / "docs").mkdir()
    texts = {"leave": "Everybody has 28 days of annual leave.", "travel": "Hotels cost at most 130 euros."}
    for name, text in texts.items():
        (folder / "docs" / f"{name}.md").write_text(f"# {name}\n\n{text}\n", encoding="utf-8")
    documents = [
        {"doc": "leave", "file": "leave.md", "title": "Leave", "groups": ["all"]},
        {"doc": "travel", "file": "travel.md", "title": "Travel", "groups": ["sales"]},
    ]
    questions = [
        {
            "id": "1",
            "text": "How many days of annual leave?",
            "answerable": True,
            "gold": [{"doc": "leave", "quote": "28 days"}],
        },
        {"id": "2", "text": "What may a hotel cost?", "answerable": True, "gold": [{"doc": "travel"}]},
        {"id": "3", "text": "Who feeds the office cat?", "answerable": False, "lang": "en", "gold": []},
    ]
    (folder / "docs.json").write_text(json.dumps(documents), encoding="utf-8")
    (folder / "questions.json").write_text(json.dumps(questions), encoding="utf-8")


def test_an_evaluation_prints_what_the_contract_names(tmp_path: Path) -> None:
    write_folder(tmp_path)
    lines: list[dict[str, object]] = []
    measures = evaluate(tmp_path, None, lines.append, LocalRetriever(EMBEDDER))
    assert set(measures) == {
        *("ndcg@10", "recall@5", "mrr@10", "hit@5", "auroc_unanswerable", "false_answer_rate"),
        *("answered_rate", "verbatim_quote_rate", "p50_ms", "p95_ms", "questions", "passages", "index_s"),
    }
    assert measures["ndcg@10"] == 1
    assert measures["auroc_unanswerable"] == 1
    assert [line["band"] for line in lines] == ["answer", "answer", "silent"], "two documents are enough"
    assert set(lines[0]) == {"id", "passages", "confidence", "band", "citations", "took_ms"}
    sales = evaluate(tmp_path, "sales", None, LocalRetriever(EMBEDDER))
    assert sales["ndcg@10"] == 1
    support = evaluate(tmp_path, "support", None, LocalRetriever(EMBEDDER))
    assert support["ndcg@10"] == 0.5, "the travel policy is not for support"


def test_a_folder_without_questions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"docs\.json"):
        evaluate(tmp_path)


@pytest.mark.timeout(1_800)
@pytest.mark.skipif(not os.environ.get("STAGECOACH_LONG"), reason="takes minutes; set STAGECOACH_LONG=1")
@pytest.mark.parametrize(
    ("name", "least_ndcg", "least_auroc"), [("policies", 0.78, 0.85), ("clapnq", 0.98, 0.88)]
)
def test_real_documents_reach_the_promised_quality(name: str, least_ndcg: float, least_auroc: float) -> None:
    folder = SHARED / "eval" / name
    if not folder.exists():
        pytest.skip("the evaluation data is not beside this checkout")
    measures = evaluate(folder)
    assert (measures["ndcg@10"] or 0) >= least_ndcg
    assert (measures["auroc_unanswerable"] or 0) >= least_auroc
    assert (measures["answered_rate"] or 0) >= 0.6
    assert (measures["false_answer_rate"] or 0) <= 0.15
    assert measures["verbatim_quote_rate"] == 1
