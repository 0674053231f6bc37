"""Reports, comparisons and the command line, on results made up here."""

import copy
import json

import numpy as np
import pytest

from bench import compare, options, results
from bench.__main__ import main
from bench.report import hard_pixels, readme, speed, text, weights_picture, write_all

WHO = {"tailops": 1e-3, "tailops, XLA": 1.1e-3, "tf.sort": 80e-3, "np.partition": 0.5e-3}
PAGE = "<!-- bench: speed -->\nold\n<!-- end -->\n"


def spread(seconds):
    return {"seconds": seconds, "low": 0.9 * seconds, "high": 1.2 * seconds, "rounds": 5}


def case(what, n, who=None, **others):
    of = {"data": "random", "dtype": "float32", "shape": "one group", **others}
    entries = {
        name: {
            **spread(seconds),
            "times_floor": seconds / 4e-4,
            "peak_mib": 1.5,
            "operations": 2 if name == "tailops" else None,
        }
        for name, seconds in (who or WHO).items()
    }
    return {"what": what, "n": n, **of, "threads": 2, "floor": spread(4e-4), "who": entries}


def head():
    return {
        "format": results.FORMAT,
        "command": "make bench",
        "date": "2026-01-01",
        "machine": {
            "kind": "cpu-test-2-cores",
            "processor": "a processor",
            "architecture": "x86_64",
            "cores": 2,
            "memory_gib": 8.0,
        },
        "versions": {
            "tailops": "0",
            "python": "3",
            "compiler": "c++",
            "instruction_set": "avx2",
        },
    }


@pytest.fixture
def bench():
    scaling = {"by": "n", "groups": 1, "threads": 1}
    kernel = {"n": 10**7, "data": "random", "seconds": 1e-2, "times_floor": 1.5}
    passes = {
        name: {**spread(1e-2), "floor_seconds": 5e-3, "times_floor": 2.0}
        for name in ("selection", "forward", "backward")
    }
    return {
        **head(),
        "cases": [
            *(case("loss and gradient", n) for n in (10_000, 100_000, 1_000_000)),
            case("loss and gradient", 1_000_000, {**WHO, "np.partition": 9.0}, data="sorted"),
            case("selection", 1_000_000, shape="one row, p99"),
        ],
        "kernels": [
            {**kernel, "pass": name, "bytes": arrays * 4 * 10**7}
            for name, arrays in (("forward", 2), ("backward", 3))
        ],
        "scaling": [{**scaling, "n": n, **passes} for n in (10_000, 100_000)],
    }


@pytest.fixture
def fits():
    def row(family, options, mean, p99):
        return {
            "family": family,
            "table": "houses",
            "loss": family,
            "options": options,
            "batch": 32,
            "epochs": 3,
            "mean": [mean, 1.1 * mean],
            "p99": [p99, 1.1 * p99],
            "CVaR 99": [p99, 1.1 * p99],
            "seconds": 1.0,
        }

    return {
        **head(),
        "seeds": 2,
        "tables": [{"name": "houses", "about": "ten", "rows": 10_000, "task": "numbers"}],
        "fits": [
            row("L_q", {"q": 1.0}, 1.0, 10.0),
            row("L_q", {"q": 2.0}, 1.1, 9.0),
            row("Huber", {"delta": 1.0}, 1.1, 9.5),
            row("TailWeightedLoss", {"percentile": 0.9, "error_scale": 5.0}, 1.05, 8.0),
            row("MaxFractionLoss", {"fraction": 0.5, "error_scale": 5.0}, 1.1, 9.5),
        ],
    }


def test_documents_pictures_and_blocks_are_written(bench, fits, tmp_path):
    paths = [tmp_path / "bench.json", tmp_path / "quality.json"]
    for path, result in zip(paths, (bench, fits), strict=True):
        results.write(path, result)
    page = PAGE + "<!-- bench: quality -->\nold\n<!-- end -->\nkept\n"
    (tmp_path / "README.md").write_text(page)
    written = {path.name for path in write_all(paths, tmp_path)}
    kind = bench["machine"]["kind"]
    pictures = {
        f"speed_up-{kind}.png",
        f"floor-{kind}.png",
        "quality-houses.png",
        "tail_weights.png",
        "how_selection.png",
        "how_gradient.png",
    }
    assert written == {"benchmarks.md", "quality.md", "README.md", *pictures}
    for name in pictures:
        assert (tmp_path / "docs" / name).stat().st_size > 10_000
    after = (tmp_path / "README.md").read_text()
    assert "old" not in after
    assert after.endswith("kept\n")
    assert "1,000,000 elements: 1 ms, and **80 ×** as long with `tf.sort`" in after
    assert "In 4 of 5 cases somebody else is faster" in after
    ours = "| houses, batches of 32 | +5.0 % | −5.0 % ± 0.0 | −2.5 % ± 0.0 | −20.0 % ± 0.0 |"
    assert ours in after
    assert 'TailWeightedLoss("mae", percentile=0.9, error_scale=5)' in after


