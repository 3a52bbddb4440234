/// The answer of `GET /health`.
struct Health: Encodable {
    var status = "ok"
    var service: String
}
