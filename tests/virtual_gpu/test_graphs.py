"""Graphs that are made node by node, and what becomes of them."""

import struct
from ctypes import Structure, byref, c_size_t, c_uint, c_uint64, c_void_p

import numpy as np
import pytest
from cuda_driver import (
    NULL,
    CudaError,
    complaint_of,
    count_of,
    instantiate,
    kernel_parameters,
    replay,
)


class Memset(Structure):
    _fields_ = [
        ("to", c_void_p),
        ("pitch", c_size_t),
        ("value", c_uint),
        ("element", c_uint),
        ("width", c_size_t),
        ("height", c_size_t),
    ]


def chain(driver, function, numbers, *steps):
    """A graph whose nodes each add one of the steps, and the nodes."""
    graph = driver.make("cuGraphCreate", 0)
    nodes = []
    for by in steps:
        parameters = kernel_parameters(function, numbers, c_uint(by), block=(4,))
        before = (c_void_p * len(nodes))(*nodes)
        count = c_size_t(len(nodes))
        nodes.append(
            driver.make("cuGraphAddKernelNode_v2", graph, before, count, byref(parameters))
        )
    return graph, nodes


def test_parameters_are_replaced(driver, increment, numbers, stream):
    graph, nodes = chain(driver, increment, numbers, 1, 10)
    instance = instantiate(driver, graph)
    replay(driver, instance, stream)
    changed = kernel_parameters(increment, numbers, c_uint(100), block=(4,))
    driver.cuGraphExecKernelNodeSetParams_v2(instance, nodes[1], byref(changed))
    replay(driver, instance, stream)
    np.testing.assert_array_equal(driver.values(numbers, 4), 11 + 101)
    memset = Memset(numbers, 0, 1, 4, 4, 1)
    with pytest.raises(CudaError, match="INVALID_VALUE"):
        driver.cuGraphExecMemsetNodeSetParams(instance, nodes[1], byref(memset), driver.context)
    other, _ = chain(driver, increment, numbers, 1000, 2000)
    result = (c_uint64 * 4)()
    driver.cuGraphExecUpdate_v2(instance, other, byref(result))
    replay(driver, instance, stream)
    np.testing.assert_array_equal(driver.values(numbers, 4), 112 + 3000)
    longer, _ = chain(driver, increment, numbers, 1, 1, 1)
    with pytest.raises(CudaError, match="UPDATE_FAILURE"):
        driver.cuGraphExecUpdate_v2(instance, longer, byref(result))


def test_graph_in_a_graph(driver, increment, numbers, stream):
    """It is a copy; its own nodes, and all of it, are replaced in an instance."""
    inner, _ = chain(driver, increment, numbers, 1, 10)
    graph = driver.make("cuGraphCreate", 0)
    node = driver.make("cuGraphAddChildGraphNode", graph, NULL, c_size_t(0), inner)
    driver.cuGraphDestroy(inner)
    child = c_void_p()
    driver.cuGraphChildGraphNodeGetGraph(node, byref(child))
    assert count_of(driver, child) == 2
    instance = instantiate(driver, graph)
    replay(driver, instance, stream)
    np.testing.assert_array_equal(driver.values(numbers, 4), 11)
    nodes, count = (c_void_p * 2)(), c_size_t(2)
    driver.cuGraphGetNodes(child, nodes, byref(count))
    changed = kernel_parameters(increment, numbers, c_uint(100), block=(4,))
    driver.cuGraphExecKernelNodeSetParams_v2(instance, c_void_p(nodes[0]), byref(changed))
    replay(driver, instance, stream)
    np.testing.assert_array_equal(driver.values(numbers, 4), 11 + 110)
    other, _ = chain(driver, increment, numbers, 1000)
    driver.cuGraphExecChildGraphNodeSetParams(instance, node, other)
    replay(driver, instance, stream)
    np.testing.assert_array_equal(driver.values(numbers, 4), 121 + 1000)


def node_parameters(kind, *fields):
    """CUgraphNodeParams, whose fields depend on the kind."""
    packed = struct.pack("4i", kind, 0, 0, 0) + struct.pack(
        "=" + "".join(fields[::2]), *fields[1::2]
    )
    return packed + bytes(256 - len(packed))


def test_nodes_of_any_kind(driver, increment, numbers, stream):
    """One entry point adds them all; a graph that is moved into another keeps its nodes."""
    inner, nodes = chain(driver, increment, numbers, 1)
    graph = driver.make("cuGraphCreate", 0)
    memset = node_parameters(2, "Q", numbers.value, "Q", 0, "I", 7, "I", 4, "Q", 4, "Q", 1)
    none = c_size_t(0)
    node = driver.make("cuGraphAddNode_v2", graph, NULL, NULL, none, memset)
    moved = node_parameters(4, "Q", inner.value, "i", 1)
    driver.make("cuGraphAddNode_v2", graph, byref(node), NULL, c_size_t(1), moved)
    instance = instantiate(driver, graph)
    replay(driver, instance, stream)
    np.testing.assert_array_equal(driver.values(numbers, 4), 8)
    changed = kernel_parameters(increment, numbers, c_uint(100), block=(4,))
    driver.cuGraphExecKernelNodeSetParams_v2(instance, nodes[0], byref(changed))
    replay(driver, instance, stream)
    np.testing.assert_array_equal(driver.values(numbers, 4), 107)
    conditional = node_parameters(13)
    with pytest.raises(CudaError, match="NOT_SUPPORTED"):
        driver.make("cuGraphAddNode_v2", graph, NULL, NULL, none, conditional)
    assert complaint_of("nodes of the type 13")


def test_nodes_without_order_come_in_any(driver, numbers, stream):
    """Who forgets a dependency finds out: here three memsets of the same memory."""
    graph = driver.make("cuGraphCreate", 0)
    for value in range(3):
        memset = Memset(numbers, 0, value, 4, 4, 1)
        none = c_size_t(0)
        driver.make("cuGraphAddMemsetNode", graph, NULL, none, byref(memset), driver.context)
    instance = instantiate(driver, graph)
    seen = set()
    for _ in range(60):
        replay(driver, instance, stream)
        seen.add(int(driver.values(numbers, 4)[0]))
    assert seen == {0, 1, 2}
