"""External programs: which versions, from where, and the digests that they are verified by."""

from ml_compliance.tools._find import find, sha256
from ml_compliance.tools._install import install
from ml_compliance.tools._lock import lock, pinned, read_lock

__all__ = ["find", "install", "lock", "pinned", "read_lock", "sha256"]
