"""A packed model as OpenVINO's own graph, with the products that read the same states done as one.

OpenVINO GenAI makes a graph of a GGUF file each time it is opened, one product per matrix of the file. A step that
draws one token for each of a few traces is mostly the price of calling products: queries, keys and values as one, gate
and up as one, leave four of seven in a layer. Their weights are kept as signed integers, which are multiplied without
a zero point. Every number that is computed stays what it was, and the kept graph opens in less than half the time.

The policy draws from such a graph as it is; the critic reads with one whose attention is paged (`reading_graphs`).
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from irl_core.models.backbones import Backbone, load_config
from irl_core.models.cache import cached_folder
from irl_core.models.gguf import Packing, write_gguf
from irl_core.models.merging import merged_weights, policy_sha256

if TYPE_CHECKING:
    import openvino

_VERSION = 3  # count it up when the files' content changes: caches are made anew
GRAPH, WEIGHTS = "openvino_model.xml", "openvino_model.bin"  # the names under which OpenVINO GenAI looks for them
_Q8_0_ZERO = 128


def packed_graph(backbone: Backbone, adapter: Path | None, packing: Packing) -> Path:
    """The folder with the graph of the merged model, from the user's cache or made now (ten to twenty seconds).

    Raises:
        ValueError: if the backbone brings no GGUF whose header could be copied, or the adapter does not fit.
    """
    if backbone.gguf is None:
        raise ValueError(f"{backbone.name!r} brings no GGUF file to copy a header from")
    header = backbone.gguf
    made_from = f"{policy_sha256(backbone, adapter)}, {packing}, version {_VERSION}"

    def make(folder: Path) -> None:
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            file = Path(scratch) / f"model-{packing}.gguf"
            write_gguf(load_config(backbone), merged_weights(backbone, adapter), header, file, packing)
            write_graph(file, folder)

    return cached_folder("graphs", made_from, {GRAPH, WEIGHTS}, make)


def write_graph(file: Path, folder: Path) -> Path:
    """Write the graph of a GGUF file (F16 or Q8_0) into `folder`, which is made; returns `folder`."""
    import openvino
    import openvino_genai

    openvino_genai.LLMPipeline(str(file), "CPU", enable_save_ov_model=True)  # it lays the graph beside the file
    graph = openvino.Core().read_model(file.parent / GRAPH)
    gather_packed_rows(graph)
    join_products(graph)
    folder.mkdir(exist_ok=True)
    openvino.save_model(graph, folder / GRAPH, compress_to_fp16=False)
    return folder


def gather_packed_rows(graph: openvino.Model) -> None:
    """Unpack of the embedding the rows that are asked for, and not all before any is; in place.

    Its matrix, which is often the head's too, would else lie in memory once more in float32: half a gigabyte for the
    vocabulary of Qwen2.
    """
    import openvino.opset13 as op

    axis = op.constant(np.int64(0))
    for gather in graph.get_ordered_ops():
        if gather.get_type_name() != "Gather" or not (packed := _constants(gather.input_value(0).get_node())):
            continue
        rows = [op.convert(op.gather(op.constant(part), gather.input_value(1), axis), "f32") for part in packed]
        states = rows[0]
        if len(rows) > 1:
            like_ids_and_width = op.constant(np.array([0, 0, -1], dtype=np.int64))
            states = op.reshape(op.multiply(*rows), like_ids_and_width, True)
        gather.output(0).replace(states.output(0))


def join_products(graph: openvino.Model) -> None:
    """Make one product of all that multiply the same states with weights of the file; in place."""
    import openvino.opset13 as op

    by_states = defaultdict(list)
    for product in graph.get_ordered_ops():
        if product.get_type_name() == "MatMul" and _constants(product.input_value(1).get_node()):
            states = product.input_value(0)
            by_states[states.get_node().get_friendly_name(), states.get_index()].append(product)
    for products in by_states.values():
        weights = [_constants(product.input_value(1).get_node()) for product in products]
        joined = op.matmul(products[0].input_value(0), _stacked(weights), False, True)
        rows = op.constant(np.array([len(matrix[0]) for matrix in weights], dtype=np.int64))
        parts = op.variadic_split(joined, op.constant(np.int64(-1)), rows)
        for product, part in zip(products, parts.outputs(), strict=True):
            product.output(0).replace(part)


class ReadingGraphs(NamedTuple):
    """A language model as a critic reads it, in two halves on the same weights.

    `body` gives last hidden states (N, d). Its attention is paged: each sequence attends with the rows of
    `rows_attending`, in order, where one row may stand for a token of several sequences; `row_of_each` (N,) says which
    of them goes on. `head` gives the log-probabilities (M,) of `ids` (M,) after `states` (M, d).
    """

    body: openvino.Model
    head: openvino.Model


def reading_graphs(graph: openvino.Model) -> ReadingGraphs:
    """Both halves of a graph that `packed_graph` wrote; the graph itself is used up."""
    import openvino
    import openvino.opset13 as op
    from openvino._offline_transformations import paged_attention_transformation

    paged_attention_transformation(graph)
    attending, of_each = _indices("rows_attending"), _indices("row_of_each")
    rows = op.constant(np.int64(0))
    for node in graph.get_ordered_ops():
        if node.get_type_name() == "PagedAttentionExtension":
            for i in range(3):  # queries, keys, values
                given = op.gather(node.input_value(i), attending, rows)
                node.input(i).replace_source_output(given.output(0))
            readers = list(node.output(0).get_target_inputs())
            attended = op.gather(node.output(0), of_each, rows)
            for reader in readers:
                reader.replace_source_output(attended.output(0))
    product = graph.outputs[0].get_node()
    while product.get_type_name() != "MatMul":
        product = product.input_value(0).get_node()
    states = op.squeeze(product.input_value(0), op.constant(np.int64(1)))
    body = openvino.Model([op.result(states)], [*graph.get_parameters(), attending, of_each], "reading")
    return ReadingGraphs(body, _head(product.input_value(1)))


def _head(matrix: openvino.Output) -> openvino.Model:
    """Log-probabilities of ids after states, by the (vocabulary, d) matrix of a graph's last product."""
    import openvino
    import openvino.opset13 as op

    states = op.parameter([-1, matrix.get_partial_shape()[1].get_length()], openvino.Type.f32, name="states")
    ids = _indices("ids")
    logprobs = op.log_softmax(op.matmul(states, matrix, False, True), -1)
    last, of_ids = op.constant(np.int64(1)), op.unsqueeze(ids, op.constant(np.int64(1)))
    chosen = op.squeeze(op.gather_elements(logprobs, of_ids, 1), last)
    states.output(0).set_names({"states"})
    return openvino.Model([op.result(chosen)], [states, ids], "head")


