"""The checksum of a piece of an upload."""

from zlib import crc32


def chunk_checksum(content_id: str, number: int, data: bytes) -> int:
    """Return it: over its bytes, and over where they belong."""
    return crc32(data, crc32(f"{content_id}:{number}".encode()))
