"""The third room: policy engines, one module each, and the decision that is made of their answer."""

from ml_compliance.decide._contract import Answer, Request
from ml_compliance.decide._decide import decide, not_evaluated

__all__ = ["Answer", "Request", "decide", "not_evaluated"]
