"""`python3 -m issuer`: progress goes to standard error, the section to standard output."""
from __future__ import annotations

import sys

from endtoend.figures import Unusable

from .run import main

try:
    main()
except Unusable as error:
    print("error: %s" % error, file=sys.stderr)
    sys.exit(1)
