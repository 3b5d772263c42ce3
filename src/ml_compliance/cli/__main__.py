"""`python -m ml_compliance.cli`."""

from ml_compliance.cli import main

main()
