extension KeyTable {
    private static let place = "{upstream: unix:/s, redis: {seal: \"${SECRET}\", KEY}}"
    private static let besidePlace = "{upstream: unix:/s, redis: {seal: \"${SECRET}\", url: \"rediss://h\", KEY}}"
    private static let sealPlace = "{upstream: unix:/s, redis: {url: \"redis://h\", KEY}}"

    static let redis: [KeyRow] = [
        KeyRow(
            "redis", good: ["{url: \"redis://h\", seal: \"${SECRET}\"}"],
            bad: [
                ("{}", "redis.seal: is required: The secret that seals cache entries, 32 bytes or more"),
                ("{}", "redis.url: is required"), ("x", "must be a mapping"), ("{sael: x}", "did you mean \"seal\""),
            ]),
        KeyRow(
            "redis.url", in: place,
            good: [
                "\"redis://u:p@h:1/0\"", "\"rediss://h\"", "\"redis+sentinel://h,i:1/m/2\"", "\"redis+cluster://h,i\"",
                "\"redis://:${SECRET}@${HOST}/${NUMBER}\"",
            ],
            bad: [
                ("h:6379", "it has no scheme"), ("\"http://h\"", "the scheme must be redis"),
                ("\"redis://\"", "the host is missing"), ("\"redis://u@h\"", "names a user without a password"),
                // What is wrong is said even where it was replaced, and without repeating it.
                ("\"redis://:${ODD}@h\"", "a password stands as it is in redis.password"),
                ("\"${EMPTY}\"", "must be a URL such as"), ("5", "it has no scheme"), ("[]", "not a list"),
            ]),
        KeyRow(
            "redis.password", in: besidePlace, good: ["x", "\"${ODD}\"", "{file: token}"], bad: notSecret),
        KeyRow("redis.ca", in: besidePlace, good: ["public.pem"], bad: notFile + [("nowhere", "No such file")]),
        KeyRow(
            "redis.timeout", in: besidePlace, good: ["1ms", "5s"],
            bad: notDuration + [("0s", "from 1ms to 5s"), ("6s", "from 1ms to 5s")]),
        KeyRow("redis.key_prefix", in: besidePlace, good: ["\"p:\""], bad: notFile),
        KeyRow(
            "redis.seal", in: sealPlace,
            good: [
                "\"${SECRET}\"", "{file: secret}", "[{file: secret}]",
                "[\"${SECRET}\", 0123456789abcdef0123456789abcdef]",
            ],
            bad: notShortSecret + [
                ("[abc]", "at least 32 bytes"), ("[]", "is empty"), ("[[a]]", "not a list"),
                ("[\"${SECRET}\", {file: secret}]", "is the same secret as redis.seal[0]: remove it"),
            ]),
    ]
}
