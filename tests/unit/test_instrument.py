"""The instrument is read as a whole and refuses what does not fit together."""

from pathlib import Path

import pytest
import yaml

from bot.audit.instrument import INSTRUMENT_FILE, load_instrument
from bot.errors import NotFound, SettingsError


def _broken(tmp_path: Path, change: object) -> Path:
    content = yaml.safe_load(INSTRUMENT_FILE.read_text(encoding="utf-8"))
    change(content)  # type: ignore[operator]
    path = tmp_path / "instrument.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def test_the_fixed_numbers_stand():
    instrument = load_instrument()
    assert [model.id for model in instrument.models] == ["WE", "AD", "EC", "SD", "PR"]
    assert [model.screening.id for model in instrument.models] == ["WE-1", "AD-1", "EC-1", "SD-2", "PR-1"]
    assert {c.id for c in instrument.criteria if c.critical} == {
        "WE-4",
        "AD-4",
        "EC-2",
        "SD-3",
        "SD-4",
        "PR-3",
    }
    assert [instrument.cap(name) for name in ("E0", "E1", "E2", "E3")] == [1, 2, 3, 4]
    assert [str(r) for r in instrument.model("SD").hard_requires] == [
        "WE operational",
        "EC-2 at counted level 3",
    ]
    assert instrument.freshness.half_life_days == {"WE": 120, "AD": 90, "EC": 90, "SD": 90, "PR": 60}
    assert (instrument.version, instrument.comparable_version) == ("0.1.0", "0.1")


def test_unknown_ids_are_named():
    with pytest.raises(NotFound, match="ZZ-9"):
        load_instrument().criterion("ZZ-9")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c["models"][0]["criteria"][0]["levels"].pop(3), "WE-1 needs an anchor"),
        (lambda c: c["models"][1]["hard_requires"].append("PR operational"), "not an earlier model"),
        (lambda c: c["models"][1]["hard_requires"].append("good weather"), "neither"),
        (lambda c: c["models"][1].update(hard_requires=["WE-9 at counted level 3"]), "WE-9"),
        (lambda c: c["models"][2]["criteria"][3].update(screening=True), "exactly one screening"),
        (lambda c: c["evidence"]["classes"]["E2"].update(caps_counted_level_at=0), "never fall"),
        (lambda c: c["departments"].append(c["departments"][0]), "twice"),
        (lambda c: c.update(surprise=1), "surprise"),
    ],
)
def test_what_does_not_fit_together_is_refused(tmp_path, change, said):
    with pytest.raises(SettingsError, match=said):
        load_instrument(_broken(tmp_path, change))


def test_a_file_that_is_not_yaml_is_refused(tmp_path):
    path = tmp_path / "instrument.yaml"
    path.write_text("models: [", encoding="utf-8")
    with pytest.raises(SettingsError, match="can't be read"):
        load_instrument(path)
