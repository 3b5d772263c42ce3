"""External programs: which versions, from where, and the digests that they are verified by."""

from ml_compliance.tools._find import find, sha256, verified
from ml_compliance.tools._install import install
from ml_compliance.tools._lock import pinned, read_lock
from ml_compliance.tools._pin import lock
from ml_compliance.tools._present import Found, found, present

__all__ = ["Found", "find", "found", "install", "lock", "pinned", "present", "read_lock", "sha256", "verified"]
