"""Products that read the same states are done as one, and every number stays what it was."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

pytest.importorskip("openvino")
import openvino
import openvino.opset13 as op

from irl_core.models.openvino_graphs import join_products

RNG = np.random.default_rng(0)
STATES, ROWS = 64, (48, 16, 16)


def _f16(rows: int) -> openvino.Node:
    return op.convert(op.constant(RNG.normal(size=(rows, STATES)).astype(np.float16)), "f32")


def _q8_0(rows: int, zero: int = 128, first_group_is_zero: bool = False) -> openvino.Node:
    """As OpenVINO GenAI reads Q8_0: bytes less a zero point, times a scale for every 32.

    Of a group of zeros it makes the bytes 128, the scale 0 and, dividing by that, the zero point 0.
    """
    packed = RNG.integers(0, 256, (rows, STATES // 32, 32)).astype(np.uint8)
    offset = np.full((rows, STATES // 32, 1), zero, dtype=np.uint8)
    scales = RNG.uniform(0.001, 0.01, (rows, STATES // 32, 1)).astype(np.float16)
    if first_group_is_zero:
        packed[0, 0], offset[0, 0], scales[0, 0] = 128, 0, 0
    integers = op.subtract(op.convert(op.constant(packed), "f16"), op.convert(op.constant(offset), "f16"))
    grouped = op.multiply(integers, op.constant(scales))
    return op.convert(op.reshape(grouped, op.constant(np.array([rows, STATES])), False), "f32")


def _graph(weights: list[openvino.Node]) -> openvino.Model:
    """Each matrix times the same states, and the states times something that is no weight."""
    states = op.parameter([-1, STATES], openvino.Type.f32)
    shared = op.relu(states)
    products = [op.matmul(shared, matrix, False, True) for matrix in weights]
    gram = op.matmul(shared, op.relu(shared), False, True)
    return openvino.Model([op.result(node) for node in (*products, gram)], [states], "layer")


def _computed(graph: openvino.Model, states: np.ndarray) -> list[np.ndarray]:
    exact = {"INFERENCE_PRECISION_HINT": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0"}
    return list(openvino.Core().compile_model(graph, "CPU", exact)([states]).values())


def _products(graph: openvino.Model) -> int:
    return sum(node.get_type_name() == "MatMul" for node in graph.get_ordered_ops())


@pytest.mark.parametrize("matrix", [_f16, _q8_0, partial(_q8_0, first_group_is_zero=True)])
def test_three_products_of_the_same_states_become_one_that_computes_the_same(
    matrix: Callable[[int], openvino.Node],
) -> None:
    states = RNG.normal(size=(5, STATES)).astype(np.float32)
    graph = _graph([matrix(rows) for rows in ROWS])
    before = _computed(graph, states)
    assert _products(graph) == len(ROWS) + 1
    join_products(graph)
    assert _products(graph) == 2, "one of weights, one of states"
    for now, then in zip(_computed(graph, states), before, strict=True):
        np.testing.assert_allclose(now, then, rtol=1e-5, atol=1e-5)


def test_a_product_that_reads_its_states_alone_computes_the_same_without_a_zero_point() -> None:
    states = RNG.normal(size=(5, STATES)).astype(np.float32)
    graph = _graph([_q8_0(16)])
    before = _computed(graph, states)
    join_products(graph)
    assert not any(node.get_type_name() == "Subtract" for node in graph.get_ordered_ops())
    for now, then in zip(_computed(graph, states), before, strict=True):
        np.testing.assert_allclose(now, then, rtol=1e-5, atol=1e-5)


def test_weights_packed_around_another_zero_are_refused() -> None:
    with pytest.raises(ValueError, match="neither F16 nor Q8_0"):
        join_products(_graph([_q8_0(16, zero=120), _q8_0(16, zero=120)]))
