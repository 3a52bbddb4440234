import HTTPTypes
import Hummingbird

/// The identity headers of a request as they arrived: lower-case name → value; a repeated name's values are joined by
/// ", ". Names are taken with `_` read as `-`, as many frameworks do, so that a spoofed `x_user_id` would show.
struct Caller: Encodable {
    var headers: [String: String] = [:]

    init(_ request: Request) {
        for field in request.headers {
            let name = field.name.canonicalName
            guard Self.isIdentity(name.replacing("_", with: "-")) else { continue }
            if let earlier = self.headers[name] {
                self.headers[name] = earlier + ", " + field.value
            } else {
                self.headers[name] = field.value
            }
        }
    }

    private static func isIdentity(_ name: String) -> Bool {
        name.hasPrefix("x-user-") || name.hasPrefix("x-client-") || name.hasPrefix("x-auth-")
    }

    func encode(to encoder: any Encoder) throws {
        try self.headers.encode(to: encoder)
    }
}
