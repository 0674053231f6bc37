"""What a source distribution is made of: what it takes to build and to test, and nothing else."""

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROGRAM = """
import sys
sys.path.insert(0, "cmake")
import tailops_build
print(tailops_build.build_sdist(sys.argv[1]))
"""


def test_its_files(tmp_path):
    pytest.importorskip("scikit_build_core")
    command = [sys.executable, "-c", PROGRAM, tmp_path]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = tmp_path.glob("tailops-*.tar.gz")
    with tarfile.open(path) as archive:
        names = [name.split("/", 1)[1] for name in archive.getnames()]
        metadata = archive.extractfile(f"{path.name.removesuffix('.tar.gz')}/PKG-INFO").read()
    assert {name.split("/")[0] for name in names} == {
        ".clang-format", ".gitignore", "CHANGELOG.md", "CITATION.cff", "CMakeLists.txt",
        "CONTRIBUTING.md", "LICENSE", "Makefile", "PKG-INFO", "README.md", "SECURITY.md",
        "THIRD_PARTY_NOTICES.md", "bench", "cmake", "conftest.py", "csrc", "docs", "pyproject.toml",
        "requirements", "tailops", "tests",
    }  # fmt: skip
    for line in ("Expression: Apache-2.0", "File: LICENSE", "File: THIRD_PARTY_NOTICES.md"):
        assert f"\nLicense-{line}\n" in metadata.decode()
    sources = {str(file.relative_to(ROOT)) for file in (ROOT / "csrc").rglob("*.*")}
    assert sources <= set(names)
    assert not [name for name in names if name.endswith((".so", ".pyc"))]
    assert path.stat().st_size < 4_000_000  # mostly pictures
