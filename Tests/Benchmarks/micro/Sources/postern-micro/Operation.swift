/// Something that the program can do many times.
struct Operation: Sendable {
    /// How it is called on the command line.
    let name: String
    /// What it is, for the table.
    let about: String
    /// Makes everything ready, and returns what does the thing so many times. The number that comes back depends on all
    /// that was done, so that no part of it can be left out.
    let prepare: @Sendable () throws -> (Int) throws -> Int

    init(_ name: String, _ about: String, prepare: @escaping @Sendable () throws -> (Int) throws -> Int) {
        self.name = name
        self.about = about
        self.prepare = prepare
    }

    static let all = headOperations + routeOperations + tokenOperations + hitOperations + verificationOperations
}

/// An operation that does not do what it is meant to: its count would be a lie.
struct WrongResult: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
