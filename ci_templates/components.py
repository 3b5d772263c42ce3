"""Lay the templates out as CI/CD components of a release: `python ci_templates/components.py WHEEL FOLDER`.

FOLDER becomes what GitLab reads: `templates/NAME/template.yml`. Each names the sha256 of the wheel, so that a pipeline
which includes a component at a tag installs that file and no other.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

_UNSET = "must have. A component that was released names it.\n      default: "


def main(wheel: Path, folder: Path) -> None:
    """Write the components. Raises ValueError when the wheel is of another version than a template."""
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    version = wheel.name.split("-")[1]
    for source in sorted(Path(__file__).parent.glob("*.yml")):
        text = source.read_text(encoding="utf-8")
        if f"\n      default: {version}\n" not in text or text.count(f'{_UNSET}""') != 1:
            raise ValueError(f"{source.name}: the template is not of version {version}, or names a wheel already")
        target = folder / "templates" / source.stem / "template.yml"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.replace(f'{_UNSET}""', f'{_UNSET}"{sha256}"'), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
