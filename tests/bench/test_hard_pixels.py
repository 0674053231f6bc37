"""The measurement of the segmentation example, without its training."""

import importlib
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from bench import hard_pixels, results


@pytest.fixture
def trained(monkeypatch):
    """What was trained: the loss's maker, the seed, epochs and wrong labels."""
    monkeypatch.syspath_prepend(hard_pixels.EXAMPLES)
    example = importlib.import_module("segment_hard_pixels")
    calls = []

    def logits(make, seed, options):
        calls.append((make, seed, options.epochs, options.wrong_labels))
        shape = (*example.held_out().classes.shape, len(example.CLASSES))
        return np.random.default_rng(len(calls)).standard_normal(shape).astype("float32")

    # This process has its threads, and its environment.
    monkeypatch.setattr(hard_pixels, "environment", SimpleNamespace(prepare=int, set_threads=int))
    monkeypatch.setattr(example, "trained", logits)
    times = {name: [2.0, 4.0, 3.0] for name in example.LOSSES}
    times["CVaR"] = [1.0, 1.0, 1.0]
    monkeypatch.setattr(example, "step_seconds", lambda _: times)
    return calls


def test_a_run_that_was_cut_off_goes_on(trained, tmp_path, monkeypatch):
    cache, output = tmp_path / "cache.jsonl", tmp_path / "result.json"
    words = f"hard_pixels --seeds 2 --other-seeds 1 --epochs 4 --cache {cache} --output {output}"
    monkeypatch.setattr(sys, "argv", words.split())
    hard_pixels.main()
    first, found = len(trained), results.read(output)
    assert first == 2 * 6 + 7 + 3
    assert found["command"].startswith('make hard-pixels ARGS="--seeds 2 --other-seeds 1 ')
    assert {(epochs, wrong) for _, _, epochs, wrong in trained} == {(4, 0.0), (4, 0.05), (12, 0.0)}
    lines = cache.read_text().splitlines(keepends=True)
    cache.write_text("".join(lines[:-3]) + lines[-3][:20])
    hard_pixels.main()
    assert len(trained) == first + 3
    again = results.read(output)
    assert again["hard_pixels"][:-3] == found["hard_pixels"][:-3]
    assert again["hard_pixels"][-1] != found["hard_pixels"][-1]
    rows = [(row["section"], row["loss"]) for row in found["hard_pixels"]]
    assert len(set(rows)) == len(rows) == 16
    assert found["steps"]["CVaR"]["times"] == pytest.approx(1 / 3, rel=1e-4)
    assert found["steps"]["CVaR"]["seconds"] == 1
