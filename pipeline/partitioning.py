"""Which partition a key belongs to: murmur2, as Java's and aiokafka's default partitioner computes it.

Source: Austin Appleby's MurmurHash2, 32 bits, with the seed of Apache Kafka's `Utils.murmur2`.
"""

from functools import lru_cache

_SEED = 0x9747B28C
_M = 0x5BD1E995
_MASK = 0xFFFFFFFF


def murmur2(key: bytes) -> int:
    """The hash as Kafka uses it, its sign bit cleared."""
    length = len(key)
    h = (_SEED ^ length) & _MASK
    whole = length & ~3
    for i in range(0, whole, 4):
        k = int.from_bytes(key[i : i + 4], "little") * _M & _MASK
        k = (k ^ k >> 24) * _M & _MASK
        h = h * _M & _MASK ^ k
    if whole < length:
        h = (h ^ int.from_bytes(key[whole:], "little")) * _M & _MASK
    h = (h ^ h >> 13) * _M & _MASK
    return (h ^ h >> 15) & 0x7FFFFFFF


@lru_cache(maxsize=65_536)  # a customer's key comes again and again, and hashing it costs as much as judging it
def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key among `partitions`."""
    return murmur2(key) % partitions


def belongs_to(key: bytes, partition: int, partitions: int) -> bool:
    """Whether a record of this key may stand on this partition."""
    return partition_of(key, partitions) == partition
