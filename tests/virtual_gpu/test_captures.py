"""Streams that are captured, and what that forbids."""

import threading
from ctypes import byref, c_int, c_size_t, c_uint, c_void_p

import numpy as np
import pytest
from cuda_driver import (
    HOST_FUNCTION,
    INCREMENT,
    NULL,
    CudaError,
    count_of,
    instantiate,
    kernel_parameters,
    replay,
    status_of,
)

GLOBAL, THREAD_LOCAL, RELAXED = range(3)


def add(driver, function, address, by, stream=NULL):
    driver.launch(function, address, c_uint(by), block=(4,), stream=stream)


def end(driver, stream):
    graph = c_void_p()
    driver.cuStreamEndCapture(stream, byref(graph))
    return graph


def test_replay(driver, increment, numbers, stream):
    by = c_uint(5)
    driver.cuStreamBeginCapture_v2(stream, GLOBAL)
    assert status_of(driver, stream) == 1
    driver.launch(increment, numbers, by, block=(4,), stream=stream)
    add(driver, increment, numbers, 1, stream)
    graph = end(driver, stream)
    assert status_of(driver, stream) == 0
    by.value = 1000  # arguments are those of the capture
    assert count_of(driver, graph) == 2
    np.testing.assert_array_equal(driver.values(numbers, 4), 0)
    instance = instantiate(driver, graph)
    driver.cuGraphDestroy(graph)
    replay(driver, instance, stream, times=3)
    np.testing.assert_array_equal(driver.values(numbers, 4), 18)
    driver.cuGraphExecDestroy(instance)
    with pytest.raises(CudaError, match="INVALID_VALUE"):
        driver.cuGraphLaunch(instance, stream)


def test_copies_memsets_and_host_functions_are_captured(driver, increment, numbers, stream):
    calls = []
    function = HOST_FUNCTION(lambda _: calls.append(1))
    result = driver.make("cuMemHostAlloc", c_size_t(16), 0)
    driver.cuStreamBeginCapture_v2(stream, GLOBAL)
    driver.cuMemsetD32Async(numbers, c_uint(7), c_size_t(4), stream)
    add(driver, increment, numbers, 1, stream)
    driver.cuMemcpyDtoHAsync_v2(result, numbers, c_size_t(16), stream)
    driver.cuLaunchHostFunc(stream, function, NULL)
    instance = instantiate(driver, end(driver, stream))
    assert calls == []
    replay(driver, instance, stream, times=2)
    assert calls == [1, 1]
    np.testing.assert_array_equal((c_uint * 4).from_address(result.value), 8)


def test_fork_and_join(driver, increment, numbers, stream):
    """Two branches, in any order, and then the end, which comes last."""
    other = driver.stream()
    more = driver.array(np.zeros(4, np.uint32))
    forked, joined = driver.make("cuEventCreate", 0), driver.make("cuEventCreate", 0)
    driver.cuStreamBeginCapture_v2(stream, THREAD_LOCAL)
    driver.cuMemsetD32Async(numbers, c_uint(1), c_size_t(4), stream)
    driver.cuEventRecord(forked, stream)
    driver.cuStreamWaitEvent(other, forked, 0)
    assert status_of(driver, other) == 1
    driver.cuMemcpyDtoDAsync_v2(more, numbers, c_size_t(16), other)
    add(driver, increment, more, 10, other)
    driver.cuEventRecord(joined, other)
    driver.cuStreamWaitEvent(stream, joined, 0)
    add(driver, increment, more, 100, stream)
    graph = end(driver, stream)
    assert status_of(driver, other) == 0
    assert count_of(driver, graph) == 4
    instance = instantiate(driver, graph)
    for _ in range(10):
        replay(driver, instance, stream)
        np.testing.assert_array_equal(driver.values(more, 4), 111)


def test_unjoined(driver, increment, numbers, stream):
    other = driver.stream()
    event = driver.make("cuEventCreate", 0)
    driver.cuStreamBeginCapture_v2(stream, THREAD_LOCAL)
    driver.cuEventRecord(event, stream)
    driver.cuStreamWaitEvent(other, event, 0)
    add(driver, increment, numbers, 1, other)
    with pytest.raises(CudaError, match="CAPTURE_UNJOINED"):
        end(driver, stream)
    assert status_of(driver, other) == 0


def invalidated(driver, stream):
    """Whether the capture is of no more use; it is ended."""
    assert status_of(driver, stream) == 2
    with pytest.raises(CudaError, match="CAPTURE_INVALIDATED"):
        end(driver, stream)
    assert status_of(driver, stream) == 0
    return True


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda driver, stream: driver.cuStreamSynchronize(stream), "CAPTURE_UNSUPPORTED"),
        (lambda driver, stream: driver.cuStreamQuery(stream), "CAPTURE_UNSUPPORTED"),
        (lambda driver, _: driver.cuCtxSynchronize(), "CAPTURE_UNSUPPORTED"),
        (lambda driver, _: driver.make("cuMemAlloc_v2", c_size_t(16)), "CAPTURE_UNSUPPORTED"),
        (lambda driver, _: driver.array(np.zeros(1)), "CAPTURE_UNSUPPORTED"),
        (lambda driver, _: driver.module(INCREMENT), "CAPTURE_UNSUPPORTED"),
    ],
)
def test_calls_that_a_capture_forbids(driver, stream, call, error):
    driver.cuStreamBeginCapture_v2(stream, GLOBAL)
    with pytest.raises(CudaError, match=error):
        call(driver, stream)
    assert invalidated(driver, stream)


