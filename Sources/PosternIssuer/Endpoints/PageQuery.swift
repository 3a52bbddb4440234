import Hummingbird
import PosternCore

/// Which part of a list is wanted: `?limit=1…500&after=`. Other parameters are ignored.
struct PageQuery: Equatable {
    static let most = 500
    static let standard = 100

    var limit = Self.standard
    /// What the part comes after; nil: from the beginning.
    var after: String?

    /// Throws `Problem` (422) if a value is wrong or given twice.
    init(_ request: Request) throws(Problem) {
        let parameters = request.uri.queryParameters
        let limits = parameters.getAll("limit")
        let afters = parameters.getAll("after")
        var reader = FieldReader(.object([]), fields: [])
        if let text = limits.first {
            let isNumber = !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
            if limits.count == 1, isNumber, let limit = Int(text), (1...Self.most).contains(limit) {
                self.limit = limit
            } else {
                reader.refuse("limit", "is one whole number from 1 to \(Self.most)")
            }
        }
        if afters.count > 1 || (afters.first?.utf8.count ?? 0) > 256 {
            reader.refuse("after", "is `next` of the part before, once")
        }
        self.after = afters.first.flatMap { $0.isEmpty ? nil : $0 }
        try reader.finish()
    }
}
