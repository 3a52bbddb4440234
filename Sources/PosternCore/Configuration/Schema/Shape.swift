/// What a value of proxy.yaml may be. The whole file is one shape (`Shape.document`): from it come the reading of the
/// file, the hints for unknown names and the JSON Schema of `postern schema`, so that these cannot drift apart.
indirect enum Shape: Sendable {
    case text(TextFormat)
    /// A string or `{file: …}`, of at least `minimum` bytes.
    case secret(minimum: Int)
    case boolean
    case integer(ClosedRange<Int>)
    /// Nanoseconds.
    case duration(ClosedRange<Int64>)
    /// Bytes.
    case size(ClosedRange<Int>)
    /// One of these words.
    case choice([String])
    /// At least `minimum` items. With `single` one item may stand without brackets.
    case list(of: Shape, minimum: Int, single: Bool)
    /// A mapping with the keys of a section.
    case section(Section)
    /// A mapping whose keys are the author's own.
    case entries(key: TextFormat, of: Shape, noun: String)
    /// A JSON scalar, its type taken from how it is written.
    case scalar
    /// A JSON object.
    case object
    /// The first alternative whose form (scalar, list, mapping) is the value's.
    case either([Shape])

    /// Which kinds of YAML nodes a shape is written as.
    enum Form: Sendable {
        case scalar, list, mapping
    }

    /// Whether a node of this form may be meant as this shape.
    func accepts(_ form: Form) -> Bool {
        switch self {
        case .text, .boolean, .integer, .duration, .size, .choice, .scalar: form == .scalar
        case .secret: form == .scalar || form == .mapping
        case .list(let item, _, let single): form == .list || (single && item.accepts(form))
        case .section, .entries, .object: form == .mapping
        case .either(let shapes): shapes.contains { $0.accepts(form) }
        }
    }
}

/// A mapping with known keys.
struct Section: Sendable {
    /// What the section is, in one line.
    var summary: String
    var keys: [Key]
    /// Of each of these groups exactly one key must be there.
    var exactlyOne: [[String]] = []

    func key(_ name: String) -> Key? {
        self.keys.first { $0.name == name }
    }
}

/// One key of a section.
struct Key: Sendable {
    /// Whether this version can do what the key asks for.
    enum Availability: Sendable, Equatable {
        case now
        /// Not yet: writing the key is an error.
        case later
    }

    var name: String
    var shape: Shape
    var required = false
    /// What counts when the key is absent, written as in proxy.yaml.
    var absent: ConfigurationNode?
    var availability = Availability.now
    /// One line for editors.
    var summary: String

    init(
        _ name: String, _ shape: Shape, required: Bool = false, default absent: ConfigurationNode? = nil,
        availability: Availability = .now, _ summary: String
    ) {
        self.name = name
        self.shape = shape
        self.required = required
        self.absent = absent
        self.availability = availability
        self.summary = summary
    }
}

// Defaults in the schema's tables are written as literals.
extension ConfigurationNode: ExpressibleByStringLiteral, ExpressibleByArrayLiteral {
    public init(stringLiteral text: String) {
        self = .scalar(text, style: .plain, mark: Mark(line: 1, column: 1))
    }

    public init(arrayLiteral items: ConfigurationNode...) {
        self = .sequence(items, mark: Mark(line: 1, column: 1))
    }
}

extension ConfigurationNode {
    /// A section of which only the defaults count.
    static let emptyMapping = ConfigurationNode.mapping([], mark: Mark(line: 1, column: 1))
}
