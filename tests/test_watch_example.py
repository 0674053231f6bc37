"""The program that draws the documents' pictures of the tail and of missing labels."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_the_whole_program(tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(EXAMPLES)
    import watch_the_tail

    csv = tmp_path / "table.csv"
    columns = np.random.default_rng(0).standard_normal((200, 3))
    pd.DataFrame(columns, columns=["a", "b", "c"]).to_csv(csv, index=False)
    arguments = f"watch_the_tail --csv {csv} --target c --epochs 2 --output {tmp_path}"
    monkeypatch.setattr(sys, "argv", arguments.split())
    watch_the_tail.main()
    printed = capsys.readouterr().out
    for name in ("watching_the_tail.png", "missing_labels.png"):
        assert (tmp_path / name).stat().st_size > 10_000
        assert name in printed
