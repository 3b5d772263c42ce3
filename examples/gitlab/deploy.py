"""Deploy what the gate has judged and allowed, and nothing else; and record who said yes.

The verdict comes from the gate's dotenv report, the decision from its artifacts: both must name the same decision.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

decision = json.loads(Path("ml-compliance-out/decision.json").read_text(encoding="utf-8"))
if os.environ.get("ML_COMPLIANCE_VERDICT") != "allowed" or decision["verdict"] != "allowed":
    sys.exit("the policy did not allow this model")
if os.environ.get("ML_COMPLIANCE_DECISION_ID") != decision["id"]:
    sys.exit("the decision in the artifacts is not that of this pipeline")

approval = {
    "decision": decision["id"],
    "input": decision["input_digest"],
    "approver": os.environ["GITLAB_USER_LOGIN"],
    "job": os.environ["CI_JOB_URL"],
    "time": os.environ.get("CI_JOB_STARTED_AT", ""),
}
Path("approval.json").write_text(json.dumps(approval, indent=2) + "\n", encoding="utf-8")
sys.stdout.write(f"{approval['approver']} released {approval['decision']}\n")
# Your deployment begins here: it takes the folder model/, whose digests stand in the evidence of this decision.
