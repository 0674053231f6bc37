"""The tests of functions of quantiles that NumPy, SciPy, pandas and Keras ship, run on ours.

Not shipped, and so not run: JAX's and TensorFlow's tests, and with them any of nth_element.
"""

import pytest
from peer_differences import DIFFERENCES
from peer_faults import FAULTS
from peer_harness import PEERS, Run, entries_of_nothing, run

from tailops import build_info

# Those who call ours through functions of their own, eagerly alone: graphs and XLA take minutes.
CASES = [
    *((peer, "eager") for peer in PEERS),
    *((peer, mode) for peer in ("numpy", "numpy-nan", "keras") for mode in ("graph", "xla")),
]
# At least; what is run beyond, and what is listed, add up to all that is selected.
SELECTED = {
    "numpy": 500,
    "numpy-nan": 200,
    "scipy": 150,
    "pandas-frame": 100,
    "pandas-series": 40,
    "keras": 60,
}
# Tests that fail with a wrong adapter, at least. Of axes and of NaN there are few.
NOTICED = {
    ("numpy", "method ignored"): 100,
    ("numpy", "axis ignored"): 5,
    ("numpy", "rank off"): 200,
    ("numpy", "nan is large"): 3,
    ("pandas-frame", "scaled"): 30,
    ("keras", "scaled"): 4,
}
# Of the methods and their properties: what is quick.
QUICK = "^TestQuantile::test_(closest_observation|q_zero_one|quantile_[aim])"


def installed(peer):
    """It, or a skip."""
    if PEERS[peer].path() is None:
        pytest.skip(f"{PEERS[peer].package} is not installed, or without its tests")
    return peer


def require_all_right(done):
    """Every test passed, or failed as it is listed to."""
    failed = "\n".join(f"{test}\n{done.outcomes[test][1][-2000:]}" for test in done.of("failed"))
    assert not failed, failed
    assert not done.stale(), "\n".join(done.stale())
    assert len(done.of("passed")) + len(done.of("skipped")) + len(done.listed) == len(done.outcomes)


def require_as_listed(peer, mode):
    """All of the peer's tests, in one way of calling."""
    done = run(installed(peer), mode)
    print(f"{peer}, {mode}: {done.figures()}")
    require_all_right(done)
    assert not entries_of_nothing(peer, done.outcomes)
    assert len(done.outcomes) >= SELECTED[peer]
    assert len(done.of("passed")) >= len(done.outcomes) // 3


def test_methods_by_numpys_tests():
    done = run(installed("numpy"), "eager", only=QUICK)
    require_all_right(done)
    assert len(done.of("passed")) > 80


@pytest.mark.extended
@pytest.mark.parametrize(("peer", "mode"), CASES)
def test_peers_tests(peer, mode):
    require_as_listed(peer, mode)


@pytest.mark.extended
@pytest.mark.parametrize("peer", ["numpy", "numpy-nan"])
def test_peers_tests_by_jax(peer):
    pytest.importorskip("jax")
    if not build_info()["jax"]:
        pytest.skip("built without kernels for JAX")
    require_as_listed(peer, "jax")


@pytest.mark.extended
@pytest.mark.parametrize(("peer", "fault"), NOTICED)
def test_wrong_results_are_noticed(peer, fault):
    failed = run(installed(peer), "eager", fault).of("failed")
    print(f"{peer}, {fault}: {len(failed)} tests failed")
    assert len(failed) >= NOTICED[peer, fault]


def test_every_fault_is_tried():
    assert {fault for _, fault in NOTICED} == set(FAULTS)


def test_listed_tests_must_fail_by_the_listed_reason():
    listed = dict.fromkeys(("passes", "skips", "fails", "fails otherwise"), "out=")
    text = DIFFERENCES["out="].shows
    outcomes = {
        "passes": ("passed", ""),
        "skips": ("skipped", ""),
        "fails": ("failed", text),
        "fails otherwise": ("failed", "AssertionError"),
    }
    stale = Run(outcomes, listed).stale()
    assert [entry.split(":")[0] for entry in stale] == ["passes", "skips", "fails otherwise"]
