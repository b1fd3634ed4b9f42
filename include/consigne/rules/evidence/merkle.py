"""Merkle tree of RFC 6962, section 2.1, over SHA-256; checks as in RFC 9162, sections 2.1.3.2 and 2.1.4.2.

Functions take *leaf hashes*: `hash_leaf` of what the tree holds (here always 32 bytes, an entry's leaf or a
certificate body's digest).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from consigne.rules.evidence.errors import Malformed

EMPTY_ROOT = sha256(b"").digest()
HASH_BYTES = 32


def hash_leaf(data: bytes) -> bytes:
    """SHA-256(0x00 ‖ data)."""
    return sha256(b"\x00" + data).digest()


def hash_node(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """What is needed of a tree to let it grow: the roots of its perfect subtrees, the largest first.
    There is one for each bit that is set in `size`."""

    size: int = 0
    nodes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.nodes) != self.size.bit_count():
            raise Malformed("bad_frontier")
        if any(len(node) != HASH_BYTES for node in self.nodes):
            raise Malformed("bad_frontier")

    def extend(self, leaf_hashes: Iterable[bytes]) -> Frontier:
        """The frontier after these leaf hashes, in order."""
        row, old, kept = list(leaf_hashes), list(self.nodes), []
        size, bits = self.size + len(row), self.size
        while row:  # level by level: pairs move up, what has no right neighbour yet is kept
            if bits & 1:
                row = [old.pop(), *row]
            if len(row) & 1:
                kept.append(row.pop())
            pairs = iter(row)
            row = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
            bits >>= 1
        return Frontier(size, (*old, *reversed(kept)))

    def root(self) -> bytes:
        """The tree's root; SHA-256 of nothing where it is empty."""
        if not self.nodes:
            return EMPTY_ROOT
        carry = self.nodes[-1]
        for node in reversed(self.nodes[:-1]):
            carry = hash_node(node, carry)
        return carry

    def to_bytes(self) -> bytes:
        """size (8 bytes, big-endian) ‖ nodes (32 bytes each)."""
        return self.size.to_bytes(8, "big") + b"".join(self.nodes)

    @classmethod
    def from_bytes(cls, data: bytes) -> Frontier:
        """The inverse of `to_bytes`; Malformed where the lengths do not fit."""
        if len(data) < 8:
            raise Malformed("bad_frontier")
        nodes = tuple(data[at : at + HASH_BYTES] for at in range(8, len(data), HASH_BYTES))
        return cls(int.from_bytes(data[:8], "big"), nodes)


def root(leaf_hashes: Iterable[bytes]) -> bytes:
    """MTH of RFC 6962."""
    return Frontier().extend(leaf_hashes).root()


def inclusion_proofs(leaf_hashes: Sequence[bytes], indices: Iterable[int]) -> list[list[bytes]]:
    """PATH of RFC 6962 for each of these leaves (0-based), in one pass over the tree."""
    levels = _build_levels(leaf_hashes)
    return [_find_path(levels, index) for index in indices]


def inclusion_proof(leaf_hashes: Sequence[bytes], index: int) -> list[bytes]:
    """PATH of RFC 6962 for one leaf."""
    return inclusion_proofs(leaf_hashes, [index])[0]


def verify_inclusion(leaf_hash: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the leaf is number `index` (0-based) of the tree with this size and root."""
    if not 0 <= index < size or any(len(node) != HASH_BYTES for node in path):
        return False
    carry, last = leaf_hash, size - 1
    for node in path:
        if last == 0:
            return False
        if index & 1 or index == last:
            carry = hash_node(node, carry)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            carry = hash_node(carry, node)
        index, last = index >> 1, last >> 1
    return last == 0 and carry == root


def consistency_proof(leaf_hashes: Sequence[bytes], old_size: int, new_size: int) -> list[bytes]:
    """PROOF(old_size, D[new_size]) of RFC 6962; empty from the empty tree and between equal sizes."""
    if not 0 <= old_size <= new_size <= len(leaf_hashes):
        raise Malformed("bad_size")
    if old_size in (0, new_size):
        return []
    return _prove_prefix(leaf_hashes, 0, new_size, old_size, whole=True)


def verify_consistency(
    old_size: int, new_size: int, path: Sequence[bytes], old_root: bytes, new_root: bytes
) -> bool:
    """Whether the older tree is the beginning of the newer one."""
    if not 0 <= old_size <= new_size or any(len(node) != HASH_BYTES for node in path):
        return False
    if old_size == new_size:
        return not path and old_root == new_root
    if old_size == 0:
        return not path and old_root == EMPTY_ROOT
    nodes = [old_root, *path] if old_size.bit_count() == 1 else list(path)
    return bool(nodes) and _joins(nodes, old_size - 1, new_size - 1, old_root, new_root)


def _joins(nodes: list[bytes], old: int, new: int, old_root: bytes, new_root: bytes) -> bool:
    while old & 1:
        old, new = old >> 1, new >> 1
    old_carry = new_carry = nodes[0]
    for node in nodes[1:]:
        if new == 0:
            return False
        if old & 1 or old == new:
            old_carry, new_carry = hash_node(node, old_carry), hash_node(node, new_carry)
            while not old & 1 and old:
                old, new = old >> 1, new >> 1
        else:
            new_carry = hash_node(new_carry, node)
        old, new = old >> 1, new >> 1
    return new == 0 and old_carry == old_root and new_carry == new_root


def _build_levels(leaf_hashes: Sequence[bytes]) -> list[list[bytes]]:
    """Level by level; a node without a right neighbour moves up as it is, which gives RFC 6962's shape."""
    levels = [list(leaf_hashes)]
    while len(row := levels[-1]) > 1:
        above = [hash_node(row[at], row[at + 1]) for at in range(0, len(row) - 1, 2)]
        levels.append(above + row[len(row) & ~1 :])
    return levels


def _find_path(levels: list[list[bytes]], index: int) -> list[bytes]:
    if not 0 <= index < len(levels[0]):
        raise Malformed("bad_index")
    path = []
    for row in levels:
        if (index ^ 1) < len(row):
            path.append(row[index ^ 1])
        index >>= 1
    return path


def _prove_prefix(hashes: Sequence[bytes], start: int, end: int, old: int, *, whole: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962 over hashes[start:end]; `whole` while the old tree is complete in itself."""
    if old == end - start:
        return [] if whole else [root(hashes[start:end])]
    split = start + (1 << (end - start - 1).bit_length() - 1)
    if old <= split - start:
        return [*_prove_prefix(hashes, start, split, old, whole=whole), root(hashes[split:end])]
    rest = _prove_prefix(hashes, split, end, old - (split - start), whole=False)
    return [*rest, root(hashes[start:split])]
