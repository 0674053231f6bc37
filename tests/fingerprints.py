"""Whether a change left every bit as it was: digests of the results of 10,000 random problems.

By hand, before and after a redesign:

    python tests/fingerprints.py --output before.json
    python tests/fingerprints.py --compare before.json

All go through the NumPy door; some through TensorFlow, XLA and JAX too. What they are is in
fingerprinting/fixed_problems.py, how tailops is called in fingerprinting/doors.py.
"""

import argparse
import json
import sys
import time
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import ml_dtypes  # noqa: F401  NumPy knows the dtype "bfloat16" once this is imported
import numpy as np
from fingerprinting import doors
from fingerprinting.fixed_problems import Loss, problem_of

# Every so many of the problems go through the frameworks too: compiling takes long.
THROUGH_FRAMEWORKS = 17
SHOWN = 20
# What decides about bits besides tailops.
LIBRARIES = ("numpy", "tensorflow", "jax", "jaxlib")


def _digest(*arrays):
    found = blake2b(digest_size=6)
    for array in arrays:
        found.update(f"{array.dtype}{array.shape}".encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def fingerprint(array):
    """Of all bits; and, where there is a NaN, whose sign is the compiler's whim, of the others."""
    array = np.asarray(array)
    if array.dtype.names:
        array = np.stack([array[name] for name in array.dtype.names])
    bits = _digest(array)
    if array.dtype.kind in "iu":
        return bits
    nan = array != array
    if not nan.any():
        return bits
    return f"{bits} {_digest(np.where(nan, array.dtype.type(0), array), nan)}"


def _found(door, problem):
    """Fingerprints by name; that of an error is its type."""
    try:
        return {name: fingerprint(array) for name, array in door(problem).items()}
    except Exception as error:
        return {"error": type(error).__name__}


def measure(index, seed, sets):
    """The description of a problem and its fingerprints, that of the inputs first."""
    problem = problem_of(seed, index, sets)
    doors.force(problem.instruction_set)
    ours = doors.numpy_loss if isinstance(problem, Loss) else doors.numpy_selection
    found = {"inputs": _digest(*problem.inputs), **_found(ours, problem)}
    if index % THROUGH_FRAMEWORKS == 0:
        for name, door in doors.doors(problem).items():
            found |= {f"{name} {key}": value for key, value in _found(door, problem).items()}
    return f"{index} {problem}", found


def _versions():
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def run(problems, seed):
    """All of them, as they are written to a file."""
    sets = doors.instruction_sets()
    about = {"problems": problems, "seed": seed, "versions": _versions()}
    about["instruction_sets"] = list(sets)
    before = doors.force(sets[0])
    try:
        with np.errstate(all="ignore"):
            found = dict(measure(index, seed, sets) for index in range(problems))
    finally:
        doors.force(before)
    return {"about": about, "found": found}


def write(path, result):
    """A problem to a line, so that a diff names it."""
    rows = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in result["found"].items())
    about = json.dumps(result["about"])
    path.write_text(f'{{"about": {about},\n"found": {{\n{rows}\n}}}}\n')


def _change(before, after):
    """What differs of one problem, in words; None: nothing."""
    if before["inputs"] != after["inputs"]:
        return "the inputs: another problem"
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    if not names:
        return None
    of = [(name, before.get(name, "not there"), after.get(name, "not there")) for name in names]
    # Of which all but the bits of NaNs are the same.
    return ", ".join(
        f"{name}{' (only bits of NaNs)' if b.split()[1:] == a.split()[1:] != [] else ''}"
        f"{f' ({b} -> {a})' if name.endswith('error') else ''}"
        for name, b, a in of
    )


def differences(before, after):
    """A line for each problem that differs; of one that is in one run only, too."""
    lines = []
    for name in {**before, **after}:
        if name not in before or name not in after:
            lines.append(f"{name}\n    only {'after' if name in after else 'before'}")
        elif change := _change(before[name], after[name]):
            lines.append(f"{name}\n    differs: {change}")
    return lines


def main(words=None):
    """The command line."""
    parser = argparse.ArgumentParser(prog="python tests/fingerprints.py", description=__doc__)
    parser.add_argument("--output", type=Path, help="where to write the fingerprints")
    parser.add_argument("--compare", type=Path, help="earlier ones; exits with 1 where they differ")
    parser.add_argument("--problems", type=int, help="default: 10000, or as in --compare")
    parser.add_argument("--seed", type=int, help="default: 0, or as in --compare")
    arguments = parser.parse_args(words)
    if not (arguments.output or arguments.compare):
        parser.error("--output or --compare: one of them must be given")
    before = json.loads(arguments.compare.read_text()) if arguments.compare else {}
    defaults = before.get("about", {"problems": 10_000, "seed": 0})
    problems, seed = (
        defaults[name] if given is None else given
        for name, given in (("problems", arguments.problems), ("seed", arguments.seed))
    )
    doors.prepare()
    began = time.perf_counter()
    after = run(problems, seed)
    failed = sum(any(key.endswith("error") for key in of) for of in after["found"].values())
    taken = time.perf_counter() - began
    print(f"{problems} problems, {failed} with an error, {taken:.0f} s, of {doors.place()}")
    if arguments.output:
        write(arguments.output, after)
    if not before:
        return
    for key, value in before["about"].items():
        if value != after["about"][key]:
            print(f"{key}: {value} before, {after['about'][key]} now")
    lines = differences(before["found"], after["found"])
    print("\n".join([*lines[:SHOWN], f"{len(lines)} problems differ"]))
    sys.exit(bool(lines))


if __name__ == "__main__":
    main()