@pytest.fixture
def segmented():
    scores = {name: [0.25, 0.75] for name in hard_pixels.SCORES}
    return {
        **head(),
        "epochs": 15,
        "images": 512,
        "batch": 16,
        "hard_pixels": [
            {"section": section, "loss": loss, **scores}
            for section, loss in (
                ("as it is", "CVaR"),
                ("longer", "cross-entropy"),
                ("wrong labels", "trimmed"),
            )
        ],
        "steps": {"cross-entropy": {**spread(2e-2), "times": 1.0}},
    }


def test_the_block_of_the_segmentation_example(segmented, tmp_path):
    path, page = tmp_path / "hard_pixels.json", tmp_path / "docs/which_tail.md"
    results.write(path, segmented)
    page.parent.mkdir()
    page.write_text("before\n<!-- bench: hard_pixels -->\nold\n<!-- end -->\nafter\n")
    assert page in set(write_all([path], tmp_path))
    written = page.read_text()
    assert "old" not in written
    assert written.startswith("before\n")
    assert written.endswith("<!-- end -->\nafter\n")
    usual, wrong = written.split("5 % of the labels wrong")
    assert "| `CVaRLoss`, percentile 0.9 | 0.500 ± 0.354 |" in usual
    assert "| cross-entropy, 45 epochs, 2 seeds | 0.500 ± 0.354 |" in usual
    assert "| `TrimmedLoss`, fraction 0.05 | 0.500 ± 0.354 |" in wrong
    assert "| cross-entropy | 20 ms | 18 ms to 24 ms | 1 |" in wrong


def test_the_weights_drawn_are_those_of_the_gradient():
    tf = pytest.importorskip("tensorflow")
    from tailops import ops

    n, values = weights_picture.N, tf.constant(weights_picture.VALUES)
    settings = {"percentile": 0.95, "error_scale": 20.0, "smoothing_factor": 5.0}
    calls = {
        "the mean": lambda v: tf.reduce_mean(v),
        "cvar(percentile=0.9)": lambda v: ops.cvar(v, percentile=0.9),
        "average_top_k(k=n / 4)": lambda v: ops.average_top_k(v, k=n / 4),
        "trimmed_mean(fraction=0.1)": lambda v: ops.trimmed_mean(v, fraction=0.1),
        "range_mean(lower=0.25, upper=0.75)": lambda v: ops.range_mean(v, lower=0.25, upper=0.75),
        "ohem(threshold=0.7)": lambda v: ops.ohem(v, threshold=0.7),
        weights_picture.WEIGHTED: lambda v: ops.tail_weighted(
            v, **settings, gradient="fixed_weight", reduction="mean"
        ),
    }
    drawn = weights_picture.curves()
    assert list(drawn) == list(calls)
    for name, call in calls.items():
        with tf.GradientTape() as tape:
            tape.watch(values)
            mean = call(values)
        np.testing.assert_allclose(drawn[name], tape.gradient(mean, values), atol=1e-9)


def test_the_page_shows_the_newest_run(bench, tmp_path):
    new = copy.deepcopy(bench)
    new["date"] = "2026-02-01"
    new["machine"] |= {"kind": "cpu-zzz-64-cores", "cores": 64}
    paths = [tmp_path / "a.json", tmp_path / "b.json"]
    for path, result in zip(paths, (bench, new), strict=True):
        results.write(path, result)
    (tmp_path / "README.md").write_text(PAGE)
    list(write_all(paths, tmp_path))
    assert "on 64 cores with avx2" in (tmp_path / "README.md").read_text()
    document = (tmp_path / "docs" / "benchmarks.md").read_text()
    assert document.index("## cpu-zzz") < document.index("## cpu-test")
    assert "10 ms, 8.0 GB/s (1.5) | 10 ms, 12.0 GB/s (1.5)" in document


def test_rows_that_somebody_else_wins_are_listed(bench):
    beaten = list(speed.beaten(bench["cases"]))
    assert [(row["what"], who, times) for row, who, times in beaten] == [
        *[("loss and gradient", "np.partition", 2.0)] * 3,
        ("selection", "np.partition", 2.0),
    ]
    under = speed.document([bench]).split("### Where tailops is not the fastest")[1]
    assert "Of 5 rows, 4," in under
    assert under.count("np.partition, 0.5 ms") == 4


def test_a_form_of_ours_does_not_beat_ours():
    row = case("loss", 10_000, {"tailops": 2.0, "tailops, XLA": 1.0, "tf.sort": 3.0})
    assert list(speed.beaten([row])) == []


