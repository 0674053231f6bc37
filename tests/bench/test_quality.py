"""What bench.quality trains, and training that goes on where it was cut off."""

import numpy as np
import pytest

from bench.quality import data, families, fit, losses
from bench.quality.cache import Cache


def test_what_was_trained_is_not_trained_again(tmp_path):
    path = tmp_path / "cache.jsonl"
    Cache(path).put({"loss": "MAE", "seed": 1}, {"p99": 2.0})
    with path.open("a") as file:
        file.write('{"of": {"loss"')  # cut off
    again = Cache(path)
    assert again.get({"seed": 1, "loss": "MAE"}) == {"p99": 2.0}
    assert again.get({"seed": 2, "loss": "MAE"}) is None


def test_every_row_is_held_out_once():
    table = data.diabetes()
    held_out = np.concatenate([split.y_test * split.unit for split in table.splits(0)])
    assert len(held_out) == len(table.y)
    for split in table.splits(1):
        np.testing.assert_allclose(split.x_train.mean(0), 0, atol=1e-5)
        np.testing.assert_allclose(split.y_train.std(), 1, rtol=1e-5)


def how(family):
    """The last loss of a family."""
    of = families.FAMILIES[family]
    return {"loss": of.kind, "options": of.grid[-1]}


@pytest.mark.parametrize("family", ["L_q", "HybridPercentileLoss"])
def test_a_model_beside_others_is_that_of_its_seed(family):
    table = data.diabetes()._replace(folds=1)
    trained = how(family), 32, 2
    alone, beside, other = (fit.run(table, *trained, seeds) for seeds in ([3], [2, 3], [4]))
    assert alone[3] != other[4]
    for name, value in alone[3].items():
        np.testing.assert_allclose(beside[3][name], value, rtol=1e-3)


def test_classes_are_judged_by_their_cross_entropy():
    table = data.digits()._replace(folds=1)
    found = fit.run(table, how("focal"), 512, 1, [0])[0]
    assert 1 < found["mean"] < 5
    assert found["p99"] <= found["CVaR 99"] <= found["max"]
    assert 0 < found["accuracy"] < 1


@pytest.mark.parametrize("name", families.FAMILIES)
def test_every_loss_of_a_family_is_the_sum_of_its_models(name):
    of = families.FAMILIES[name]
    rng = np.random.default_rng(0)
    values = rng.standard_normal((64, 2, 3 if of.tasks == ("classes",) else 1)).astype("float32")
    targets = np.zeros((64, 2, *values.shape[2:]), "float32")
    inner = losses.absolute_error()
    if of.tasks == ("classes",):
        targets, inner = targets[..., 0], losses.cross_entropy()
    for options in of.grid:
        if "window" in options:
            assert losses.make(of.kind, options, inner).get_config()["window"] == 4096
            continue
        loss = losses.make(of.kind, options, inner)
        alone = [float(loss(targets[:, [i]], values[:, [i]])) for i in range(2)]
        np.testing.assert_allclose(2 * float(loss(targets, values)), sum(alone), rtol=1e-5)


def test_a_batch_larger_than_the_table():
    with pytest.raises(ValueError, match=r"batch=600: must be in \[1, 353\]"):
        fit.run(data.diabetes(), how("L_q"), 600, 1, [0])


def test_diamonds_are_not_told_by_their_row():
    table = data.diamonds()
    assert table.x.shape == (53_940, 26)
    assert max(abs(np.corrcoef(table.x.T, table.y)[-1, :-1])) < 0.95
    assert data.diamonds_cut().classes == 5


def test_an_unknown_target(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(SystemExit, match="--target c: must be one of a, b"):
        data.of_csv(path, "c")