def _indices(name: str) -> openvino.Node:
    import openvino
    import openvino.opset13 as op

    node = op.parameter([-1], openvino.Type.i32)
    node.output(0).set_names({name})
    return node


def _constants(node: openvino.Node) -> Sequence[np.ndarray]:
    """What a product's weights are made of: (matrix,) in half precision, (integers, scales) by groups of 32.

    Empty where they are none, as for the angles of the rotary embedding.

    Raises:
        ValueError: for weights that are packed in another way.
    """
    constants = [leaf.data for leaf in _leaves(node)] if node.get_type_name() in ("Convert", "Reshape") else []
    match constants:
        case [matrix] if matrix.dtype == np.float16:
            return [matrix]
        case [packed, zero, scales, *_] if packed.dtype == np.uint8:
            # A group of nothing but zeros has the scale 0, and then OpenVINO writes 0 for its zero point too.
            if ((zero != _Q8_0_ZERO) & (scales != 0)).any():
                raise ValueError("the graph's weights are neither F16 nor Q8_0")
            return [(packed ^ _Q8_0_ZERO).view(np.int8), scales]
    return []


def _leaves(node: openvino.Node) -> Iterator[openvino.Node]:
    """The constants that a node is computed from, in order."""
    if node.get_type_name() == "Constant":
        yield node
    for value in node.input_values():
        yield from _leaves(value.get_node())


def _stacked(weights: Sequence[Sequence[np.ndarray]]) -> openvino.Node:
    """The float32 matrix of all rows, out of the constants that it is packed in."""
    import openvino.opset13 as op

    packed, *scales = (np.concatenate(part) for part in zip(*weights, strict=True))
    matrix = op.constant(packed)
    if scales:
        grouped = op.multiply(op.convert(matrix, "f16"), op.constant(scales[0]))
        matrix = op.reshape(grouped, op.constant(np.array([len(packed), -1], dtype=np.int64)), False)
    return op.convert(matrix, "f32")
