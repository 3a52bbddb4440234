extension SchemaReader {
    /// `{file: path}`: the bytes of the file without its last line break.
    mutating func readSecretFile(
        _ pairs: [ConfigurationNode.Pair], mark: Mark, minimum: Int, path: String
    ) -> Field? {
        let section = Section(
            summary: "A secret in a file",
            keys: [Key("file", .text(.file), required: true, "The file that holds the secret")])
        guard let name = self.readSection(pairs, mark: mark, as: section, path: path)?["file"],
            var bytes = self.readFile(name)?.bytes
        else { return nil }
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        do {
            return Field(value: .secret(try Self.secret(bytes, minimum: minimum)), mark: mark, path: path)
        } catch {
            self.report("the secret in the file must be \(error.wanted ?? "longer")", at: name.mark, path: name.path)
            return nil
        }
    }

    /// The file that a field names.
    mutating func readFile(_ field: Field) -> Configuration.FileContent? {
        guard let path = field.text else { return nil }
        switch self.environment.file(path) {
        case .success(let bytes):
            return Configuration.FileContent(path: path, bytes: bytes)
        case .failure(let problem):
            self.report("\"\(path)\" cannot be read: \(problem.reason)", at: field.mark, path: field.path)
            return nil
        }
    }
}
