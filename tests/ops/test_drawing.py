"""Every operation can be drawn: name, equation and the names of its inputs come from the card alone."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad.graph import trace
from minigrad.testing.card import cases, few_examples
from minigrad.testing.cards import CARDS
from minigrad.tools.draw import to_dot

DRAWN = [card for card in CARDS if card.differentiable and card.op is card.primitive]
STRING = r'"(?:[^"\\]|\\.)*"|<(?:[^<>]|<[^<>]*>)*>'  # a quoted text, or a label in markup


@pytest.mark.parametrize("card", DRAWN, ids=str)
@few_examples
@given(data=st.data())
def test_an_operation_is_drawn_under_its_name_with_its_inputs(card, data):
    case = data.draw(cases(card))
    tensors = case.tensors()
    names = {f"leaf <{i}>": tensors[i] for i in case.differentiable}
    outputs = [output for output in case.run(tensors) if output.requires_grad]
    graph = trace(*outputs, names=names)
    (node,) = [node for node in graph.nodes if node.kind == "op"]
    assert node.label == card.primitive.name
    assert node.tooltip == card.primitive.__doc__.splitlines()[0]
    labels = [edge.label for edge in graph.edges if graph.nodes[edge.source].label.startswith("leaf")]
    assert labels == [card.primitive.inputs[i] for i in case.differentiable]

    text = to_dot(graph)
    bare = re.sub(STRING, "", text)
    assert text.startswith("digraph")
    assert card.primitive.name in text
    assert bare.count("{") == bare.count("}")
    assert not set('<>"\\') & set(bare.replace("->", ""))
