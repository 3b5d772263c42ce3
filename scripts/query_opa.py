"""Ask the policy whether the submission may be deployed."""

from ml_compliance.entry_points import query_opa

query_opa()
