/// Why a response that came over HTTP/2 is no acceptable one: 502, and never passed on.
public enum UpstreamResponseProblem: String, Error, Equatable, Sendable {
    case fieldName = "a field name is empty, or holds an upper-case letter or another character that names cannot have"
    case fieldValue = "a field value holds a control character, begins or ends with a blank, or is not UTF-8"
    case connectionField = "a field that speaks of one connection, which HTTP/2 does not have"
    case pseudoHeader = "a pseudo-header other than one :status at the beginning of a response"
    case status = "a status that is not three digits from 100 to 599, or 101"
    case noStatus = "a response without :status"
    case contentLength = "a content-length that is not one plain decimal, or not what came"
    case unexpectedContent = "content where there can be none"
    case unexpectedHead = "an interim response that ends the stream, or fields after the response that do not"
    case tooLarge = "fields of more than their limit"
}

extension UpstreamResponseProblem {
    /// What is wrong with a single field.
    init(_ problem: HTTP2Malformation) {
        switch problem {
        case .fieldName: self = .fieldName
        case .connectionField: self = .connectionField
        default: self = .fieldValue
        }
    }
}
