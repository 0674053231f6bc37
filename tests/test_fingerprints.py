"""The comparison of bits: what it says of runs that are the same, and of some that are not."""

import copy

import pytest
from fingerprinting import doors
from fingerprints import differences, fingerprint, main, run


@pytest.fixture(scope="module")
def found():
    return run(problems=40, seed=5)["found"]


def test_the_same_twice(found):
    assert len(found) == 40
    assert differences(found, run(problems=40, seed=5)["found"]) == []
    assert not any(key.endswith("error") for of in found.values() for key in of)
    assert any("xla gradient" in of for of in found.values())


def test_what_differs_is_named(found):
    first, second, third, *_ = names = list(found)
    other = copy.deepcopy(found)
    other[first]["state"] = "another"
    other[second]["inputs"] = "others"
    del other[third]
    lines = differences(found, other)
    assert [line.split("\n")[0] for line in lines] == names[:3]
    assert lines[0].endswith("differs: state")
    assert lines[1].endswith("differs: the inputs: another problem")
    assert lines[2].endswith("only before")


def test_a_nan_of_another_sign_is_told_apart():
    import numpy as np

    bits = {
        name: fingerprint(np.float32([1, nan])) for name, nan in (("a", np.nan), ("b", -np.nan))
    }
    assert bits["a"] != bits["b"]
    (line,) = differences(*({"p": {"inputs": "", "loss": of}} for of in bits.values()))
    assert line.endswith("loss (only bits of NaNs)")
    assert fingerprint(np.float32(0.0)) != fingerprint(np.float32(-0.0))


def test_the_command_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(doors, "prepare", lambda: None)  # this process has its own settings
    path = tmp_path / "before.json"
    main(["--output", str(path), "--problems", "3"])
    with pytest.raises(SystemExit) as ended:
        main(["--compare", str(path)])
    assert ended.value.code == 0
    path.write_text(path.read_text().replace('"inputs": "', '"inputs": "x', 1))
    with pytest.raises(SystemExit) as ended:
        main(["--compare", str(path)])
    assert ended.value.code == 1
    assert "1 problems differ" in capsys.readouterr().out
