from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consigne.rules.evidence import merkle
from consigne.rules.evidence.errors import Malformed
from consigne.rules.evidence.merkle import (
    Frontier,
    consistency_proof,
    hash_leaf,
    hash_node,
    inclusion_proof,
    inclusion_proofs,
    verify_consistency,
    verify_inclusion,
)

from .vectors import CONSISTENCIES, INCLUSIONS, LEAVES, ROOTS

HASHES = [hash_leaf(leaf) for leaf in LEAVES]
MANY = [hash_leaf(number.to_bytes(4, "big")) for number in range(130)]
SIZES = st.integers(1, 130)


def root(size: int) -> bytes:
    return define_root(MANY[:size])


def define_root(hashes: list[bytes]) -> bytes:
    """RFC 6962's definition, as it stands there."""
    if len(hashes) < 2:
        return hashes[0] if hashes else merkle.EMPTY_ROOT
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return hash_node(define_root(hashes[:split]), define_root(hashes[split:]))


@pytest.mark.promise("P7")
@pytest.mark.parametrize("size", range(9))
def test_roots_of_the_reference_tree(size: int) -> None:
    assert merkle.root(HASHES[:size]).hex() == ROOTS[size]


@pytest.mark.parametrize(("place", "path"), INCLUSIONS.items())
def test_inclusion_proofs_of_the_reference_tree(place: tuple[int, int], path: list[str]) -> None:
    index, size = place
    nodes = [bytes.fromhex(node) for node in path]
    assert inclusion_proof(HASHES[:size], index) == nodes
    assert verify_inclusion(HASHES[index], index, size, nodes, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("sizes", "path"), CONSISTENCIES.items())
def test_consistency_proofs_of_the_reference_tree(sizes: tuple[int, int], path: list[str]) -> None:
    nodes = [bytes.fromhex(node) for node in path]
    assert consistency_proof(HASHES, *sizes) == nodes
    old, new = (bytes.fromhex(ROOTS[size]) for size in sizes)
    assert verify_consistency(*sizes, nodes, old, new)


@given(st.lists(st.integers(0, 40), max_size=5))
def test_a_frontier_grows_to_the_root_that_rfc_6962_defines(steps: list[int]) -> None:
    frontier, size = Frontier(), 0
    for step in steps:
        frontier = Frontier.from_bytes(frontier.extend(MANY[size % 80 : size % 80 + step]).to_bytes())
        size += step
    leaves, size = [], 0
    for step in steps:
        leaves += MANY[size % 80 : size % 80 + step]
        size += step
    assert (frontier.size, frontier.root()) == (len(leaves), define_root(leaves))


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 7, b"\0" * 7 + b"\1", b"\0" * 40, b"\0" * 7 + b"\3" + b"x" * 63]
)
def test_a_broken_frontier_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        Frontier.from_bytes(data)


@given(SIZES, st.data())
def test_an_inclusion_proof_holds_for_its_place_alone(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_proof(MANY[:size], index)
    assert inclusion_proofs(MANY[:size], range(size))[index] == path
    assert verify_inclusion(MANY[index], index, size, path, root(size))
    other = data.draw(st.integers(-1, size))
    if other != index:
        assert not verify_inclusion(MANY[index], other, size, path, root(size))
    assert not verify_inclusion(hash_leaf(b"other"), index, size, path, root(size))
    assert not verify_inclusion(MANY[index], index, size, path, hash_leaf(b"other"))
    assert not verify_inclusion(MANY[index], index, size, [*path, MANY[0]], root(size))
    for cut in range(len(path)):
        assert not verify_inclusion(MANY[index], index, size, path[:cut] + path[cut + 1 :], root(size))
        changed = [*path[:cut], hash_leaf(path[cut]), *path[cut + 1 :]]
        assert not verify_inclusion(MANY[index], index, size, changed, root(size))


@given(SIZES, st.data())
def test_a_consistency_proof_holds_for_its_two_trees_alone(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(0, new))
    path = consistency_proof(MANY, old, new)
    old_root = root(old) if old else merkle.EMPTY_ROOT
    assert verify_consistency(old, new, path, old_root, root(new))
    assert not verify_consistency(old, new, path, hash_leaf(b"other"), root(new))
    assert not verify_consistency(old, new, [*path, MANY[0]], old_root, root(new))
    if 0 < old < new:
        assert not verify_consistency(old, new, path, old_root, hash_leaf(b"other"))
        rewritten = define_root([hash_leaf(b"other"), *MANY[1:new]])
        assert not verify_consistency(old, new, path, old_root, rewritten)
    for cut in range(len(path)):
        assert not verify_consistency(old, new, path[:cut] + path[cut + 1 :], old_root, root(new))


@pytest.mark.promise("P7")
def test_a_tree_is_not_a_larger_one_with_its_root() -> None:
    assert not verify_consistency(4, 8, [], root(4), root(4))
    assert not verify_inclusion(MANY[0], 0, 2, [], MANY[0])


def test_places_outside_the_tree_are_refused() -> None:
    for index in (-1, 3):
        with pytest.raises(Malformed):
            inclusion_proof(MANY[:3], index)
    for sizes in ((2, 1), (-1, 2), (1, 131)):
        with pytest.raises(Malformed):
            consistency_proof(MANY, *sizes)
    assert not verify_inclusion(MANY[0], 0, 0, [], merkle.EMPTY_ROOT)
    assert not verify_consistency(3, 2, [], root(3), root(2))
    assert not verify_inclusion(MANY[0], 0, 2, [MANY[1][:31]], hash_node(MANY[0], MANY[1][:31]))


def test_leaves_and_nodes_are_hashed_apart() -> None:
    assert hash_leaf(MANY[0] + MANY[1]) != hash_node(MANY[0], MANY[1])
