"""Take over the result of a run that nobody vouches for, such as one of a fork."""

from ml_compliance.entry_points import accept_result

accept_result()