def test_legacy_stream_beside_a_blocking_one(driver, numbers):
    stream = driver.stream(0)
    driver.cuStreamBeginCapture_v2(stream, RELAXED)
    with pytest.raises(CudaError, match="CAPTURE_IMPLICIT"):
        driver.cuMemsetD32Async(numbers, c_uint(1), c_size_t(4), NULL)
    assert invalidated(driver, stream)
    driver.cuStreamDestroy_v2(stream)


def test_legacy_stream_cannot_be_captured(driver):
    with pytest.raises(CudaError, match="CAPTURE_UNSUPPORTED"):
        driver.cuStreamBeginCapture_v2(NULL, RELAXED)


def test_relaxed_capture_allows_what_escapes_it(driver, stream):
    driver.cuStreamBeginCapture_v2(stream, RELAXED)
    driver.cuMemFree_v2(driver.make("cuMemAlloc_v2", c_size_t(16)))
    driver.cuGraphDestroy(end(driver, stream))


@pytest.mark.parametrize(("mode", "is_forbidden"), [(GLOBAL, True), (THREAD_LOCAL, False)])
def test_calls_of_other_threads(driver, stream, mode, is_forbidden):
    errors = []

    def allocate():
        driver.cuCtxSetCurrent(driver.context)
        try:
            driver.cuMemFree_v2(driver.make("cuMemAlloc_v2", c_size_t(16)))
        except CudaError as error:
            errors.append(error.name)

    driver.cuStreamBeginCapture_v2(stream, mode)
    thread = threading.Thread(target=allocate)
    thread.start()
    thread.join()
    assert errors == (["CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"] if is_forbidden else [])
    if is_forbidden:
        assert invalidated(driver, stream)
    else:
        end(driver, stream)


def test_mode_of_the_thread(driver, stream):
    mode = c_int(RELAXED)
    driver.cuThreadExchangeStreamCaptureMode(byref(mode))
    assert mode.value == GLOBAL
    driver.cuStreamBeginCapture_v2(stream, GLOBAL)
    driver.cuMemFree_v2(driver.make("cuMemAlloc_v2", c_size_t(16)))
    end(driver, stream)
    driver.cuThreadExchangeStreamCaptureMode(byref(mode))
    assert mode.value == RELAXED


def test_events_across_the_border(driver, stream):
    event = driver.make("cuEventCreate", 0)
    other = driver.stream()
    driver.cuEventRecord(event, other)
    driver.cuStreamBeginCapture_v2(stream, RELAXED)
    with pytest.raises(CudaError, match="CAPTURE_ISOLATION"):
        driver.cuStreamWaitEvent(stream, event, 0)
    assert invalidated(driver, stream)
    driver.cuStreamBeginCapture_v2(stream, RELAXED)
    driver.cuEventRecord(event, stream)
    with pytest.raises(CudaError, match="CAPTURED_EVENT"):
        driver.cuEventSynchronize(event)
    assert invalidated(driver, stream)


def test_captures_cannot_be_one(driver, stream):
    event = driver.make("cuEventCreate", 0)
    other = driver.stream()
    driver.cuStreamBeginCapture_v2(stream, RELAXED)
    driver.cuStreamBeginCapture_v2(other, RELAXED)
    driver.cuEventRecord(event, stream)
    with pytest.raises(CudaError, match="CAPTURE_MERGE"):
        driver.cuStreamWaitEvent(other, event, 0)
    assert invalidated(driver, stream)
    assert invalidated(driver, other)


def test_ends_where_and_by_whom_it_began(driver, stream):
    event = driver.make("cuEventCreate", 0)
    other = driver.stream()
    errors = []

    def end_it():
        driver.cuCtxSetCurrent(driver.context)
        try:
            end(driver, stream)
        except CudaError as error:
            errors.append(error.name)

    driver.cuStreamBeginCapture_v2(stream, THREAD_LOCAL)
    thread = threading.Thread(target=end_it)
    thread.start()
    thread.join()
    assert errors == ["CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD"]
    driver.cuEventRecord(event, stream)
    driver.cuStreamWaitEvent(other, event, 0)
    with pytest.raises(CudaError, match="CAPTURE_UNMATCHED"):
        end(driver, other)
    assert invalidated(driver, stream)


def test_capture_to_a_graph(driver, increment, numbers, stream):
    """After its nodes, where they are named."""
    graph = driver.make("cuGraphCreate", 0)
    parameters = kernel_parameters(increment, numbers, c_uint(3), block=(4,))
    first = driver.make("cuGraphAddKernelNode_v2", graph, NULL, c_size_t(0), byref(parameters))
    relaxed = c_int(RELAXED)
    one = c_size_t(1)
    driver.cuStreamBeginCaptureToGraph(stream, graph, byref(first), NULL, one, relaxed)
    driver.cuMemsetD32Async(numbers, c_uint(1), c_size_t(4), stream)
    assert end(driver, stream).value == graph.value
    assert count_of(driver, graph) == 2
    roots = c_size_t()
    driver.cuGraphGetRootNodes(graph, NULL, byref(roots))
    assert roots.value == 1
    replay(driver, instantiate(driver, graph), stream)
    np.testing.assert_array_equal(driver.values(numbers, 4), 1)


def test_an_instance_is_alone(driver, stream):
    """Launched in two streams, it runs twice, one time after the other."""
    running, most = [], []

    def run(_):
        running.append(1)
        most.append(len(running))
        threading.Event().wait(0.02)
        running.pop()

    function = HOST_FUNCTION(run)
    driver.cuStreamBeginCapture_v2(stream, RELAXED)
    driver.cuLaunchHostFunc(stream, function, NULL)
    instance = instantiate(driver, end(driver, stream))
    other = driver.stream()
    for _ in range(3):
        driver.cuGraphLaunch(instance, stream)
        driver.cuGraphLaunch(instance, other)
    driver.cuCtxSynchronize()
    assert most == [1] * 6
