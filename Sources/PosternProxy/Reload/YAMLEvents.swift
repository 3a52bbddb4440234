import CLibYAML
import PosternCore

/// One step through a YAML document.
struct YAMLEvent {
    enum Kind: Equatable {
        case streamStart
        case streamEnd
        case documentStart
        case documentEnd
        case alias(String)
        case scalar(String, isPlain: Bool)
        case sequenceStart
        case mappingStart
        /// The last sequence or mapping that began is complete.
        case collectionEnd
    }

    var kind: Kind
    /// Where it begins, its anchor and tag included.
    var mark: Mark
    /// What a scalar or a collection is called, for aliases.
    var anchor: String?
    /// What a scalar or a collection says that it is; written out, so `!!str` is `tag:yaml.org,2002:str`.
    var tag: String?
}

/// The events of a YAML text. The only file that knows libyaml.
///
/// The pointers are libyaml's interface: its parser is one struct at one address from beginning to end, and reads its input through a
/// pointer that has to last as long. Both are owned here, freed once, and never leave this type; events are copied before they are freed.
///
/// libyaml reads as far ahead as a simple key may be long (1024 characters), so who stops asking has not paid for the rest.
struct YAMLEvents: ~Copyable {
    private let text: YAMLText
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    /// The parser reads here until it is gone.
    private let input: UnsafeMutableBufferPointer<UInt8>

    init(_ text: YAMLText) throws(ConfigurationProblem) {
        let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        guard yaml_parser_initialize(parser) == 1 else {
            parser.deallocate()
            throw ConfigurationProblem(
                mark: Mark(line: 1, column: 1), path: "", message: "not enough memory for the YAML")
        }
        let bytes = text.bytes
        self.text = text
        self.parser = parser
        self.input = .allocate(capacity: bytes.count)
        _ = self.input.initialize(from: bytes)
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, self.input.baseAddress, self.input.count)
    }

    deinit {
        yaml_parser_delete(self.parser)
        self.parser.deallocate()
        self.input.deallocate()
    }

    /// The next event. After the end of the stream, or a problem, there is none to ask for.
    mutating func next() throws(ConfigurationProblem) -> YAMLEvent {
        var event = yaml_event_t()
        guard yaml_parser_parse(self.parser, &event) == 1 else { throw self.problem() }
        defer { yaml_event_delete(&event) }
        return Self.read(event)
    }

    private static func read(_ event: yaml_event_t) -> YAMLEvent {
        let data = event.data
        switch event.type {
        case YAML_SCALAR_EVENT:
            let bytes = UnsafeBufferPointer(start: data.scalar.value, count: data.scalar.length)
            return Self.event(
                .scalar(String(decoding: bytes, as: UTF8.self), isPlain: data.scalar.style == YAML_PLAIN_SCALAR_STYLE),
                at: event, anchor: data.scalar.anchor, tag: data.scalar.tag)
        case YAML_ALIAS_EVENT:
            return Self.event(.alias(Self.string(data.alias.anchor) ?? ""), at: event)
        case YAML_SEQUENCE_START_EVENT:
            return Self.event(
                .sequenceStart, at: event, anchor: data.sequence_start.anchor, tag: data.sequence_start.tag)
        case YAML_MAPPING_START_EVENT:
            return Self.event(.mappingStart, at: event, anchor: data.mapping_start.anchor, tag: data.mapping_start.tag)
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: return Self.event(.collectionEnd, at: event)
        case YAML_DOCUMENT_START_EVENT: return Self.event(.documentStart, at: event)
        case YAML_DOCUMENT_END_EVENT: return Self.event(.documentEnd, at: event)
        case YAML_STREAM_START_EVENT: return Self.event(.streamStart, at: event)
        // The parser gives an event of no type where it is asked after the end.
        default: return Self.event(.streamEnd, at: event)
        }
    }

    private static func event(
        _ kind: YAMLEvent.Kind, at event: yaml_event_t, anchor: UnsafePointer<yaml_char_t>? = nil,
        tag: UnsafePointer<yaml_char_t>? = nil
    ) -> YAMLEvent {
        YAMLEvent(
            kind: kind, mark: Self.mark(event.start_mark), anchor: Self.string(anchor), tag: Self.string(tag))
    }

    private static func string(_ text: UnsafePointer<yaml_char_t>?) -> String? {
        text.map { String(cString: $0) }
    }

    /// Lines and columns count from 0 there, columns in characters.
    private static func mark(_ mark: yaml_mark_t) -> Mark {
        Mark(line: mark.line + 1, column: mark.column + 1)
    }

    private func problem() -> ConfigurationProblem {
        let parser = self.parser.pointee
        let problem = parser.problem.map { String(cString: $0) } ?? "it cannot be read"
        switch parser.error {
        case YAML_SCANNER_ERROR, YAML_PARSER_ERROR:
            let context = parser.context.map { String(cString: $0) }
            // What is not closed began where the context says; its end is the end of the file.
            let isUnclosed = problem.contains("unexpected end of stream") && context != nil
            return self.text.syntaxProblem(
                problem, context: context, at: Self.mark(isUnclosed ? parser.context_mark : parser.problem_mark))
        default:
            return ConfigurationProblem(
                mark: Mark(line: 1, column: 1), path: "", message: "not valid YAML: \(problem)")
        }
    }
}
