"""The kernels on AArch64: random problems in an emulator, against the oracle and this machine."""

import struct
import subprocess
from pathlib import Path

import aarch64
import numpy as np
import problems
import pytest
import selections
import sources

from tailops import _kernels, kernels

pytestmark = [pytest.mark.extended, aarch64.needs_emulator]

HERE = Path(__file__).parent
FLAGS = ["-std=c++17", "-O2", "-ffp-contract=off", "-fno-math-errno", "-Wno-psabi"]
STRICT = ["-Wall", "-Wextra", "-Wshadow", "-Werror"]
# All in the order in which passes.cc has them.
PASSES = ("forward", "backward", "select_forward", "select_backward")
DTYPES = ("float32", "float64", "float16", "bfloat16", "int8", "int32", "int64", "uint64")
SELECTION_METHODS = (*_kernels.METHODS[:-1], "rank", "rank_from_top")
REQUEST = struct.Struct("18q6d")


class Processor:
    """The program that runs the passes, for one request after the other."""

    def __init__(self, command):
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=1 << 20
        )
        self.instruction_set = self._process.stdout.readline().decode().strip()
        self.threads = 1

    def close(self):
        self._process.stdin.close()
        self._process.stdout.close()
        assert self._process.wait() == 0

    def _request(self, name, array, axis, arrays, results, **rest):
        shape = [*array.shape, 0, 0, 0][:3]
        axis = -1 if axis is None else axis % array.ndim
        of_input = [PASSES.index(name), DTYPES.index(array.dtype.name), array.ndim, *shape, axis]
        pipe = self._process.stdin
        pipe.write(REQUEST.pack(*of_input, self.threads, *rest["integers"], *rest["numbers"]))
        for one in arrays:
            if one is not None:
                pipe.write(np.ascontiguousarray(one).tobytes())
        pipe.flush()
        for result in results:
            data = self._process.stdout.read(result.nbytes)
            result[...] = np.frombuffer(data, result.dtype).reshape(result.shape)
        return results

    def passes(self, problem):
        """Functions for the checks of problems.py."""
        p, o, geometry = problem, problem.options, problem.geometry
        rest = {
            "integers": [
                _kernels.METHODS.index(o.method), o.ignore_nan, 0,
                _kernels.REDUCTIONS.index(p.reduction), _kernels.ERRORS.index(o.error),
                _kernels.GRADIENTS.index(o.gradient),
                _kernels.SMOOTHING_UNITS.index(o.smoothing_unit),
                _kernels.SELECTIONS.index(p.selection),
                p.mask is not None, o.ignore_value is not None,
            ],
            "numbers": [
                o.ignore_value or 0.0, o.percentile, o.smoothing_factor, o.error_scale, o.beta,
                o.epsilon,
            ],
        }  # fmt: skip

        def run(name, arrays, results):
            inputs = (p.y_true, p.y_pred, p.mask, *arrays)
            return self._request(name, p.y_pred, o.axis, inputs, results, **rest)

        def forward():
            loss = np.empty(geometry.output_shape, p.y_pred.dtype)
            return run("forward", (), (loss, np.empty(geometry.groups, kernels.STATE)))

        def backward(upstream, state):
            return run("backward", (upstream, state), (np.empty_like(p.y_pred),))[0]

        return forward, backward

    def selection_passes(self, case):
        """Functions for the check of selections.py."""
        method = SELECTION_METHODS.index(case.method)
        rest = {
            "integers": [method, case.ignore_nan, len(case.q), 0, 0, 0, 0, 0, 0, 0],
            "numbers": [0.0] * 6,
        }

        def forward():
            arrays = (case.x, np.array(case.q, np.float64))
            return self._request(
                "select_forward", case.x, case.axis, arrays, case.garbage(), **rest
            )

        def backward(upstream, state):
            arrays, results = (case.x, upstream, state), (np.empty_like(case.x),)
            return self._request("select_backward", case.x, case.axis, arrays, results, **rest)[0]

        return forward, backward if case.x.dtype.name in selections.FLOATS else None


@pytest.fixture(scope="module")
def processor(tmp_path_factory):
    files = [*sources.of_the_cpu(), HERE / "aarch64/passes.cc"]
    program = tmp_path_factory.mktemp("aarch64") / "passes"
    running = Processor(
        aarch64.compiled(program, *FLAGS, *STRICT, f"-I{sources.SOURCES}", *files, "-pthread")
    )
    yield running
    running.close()


def test_its_name(processor):
    assert processor.instruction_set == "neon"


@pytest.mark.parametrize("part", range(4))
def test_random_problems(processor, part):
    for seed in range(part * 100, part * 100 + 100):
        rng = np.random.default_rng(seed)
        problem = problems.random_problem(rng, most=int(rng.choice([300, 3000, 20_000])))
        processor.threads = int(rng.integers(1, 4))
        problems.check(problem, *processor.passes(problem), seed)
        problems.check_against_cpu(problem, *processor.passes(problem))


@pytest.mark.parametrize("family", problems.EVERY_FAMILY)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_thresholds(processor, family, dtype):
    for n in (1, 7, 130, 20_000):
        for percentile, method in ((0.3, "floor"), (0.99, "linear")):
            d = problems.extreme(family, n, dtype)
            options = problems.TailOptions(percentile, method=method)
            for selection in _kernels.SELECTIONS:
                problem = problems.Problem(np.zeros_like(d), d, options, selection=selection)
                forward, _ = processor.passes(problem)
                state = kernels.forward(problem.y_true, d, options, reduction="mean").state
                for name in ("threshold", "lower", "upper", "lower_weight", "upper_weight"):
                    np.testing.assert_array_equal(forward()[1][name], state[name], err_msg=name)


def test_random_selections(processor):
    for seed in range(300):
        rng = np.random.default_rng(seed)
        shape = problems.random_shape(rng, int(rng.choice([300, 3000, 20_000])))
        case = selections.random_case(rng, shape, DTYPES)
        processor.threads = int(rng.integers(1, 4))
        selections.check(case, *processor.selection_passes(case))
