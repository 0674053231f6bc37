"""The demo's program: any table in, a table and a picture out."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

PROGRAM = Path(__file__).parents[1] / "examples/train_tail_loss.py"


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("train_tail_loss", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def csv(tmp_path):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "number": rng.standard_normal(60),
            "holes": np.where(rng.random(60) < 0.3, np.nan, rng.standard_normal(60)),
            "text": rng.choice(["a", "b", "c"], 60),
            "price": rng.uniform(1, 100, 60),
        }
    )
    table.loc[3, "text"] = None
    table.loc[5, "price"] = np.nan
    path = tmp_path / "houses.csv"
    table.to_csv(path, index=False)
    return path


def test_missing_values_and_text_columns(example, csv):
    x, y, name = example.load_table(csv, "price")
    assert (len(x), len(y), name) == (59, 59, "houses")
    _, split = next(example.splits(x, y, seeds=1))
    assert np.isfinite(split.x_train).all()
    assert np.isfinite(split.x_test).all()
    assert len(split.x_train) + len(split.x_test) == 59
    np.testing.assert_allclose(split.y_train.mean(), 0, atol=1e-6)


def test_the_whole_program(example, csv, tmp_path, monkeypatch, capsys):
    arguments = f"{PROGRAM} --csv {csv} --target price --epochs 2 --seeds 1 --output {tmp_path}"
    monkeypatch.setattr(sys, "argv", arguments.split())
    example.main()
    printed = capsys.readouterr().out
    for name in example.LOSSES:
        assert f"\n{name} " in printed
    assert (tmp_path / "houses_tail.png").stat().st_size > 10_000
    assert str(tmp_path / "houses_tail.png") in printed


def test_unknown_target(example, csv):
    with pytest.raises(SystemExit, match="--target prize: must be one of number, holes, text"):
        example.load_table(csv, "prize")
