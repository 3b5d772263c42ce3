"""Judge a model: compliance_gateway.py --model-uri URI --threshold 0.05"""

from ml_compliance.entry_points import compliance_gateway

compliance_gateway()
