"""ml-compliance: no machine-learning model reaches production without proof."""

__version__ = "0.1.0"