def test_what_is_left_out_is_named(bench):
    bench["cases"][0]["left_out"] = {"keras.ops.quantile": "no bfloat16"}
    assert "- keras.ops.quantile: no bfloat16 (loss and gradient, 10,000)" in speed.document(
        [bench]
    )


def test_what_got_worse_is_found_by_its_ratio_to_the_floor(bench):
    new = copy.deepcopy(bench)
    for row in new["cases"]:  # a slower machine: as slow for the floor
        for of in row["who"].values():
            of["seconds"] *= 3
    assert compare.worse(bench, new) == []
    new["cases"][2]["who"]["tailops"]["times_floor"] *= 1.2
    new["cases"][1]["who"]["tf.sort"]["times_floor"] *= 2
    new["kernels"][0]["times_floor"] *= 1.14
    (line,) = compare.worse(bench, new)
    assert line.startswith("loss and gradient | 1000000 | random | float32 | one group | tailops:")
    assert "+20 %" in line


def test_machines_of_different_kinds_are_not_compared(bench):
    new = copy.deepcopy(bench)
    new["machine"]["kind"] = "cpu-other"
    with pytest.raises(ValueError, match="machine kind cpu-other: must be that of the other run"):
        compare.worse(bench, new)


def test_the_command_line_compares(bench, tmp_path, capsys):
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    results.write(old, bench)
    bench["kernels"][1]["times_floor"] *= 2
    results.write(new, bench)
    with pytest.raises(SystemExit) as ended:
        main(["compare", str(new), "--old", str(old)])
    assert ended.value.code == 1
    assert "1 of ours got worse" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["run", "--only", "("], "'(': must be a regular expression"),
        (["run", "--largest", "1.5"], "'1.5': must be a whole number, at least 1"),
        (["compare", "nothing.json"], "nothing.json"),
        (["report", "nothing.json"], "nothing.json"),
    ],
)
def test_bad_arguments_are_named(words, says, capsys):
    with pytest.raises(SystemExit):
        main(words)
    assert says in capsys.readouterr().err


def test_results_of_another_format_are_refused(tmp_path):
    path = tmp_path / "old.json"
    path.write_text(json.dumps({"format": 1}))
    with pytest.raises(ValueError, match=r"old.json: format 1: must be 2"):
        results.read(path)
    path.write_text("{")
    with pytest.raises(ValueError, match=r"old.json: must be a JSON file of results"):
        results.read(path)


def test_a_page_without_a_block_is_refused():
    with pytest.raises(ValueError, match=r"must have a block <!-- bench: speed -->"):
        readme.with_blocks("nothing", {"speed": "x"})


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0012345, "0.00123"), (12345.6, "12,300"), (3.0, "3"), (0.0, "0"), (99.96, "100")],
)
def test_numbers_have_no_exponent(value, shown):
    assert text.digits(value) == shown


def test_whole_numbers_may_be_written_short():
    assert options.positive("1e6") == 1_000_000


def test_gpu_chapters(tmp_path):
    of_gpu = {
        "format": results.FORMAT,
        "command": "make gpu-bench",
        "date": "2026-01-02",
        "gpu": "a GPU",
        "driver": "a driver",
    }
    times = {"forward_us": 12.5, "backward_us": 6.5, "both_us": 19.0}
    floors = {"forward_times_floor": 1.25, "backward_times_floor": 1.5}
    kernels = [{"n": 1 << 20, "data": "random", **times, **floors}]
    peer = {"n": 1 << 20, "peer": "torch.sort", "us": 512.0, "times_tailops": 26.9}
    peers = [{**peer, "peak_mib": 8.0}, {**peer, "peer": "jnp.sort", "peak_mib": None}]
    row = {"shape": [1 << 16, 1 << 10], "axis": 1, "q": "median", "data": "random"}
    selection = [
        {**row, "us": {"read": 60.0, "forward": 90.0}},
        {**row, "axis": None, "us": {"read": 61.0, "forward": 91.0, "torch.sort": 3000.0}},
    ]
    page = speed.document([of_gpu | {"kernels": kernels, "peers": peers}])
    assert "| 1,048,576 | random | 12.5 | 6.5 | 19 | 1.25 | 1.5 |" in page
    assert "| 1,048,576 | torch.sort | 512 | 26.9 | 8.0 |" in page
    assert "| 1,048,576 | jnp.sort | 512 | 26.9 |  |" in page
    assert "### Selection" not in page
    path = tmp_path / "gpu.json"
    results.write(path, of_gpu | {"selection": selection})
    page = speed.document([results.read(path)])
    assert "| 65,536 × 1,024 | 1 | median | random | 60 | 90 |  |" in page
    assert "| 65,536 × 1,024 |  | median | random | 61 | 91 | 3,000 |" in page
    assert "### The kernels" not in page
