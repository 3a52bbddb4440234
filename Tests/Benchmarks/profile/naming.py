"""Which stage of a request a function belongs to, by its name as `swift demangle --compact` gives it."""
from __future__ import annotations

import re
import subprocess

# The rows of the table, about in the order of a request. A pattern is matched against the beginning of what the source
# declares (`PosternCore.HeadScanner.scan(…)`); the first that matches counts, so the narrower ones come first. What no
# pattern takes (the Swift and C libraries, containers, copies that the compiler makes) is a helper of its callers.
STAGES = (
    ("NIO read", r"NIOPosix\.(?:(?:Base\w+|Socket|SocketProtocol)\.(?:readFromSocket|read\(pointer)|(?:Posix|System)\.read)"
                 r"|NIOCore\.\w*Recv\w*Buffer\w+"),
    ("NIO event loop", r"NIOPosix\.|NIOCore\.(?!ByteBuffer|NIOAny|IOData|CircularBuffer)|_?NIO(?!Core|Posix)\w+\."),
    ("head scan", r"PosternCore\.(?:Head\w+|RequestHead|Response\w+|FieldName|Method|HTTPProblem|isHostAndPort"
                  r"|Authority)\b"),
    ("target and route", r"PosternCore\.(?:CheckedTarget|Target\w+|Route(?:Table|Match|Pattern)\w*|SegmentScan|Captures)\b"),
    ("credential and cache", r"PosternCore\.(?:Credential|BearerToken|AccessTokenParameter|Token(?:Table|Cache)|KeyedHash"
                             r"|VerifiedToken)\b"),
    ("token parsing", r"PosternCore\.(?:CompactToken|JSON\w*|Base64URL|Claim(?:Rules|Map|Selector)|IssuerRules|Principal"
                      r"|LocalValidation|Validation|KeySet|VerificationKey|SignatureAlgorithm|TokenProblem)\b"
                      r"|PosternProxy\.(?:TokenVerification|LocalIssuer)\b"),
    ("signature", r"PosternCrypto\."),
    ("policy", r"PosternCore\.(?:Policy\w*|Permit|Denial\w*|Decision|Requirement|Compiled\w+|Claim\w+|ConditionSet|Access"
               r"|Standing|BoundTexts)\b"),
    ("identity and upstream head", r"PosternCore\.(?:UpstreamHead|ClientFacts|Identi\w+|Intake\.compose)\b"),
    ("pool", r"PosternCore\.UpstreamPool\b|PosternProxy\.(?:LoopPool|UpstreamTarget)\b"),
    ("response head", r"PosternCore\.DownstreamHead\b"),
    ("write", r"PosternProxy\.(?:LoopConnection|SocketSend)\b"),
    ("metrics", r"PosternProxy\.(?:LoopMetrics|CounterTable|Histogram|RouteLabels|MetricsText)\b"),
    ("access log", r"PosternProxy\.(?:AccessLog\w*|JSON\w+|LogSink)\b"),
    ("exchange and handlers", r"Postern(?:Core\.(?:Exchange|Intake|Gate|Route\w+|Refusal\w*|Answer|DeadlineWheel|Body\w+"
                              r"|ChunkEncoder)\b|Proxy\.)"),
)

# What the runtime does on its own account, whoever it is for: shown beside the stages, too.
COUNTING = "reference counting"
EXCLUSIVITY = "exclusivity checks"
ASPECTS = (
    (COUNTING, r"_?swift_(?:\w*[rR]etain|\w*[rR]elease|isUniquelyReferenced)|swift::(?:RefCount|HeapObjectSideTable)"),
    (EXCLUSIVITY, r"swift_(?:begin|end)Access|swift::runtime::"),
)

# What the compiler puts before the name of a declaration.
_PREFIX = re.compile(
    r"merged |static |partial apply forwarder for |protocol witness for |\(extension in \w+\):"
    r"|(?:function signature |generic |generic partial )(?:not re-abstracted )?specialization <.*?> of "
    r"|(?:implicit )?closure #\d+ .*? in (?=[A-Z]|\(extension|static |closure |implicit )")

_STAGES = [(stage, re.compile(pattern)) for stage, pattern in STAGES]
_ASPECTS = [(aspect, re.compile(pattern)) for aspect, pattern in ASPECTS]


def declaration(name):
    """`generic specialization <…> of closure #1 (…) -> … in NIOPosix.Selector.whenReady`: NIOPosix.Selector."""
    while found := _PREFIX.match(name):
        name = name[found.end():]
    # A member that only its file sees: `PosternCore.RouteTable.(enter in _59BE8BAC)`.
    return re.sub(r"\((\w+) in _[0-9A-F]+\)", r"\1", name)


def stage(name):
    """The stage of a function, or None if it is a helper of its callers."""
    declared = declaration(name)
    return next((stage for stage, pattern in _STAGES if pattern.match(declared)), None)


def aspect(name):
    """What part of the runtime a function is, or None."""
    return next((aspect for aspect, pattern in _ASPECTS if pattern.match(name)), None)


def demangled(names):
    """Whole names as the source has them, by what they are in the program."""
    names = list(names)
    done = subprocess.run(["swift", "demangle", "--compact"], input="\n".join(names) + "\n", stdout=subprocess.PIPE,
                          check=True, timeout=120, encoding="utf-8")
    return dict(zip(names, done.stdout.splitlines()))
