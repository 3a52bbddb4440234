import Testing

@testable import PosternCore

/// Problems that no single value has: the whole list of what is reported, with columns.
@Suite struct MeaningTests {
    private static let key = "keys: {file: jwk.json}"

    @Test(
        arguments: [
            // Two issuers cannot own the same iss: a token would belong to both.
            (
                "{upstream: unix:/s, issuers: {a: {issuer: x, audiences: any, \(key)}, b: {issuer: x, audiences: any, \(key)}}}",
                ["99: error: issuers.b.issuer: is already the issuer of \"a\" (line 1)"]
            ),
            // HMAC with a public key, and a secret without HMAC.
            (
                "{upstream: unix:/s, issuers: {a: {issuer: x, audiences: any, algorithms: [RS256, HS256], \(key)}}}",
                ["82: error: issuers.a.algorithms[1]: HS256 needs keys: {secret: …}"]
            ),
            (
                "{upstream: unix:/s, issuers: {a: {issuer: x, audiences: any, algorithms: [HS256, RS256], keys: {secret: \"${SECRET}\"}}}}",
                ["82: error: issuers.a.algorithms[1]: RS256 needs a public key, and keys is a secret"]
            ),
            (
                "{upstream: unix:/s, issuers: {a: {issuer: x, audiences: any, keys: {secret: \"${SECRET}\"}}}}",
                [
                    "68: error: issuers.a.algorithms: is required with a secret: HMAC is accepted only where it is named, such as [HS256]"
                ]
            ),
            // Local validation needs the iss and a word about aud.
            (
                "{upstream: unix:/s, issuers: {a: {\(key)}}}",
                [
                    "34: error: issuers.a.issuer: is required with keys: the exact iss of the tokens",
                    "34: error: issuers.a.audiences: is required with keys: the names of this service in aud; \"any\" switches the check off",
                ]
            ),
            // Discovery asks the issuer itself.
            (
                "{upstream: unix:/s, issuers: {a: {issuer: x, audiences: any, keys: {discover: true}}}}",
                ["79: error: issuers.a.keys.discover: needs an issuer that is an http or https URL without query"]
            ),
            // Options of a fetch where nothing is fetched.
            (
                "{upstream: unix:/s, issuers: {a: {issuer: x, audiences: any, keys: {file: jwk.json, refresh: 5m}}}}",
                ["94: error: issuers.a.keys.refresh: has a meaning only with url or discover: remove it"]
            ),
            // A token is needed, and nobody issues one.
            (
                "{upstream: unix:/s, routes: {GET /a: public, GET /b: optional}}",
                ["46: error: routes.GET /b: needs a token, but no issuers are configured"]
            ),
            (
                "{upstream: unix:/s, default: authenticated}",
                ["30: error: default: needs a token, but no issuers are configured"]
            ),
            // Broken issuers are one problem; that routes need them is not a second one.
            (
                "{upstream: unix:/s, issuers: 5, routes: {GET /b: optional}}",
                ["30: error: issuers: must be a mapping"]
            ),
            // Addresses.
            (
                "{upstream: unix:/s, listen: [127.0.0.1:80, \"[::]:80\"], routes: {GET /: public}}",
                ["44: error: listen[1]: listens at the same address as the entry in line 1"]
            ),
            (
                "{upstream: \"http://localhost:8080\", routes: {GET /: public}}",
                ["12: error: upstream: is where the proxy itself listens: requests would go in circles"]
            ),
            (
                "{upstream: unix:/s, listen: unix:/s, routes: {GET /: public}}",
                ["12: error: upstream: is where the proxy itself listens: requests would go in circles"]
            ),
            // Routes.
            (
                "{upstream: unix:/s, routes: {\"GET /a/{x}\": public, \"POST|GET /a/{y}\": deny, \"HEAD /a/{z}\": deny}}",
                ["52: error: routes.POST|GET /a/{y}: matches the same requests as \"GET /a/{x}\" (line 1): remove one"]
            ),
            (
                "{upstream: unix:/s, routes: {\"ANY /a/{x...}\": public, \"ANY /a/{y...}\": deny, \"GET /a/{x...}\": deny}}",
                ["55: error: routes.ANY /a/{y...}: matches the same requests as \"ANY /a/{x...}\" (line 1): remove one"]
            ),
            (
                "{upstream: unix:/s, issuers: {permiso: {issuer: x, audiences: any, \(key)}}, routes: {GET /a: {issuers: [permisso]}}}",
                ["122: error: routes.GET /a.issuers[0]: no issuer has this name, did you mean \"permiso\"?"]
            ),
            (
                "{upstream: unix:/s, issuers: {i: {issuer: x, audiences: any, \(key)}}, routes: {\"GET /a/{user_id}\": {claims: {sub: \"{userid}\"}}}}",
                [
                    "132: error: routes.GET /a/{user_id}.claims.sub: the path has no parameter {userid}, did you mean \"{user_id}\"?"
                ]
            ),
            // A misspelled required key is one problem.
            (
                "{upstraem: unix:/s, routes: {GET /: public}}",
                ["2: error: upstraem: unknown key, did you mean \"upstream\"?"]
            ),
            (
                "{upstream: unix:/s, log: {color: red}, routes: {GET /: public}}",
                ["27: error: log.color: unknown key; known here: level, format, access"]
            ),
            // A replaced value may be a secret: it is never repeated.
            (
                "{upstream: \"http://${SECRET}@h\", routes: {GET /: public}}",
                [
                    "12: error: upstream: must be a URL such as \"http://127.0.0.1:8001\", or \"unix:/run/service.sock\" or a mapping"
                ]
            ),
            // Everything at once, in the order of the file.
            (
                "{version: 2, upstream: x, log: {level: 5}, nope: 1}",
                [
                    "11: error: version: must be 1",
                    "24: error: upstream: must be a URL such as \"http://127.0.0.1:8001\", or \"unix:/run/service.sock\": it has no scheme: \"http://x\"?",
                    "40: error: log.level: must be one of \"trace\", \"debug\", \"info\", \"notice\", \"warning\", \"error\", \"critical\"",
                    "44: error: nope: unknown key",
                ]
            ),
        ] as [(String, [String])])
    func problemIsReported(text: String, problems: [String]) {
        #expect(World.problems(text).filter { !$0.contains("warning: routes:") } == problems)
    }

