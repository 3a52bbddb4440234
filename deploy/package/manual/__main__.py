"""python3 -m manual PROGRAMS OUTPUT [DATE]: postern.1, postern-issuer.1 and proxy.yaml.5 into the folder OUTPUT, from the built programs in
the folder PROGRAMS. DATE is YYYY-MM-DD, today if it is not given."""
from __future__ import annotations

import datetime
import pathlib
import sys

from .commands import manual
from .reference import reference


def main():
    if len(sys.argv) not in (3, 4):
        raise SystemExit(__doc__)
    programs, output = map(pathlib.Path, sys.argv[1:3])
    date = sys.argv[3] if len(sys.argv) == 4 else datetime.date.today().isoformat()
    output.mkdir(parents=True, exist_ok=True)
    for program in ("postern", "postern-issuer"):
        name, text = manual(programs / program, date)
        (output / (name + ".1")).write_text(text, encoding="utf-8")
    (output / "proxy.yaml.5").write_text(reference(programs / "postern", date), encoding="utf-8")


if __name__ == "__main__":
    main()
