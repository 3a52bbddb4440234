extension DescriptionReader {
    private static let methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"]

    mutating func readPaths(_ paths: ConfigurationNode, base: String, security: SecurityNeed?) {
        guard case .mapping(let pairs, _) = paths else {
            self.report("must be a mapping", at: paths.mark, path: "paths")
            return
        }
        for pair in pairs {
            guard let text = pair.key.text, !text.hasPrefix("x-") else { continue }
            let path = "paths.\(text)"
            guard text.utf8.first == UInt8(ascii: "/") else {
                self.report("a path begins with \"/\"", at: pair.key.mark, path: path)
                continue
            }
            guard !pair.value.isNull, let members = self.members(of: pair.value, path: path) else { continue }
            let servers = members.first { $0.key == "servers" }?.value
            let itemBase = self.base(of: servers, path: "\(path).servers") ?? base
            for member in members {
                self.readMember(member, text: text, path: path, base: itemBase, security: security)
            }
        }
    }

    private mutating func readMember(
        _ member: Member, text: String, path: String, base: String, security: SecurityNeed?
    ) {
        let isMethod = Self.methods.contains(member.key) || (self.version == .threeTwo && member.key == "query")
        if isMethod {
            self.readOperation(
                member, method: member.key.uppercased(), text: text, path: "\(path).\(member.key)", base: base,
                security: security)
        } else if self.version == .threeTwo, member.key == "additionalOperations" {
            let path = "\(path).\(member.key)"
            for member in self.members(of: member.value, path: path) ?? [] {
                guard Self.isOtherMethod(member.key) else {
                    self.report("is not the name of another method", at: member.mark, path: "\(path).\(member.key)")
                    continue
                }
                self.readOperation(
                    member, method: member.key, text: text, path: "\(path).\(member.key)", base: base,
                    security: security)
            }
        } else if Self.methods.contains(member.key.lowercased()) {
            self.report(
                "methods are written in lower case", at: member.mark, path: "\(path).\(member.key)",
                suggestion: member.key.lowercased())
        }
    }

    /// A method that has no key of its own. The words that mean several methods in a route's key are none.
    private static func isOtherMethod(_ name: String) -> Bool {
        !name.isEmpty && name != "ANY" && name.utf8.allSatisfy { $0.isTokenCharacter && $0 != UInt8(ascii: "|") }
            && !(Self.methods + ["query"]).contains(name.lowercased())
    }

    private mutating func readOperation(
        _ member: Member, method: String, text: String, path: String, base: String, security: SecurityNeed?
    ) {
        guard !member.value.isNull, let members = self.members(of: member.value, path: path) else { return }
        guard self.operations.count < ServiceDescription.maximumOperations else {
            if self.operations.count == ServiceDescription.maximumOperations, self.problems.isEmpty {
                self.report(
                    "the document has more than \(ServiceDescription.maximumOperations) operations", at: member.mark,
                    path: path)
            }
            return
        }
        let own = members.first { $0.key == "security" }?.value
        let servers = members.first { $0.key == "servers" }?.value
        let base = self.base(of: servers, path: "\(path).servers") ?? base
        let need = self.need(own, path: "\(path).security") ?? security ?? .silent
        self.operations.append(
            ServiceDescription.Operation(
                method: method, path: base + text, template: PathTemplate(base + text), need: need,
                place: .init(mark: member.mark, path: path)))
    }
}
