/// One of several accepted values at one place of the claims: what a claim rule without path parameters asks.
struct ClaimPredicate: Equatable, Sendable {
    var selector: ClaimSelector
    var accepted: [JSONValue]

    /// Whether the claim is one of the accepted values, or an array that contains one. Absent claims, null and objects
    /// never are.
    func holds(in claims: JSONValue) -> Bool {
        guard let value = self.selector.value(in: claims) else { return false }
        return Self.candidates(of: value).contains { candidate in
            self.accepted.contains { Self.isSame($0, candidate) }
        }
    }

    /// The value itself, or the items of an array. Arrays inside are not looked into.
    static func candidates(of value: JSONValue) -> [JSONValue] {
        if case .array(let items) = value { items } else { [value] }
    }

    /// Compares two scalars by type and value. Strings by their bytes: Swift's own comparison calls different spellings
    /// of one character equal. Numbers by value where a Double holds it exactly, by text beyond.
    static func isSame(_ left: JSONValue, _ right: JSONValue) -> Bool {
        switch (left, right) {
        case (.string(let left), .string(let right)):
            return left.utf8.elementsEqual(right.utf8)
        case (.bool(let left), .bool(let right)):
            return left == right
        case (.number(let left, let leftText), .number(let right, let rightText)):
            if leftText.utf8.elementsEqual(rightText.utf8) { return true }
            return left == right && left.magnitude < 9_007_199_254_740_992
        default:
            return false
        }
    }
}