    @Test(
        arguments: [
            ("{upstream: unix:/s}", ["1: warning: routes: there are no routes: every request is refused"]),
            ("{upstream: unix:/s, default: public}", []),
            (
                "{upstream: unix:/s, default: public, admin: 0.0.0.0:9901}",
                [
                    "45: warning: admin: anyone who reaches 0.0.0.0:9901 sees the policy: keep it at 127.0.0.1 and give "
                        + "probes and Prometheus {address: 127.0.0.1:9901, status: 0.0.0.0:9902}"
                ]
            ),
            (
                "{upstream: unix:/s, default: public, issuers: {i: {issuer: x, audiences: any, keys: {url: \"http://example.com/k\"}}}}",
                [
                    "91: warning: issuers.i.keys.url: keys come over http from example.com: whoever is on the way can "
                        + "replace them; use https"
                ]
            ),
            (
                "{upstream: unix:/s, default: public, issuers: {i: {issuer: \"http://example.com\", audiences: any, keys: {discover: true}}}}",
                [
                    "115: warning: issuers.i.keys.discover: keys come over http from example.com: whoever is on the way can "
                        + "replace them; use https"
                ]
            ),
            (
                "{upstream: unix:/s, default: public, issuers: {i: {issuer: x, audiences: any, keys: {url: \"http://h/k\", ca: public.pem}}}}",
                ["109: warning: issuers.i.keys.ca: has no effect: the keys are fetched over http"]
            ),
            (
                "{upstream: unix:/s, default: public, issuers: {i: {issuer: x, audiences: any, keys: {file: jwks.json}}}}",
                ["92: warning: issuers.i.keys.file: key 1 is not used: "]
            ),
        ] as [(String, [String])])
    func oddityIsAWarning(text: String, warnings: [String]) {
        let found = World.problems(text)
        #expect(found.count == warnings.count)
        for (line, start) in zip(found, warnings) { #expect(line.hasPrefix(start)) }
    }

    @Test func documentThatIsNoMappingIsRefused() {
        #expect(World.problems("[a]") == ["1: error: the file must be a mapping: \"key: value\" lines"])
        #expect(World.problems("") == ["1: error: the file is empty"])
    }

    @Test func conflictsAreThoseOfTheRouteTable() throws {
        let keys = [
            "GET /a", "HEAD /a", "ANY /a", "GET|POST /a", "POST /a", "GET /a/", "GET /{x}", "GET /{y}", "GET /{x...}",
            "GET /%61", "PURGE /a", "GET /a/{x}/b", "GET /a/{y}/b", "GET /a/{y}/c",
        ]
        for first in keys {
            for second in keys where second != first {
                let patterns = try [first, second].map { try RoutePattern.parse($0, options: TargetOptions()) }
                let conflicts = (try? RouteTable(patterns)) == nil
                let problems = World.problems(
                    "{upstream: unix:/s, routes: {\"\(first)\": public, \"\(second)\": public}}")
                #expect(problems.isEmpty == !conflicts, "\(first) and \(second)")
            }
        }
    }
}
