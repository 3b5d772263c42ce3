"""Judge the data that compliance.yaml names."""

from ml_compliance.entry_points import validate_data

validate_data()
