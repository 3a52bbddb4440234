"""`python3 -m endtoend`: the whole benchmark. Progress goes to standard error, the document to standard output."""
from __future__ import annotations

import sys

from .figures import Unusable
from .run import main

try:
    main()
except Unusable as error:
    print("error: %s" % error, file=sys.stderr)
    sys.exit(1)
