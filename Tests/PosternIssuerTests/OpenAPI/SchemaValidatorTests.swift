import PosternCore
import Testing

@testable import PosternIssuer

@Suite struct SchemaValidatorTests {
    private static func json(_ text: String) throws -> JSONValue {
        try JSONReader.parse(Array(text.utf8).span.bytes)
    }

    static let rows: [(schema: String, good: [String], bad: [String])] = [
        ("{}", ["null", "1", "{}"], []),
        ("{\"type\":\"integer\",\"minimum\":1,\"maximum\":3}", ["1", "3", "2.0"], ["0", "4", "1.5", "\"1\"", "null"]),
        ("{\"type\":[\"string\",\"null\"]}", ["\"\"", "null"], ["1", "[]"]),
        ("{\"type\":\"boolean\"}", ["true"], ["null", "0"]),
        ("{\"type\":\"string\",\"minLength\":1,\"maxLength\":2}", ["\"ä\"", "\"😀😀\""], ["\"\"", "\"abc\""]),
        ("{\"pattern\":\"^a+$\"}", ["\"aa\"", "1"], ["\"ab\"", "\"\""]),
        ("{\"pattern\":\"[\"}", [], ["\"[\""]),
        ("{\"format\":\"uuid\"}", ["\"00000000-0000-4000-8000-00000000000a\""], ["\"00000000\"", "\"\""]),
        ("{\"format\":\"date-time\"}", ["\"2030-01-01T00:00:00Z\""], ["\"2030-01-01\"", "\"now\""]),
        ("{\"format\":\"date\"}", ["\"2030-01-01\""], ["\"2030-01-01T00:00:00Z\""]),
        ("{\"format\":\"nonsense\"}", [], ["\"\""]),
        ("{\"enum\":[\"a\",\"b\"]}", ["\"a\""], ["\"c\"", "1"]),
        ("{\"const\":true}", ["true"], ["false", "1"]),
        (
            "{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"maxItems\":2}", ["[]", "[\"a\",\"b\"]"],
            ["[1]", "[\"a\",\"b\",\"c\"]"]
        ),
        ("{\"minItems\":1}", ["[1]"], ["[]"]),
        ("{\"dependentRequired\":{\"a\":[\"b\"]}}", ["{}", "{\"b\":1}", "{\"a\":1,\"b\":1}"], ["{\"a\":1}"]),
        ("{\"uniqueItems\":true}", ["[1,2]"], ["[1,1]"]),
        (
            "{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":{\"type\":\"string\"}},\"additionalProperties\":false}",
            ["{\"a\":\"\"}"], ["{}", "{\"a\":1}", "{\"a\":\"\",\"b\":1}", "[]"]
        ),
        (
            "{\"properties\":{\"a\":{}},\"additionalProperties\":{\"type\":\"string\"}}", ["{\"a\":1,\"b\":\"\"}"],
            ["{\"b\":1}"]
        ),
        ("{\"oneOf\":[{\"type\":\"integer\"},{\"minimum\":5}]}", ["1", "5.5"], ["5", "1.5"]),
        ("{\"anyOf\":[{\"type\":\"integer\"},{\"minimum\":5}]}", ["1", "5"], ["1.5"]),
        ("{\"not\":{\"enum\":[1]}}", ["2"], ["1"]),
        ("{\"$ref\":\"#/components/schemas/Health\"}", ["{\"status\":\"ok\"}"], ["{}"]),
        ("{\"$ref\":\"#/components/schemas/Nothing\"}", [], ["null"]),
        ("{\"contains\":{}}", [], ["[1]"]),
        ("false", [], ["null"]),
        ("true", ["null"], []),
    ]

    @Test("A value fits a schema or does not", arguments: Self.rows)
    func fits(_ row: (schema: String, good: [String], bad: [String])) throws {
        let schema = try Self.json(row.schema)
        let validator = Contract.issuer.validator
        for text in row.good {
            let faults = validator.faults(try Self.json(text), schema)
            #expect(faults == [], "\(text)")
        }
        for text in row.bad {
            let faults = validator.faults(try Self.json(text), schema)
            #expect(!faults.isEmpty, "\(text)")
        }
    }
}
