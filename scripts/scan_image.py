"""Scan and judge the image that compliance.yaml names."""

from ml_compliance.entry_points import scan_image

scan_image()
