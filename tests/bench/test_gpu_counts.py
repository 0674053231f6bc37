"""The arithmetic of the counts of the CUDA kernels."""

from bench.gpu_counts import Shape, row_of, scaled


def test_a_row_is_of_all_launches():
    def traffic(requests, transactions, fewest):
        return {"requests": requests, "bytes": 0, "transactions": transactions, "fewest": fewest}

    launch = {
        "thread_instructions": 640,
        "warp_instructions": 30,
        "loads": traffic(4, 16, 8),
        "stores": traffic(1, 4, 4),
        "atomics": traffic(0, 0, 0),
        "local": traffic(0, 0, 0),
        "shared": traffic(2, 6, 2),
    }
    row = row_of([launch, launch], 64)
    assert row.launches == 2
    assert row.instructions == 20
    assert row.issued == 30
    assert row.moved == 20
    assert row.sectors == 20 / 12
    assert row.passes == 3


def test_a_shape_is_scaled_along_its_first_axis():
    assert scaled(Shape("rows", (1 << 16, 1024), 1), 1 << 20).shape == (1 << 10, 1024)
    assert scaled(Shape("columns", (512, 1000), 0), 1 << 20).shape == (512, 1000)
