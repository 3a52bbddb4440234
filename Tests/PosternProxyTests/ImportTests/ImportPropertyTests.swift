import PosternCore
import Testing

@testable import PosternProxy

@Suite struct ImportPropertyTests {
    /// Sends requests through the route table of a written and loaded policy.
    private struct Policy {
        let routes: [Configuration.Route]
        let table: RouteTable

        init(_ service: RandomService) throws {
            let description = try DescriptionFile.tree(Array(service.document.utf8))
                .flatMap { ServiceDescription.read($0) }.get()
            let text = try PolicyDraft(description, silent: .required(Requirement())).yaml(
                source: "random.json",
                surroundings: .init(upstream: "http://127.0.0.1:1", issuer: "http://i.example", audiences: ["any"]))
            let environment = ConfigurationEnvironment(
                variable: { _ in nil }, file: { _ in .failure(.init(reason: "")) })
            self.routes = try ConfigurationFile.load(bytes: Array(text.utf8), environment: environment).get()
                .configuration.routes
            self.table = try RouteTable(self.routes.map(\.pattern))
        }

        func access(_ method: String, _ path: [String]) -> Access? {
            let target = path.map { "/" + $0.split(separator: " ").joined(separator: "%20") }.joined()
            let bytes = Array(target.utf8)
            var captures = Captures()
            let match = self.table.match(
                bytes.span.bytes, path: ByteRange(0, bytes.count), hasEscapes: target.contains("%"),
                method: Method.allCases.first { $0.name == method } ?? .other, methodToken: .none, captures: &captures)
            guard case .route(let route) = match else { return nil }
            return self.routes[route].access
        }
    }

    private static let texts = ["a", "b", "c d", "a.x", "zz"]

    private static func permits(_ access: Access?, _ scopes: [String]?) -> Bool {
        switch access {
        case nil, .denied: return false
        case .open, .optional: return true
        case .required(let requirement):
            guard let scopes else { return false }
            return Set(scopes).isSuperset(of: requirement.scopes)
                && (requirement.anyScope.isEmpty || !Set(scopes).isDisjoint(with: requirement.anyScope))
        }
    }

    private static var paths: [[String]] {
        let one = Self.texts.map { [$0] }
        let two = one.flatMap { head in Self.texts.map { head + [$0] } }
        return one + two + two.flatMap { head in Self.texts.map { head + [$0] } }
    }

    @Test(
        "the policy lets nobody through whom the document keeps out, and where it can be said, nobody else",
        arguments: 0..<4)
    func policyMeansWhatTheDocumentSays(_ part: Int) throws {
        var (permitted, refused, exact) = (0, 0, 0)
        for seed in 0..<24 {
            let isPartial = seed % 4 == 0
            let service = RandomService(seed: UInt64(part * 1000 + seed), partial: isPartial)
            let policy = try Policy(service)
            for path in Self.paths {
                for method in RandomService.methods {
                    let access = policy.access(method, path)
                    let candidates = service.candidates(method, path)
                    guard !candidates.isEmpty else {
                        // What the document does not have is for nobody, whatever scopes they have.
                        let isOpen = Self.permits(access, RandomService.scopes)
                        if isOpen { Issue.record("\(method) \(path)\n\(service.document)") }
                        refused += 1
                        continue
                    }
                    // Two operations with lists of alternatives cannot always be asked for together, and requests for
                    // an operation without a route make others stricter.
                    let isExact =
                        !isPartial && method != "HEAD" && candidates.count == 1
                        && candidates.allSatisfy(RandomService.isExact)
                    for caller in RandomService.callers {
                        let expected = candidates.allSatisfy { RandomService.permits($0.needs, caller) }
                        let actual = Self.permits(access, caller)
                        if expected { permitted += 1 } else { refused += 1 }
                        if isExact { exact += 1 }
                        guard isExact ? actual != expected : actual && !expected else { continue }
                        Issue.record("\(method) \(path) \(caller ?? [])\n\(service.document)")
                    }
                }
            }
        }
        #expect(permitted > 1000 && refused > 2000 && exact > 300, "\(permitted) \(refused) \(exact)")
    }

    @Test("check finds nothing missing, weaker or superfluous in what import wrote", arguments: 0..<40)
    func checkAgreesWithImport(_ seed: Int) throws {
        let service = RandomService(seed: UInt64(9000 + seed), partial: false)
        let folder = try TemporaryFolder()
        try folder.write("d.json", service.document)
        let whole = ImportRequest.Whole(upstream: "http://127.0.0.1:1", issuer: "http://i.example", audiences: ["x"])
        let made = ImportCommand.run(
            try ImportRequest(file: folder.path("d.json"), whole: whole, output: folder.path("proxy.yaml")))
        #expect(made.exitCode == 0, "\(made.stderr)")
        let checked = CheckCommand.run(
            path: folder.path("proxy.yaml"), format: .text,
            against: try CheckedDocument(path: folder.path("d.json")))
        #expect(checked.exitCode == 0)
        for kind in ["missing", "weaker", "surplus", "error"] {
            #expect(!checked.stdout.contains(": \(kind): "), "\(checked.stdout)\n\(service.document)")
        }
    }
}
