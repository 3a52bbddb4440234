import Logging
import PosternCore
import Testing

@testable import PosternProxy

@Suite(.timeLimit(.minutes(1))) struct JSONLogHandlerTests {
    private let pipe: LogPipe
    private let threshold = JSONLogHandler.Threshold()
    private let logger: Logger

    init() throws {
        let pipe = try LogPipe()
        let sink = LogSink(descriptor: pipe.writeEnd)
        let threshold = self.threshold
        self.pipe = pipe
        self.logger = Logger(label: "test") { _ in JSONLogHandler(sink: sink, threshold: threshold) }
    }

    @Test func lineHasTimeLevelMessageAndTheMetadataByName() throws {
        var logger = self.logger
        logger[metadataKey: "service"] = "mt5"
        logger.warning("keys could not be fetched", metadata: ["reason": "it is down", "issuer": "a"])
        let line = try self.pipe.object()
        #expect(line.names == ["time", "level", "message", "issuer", "reason", "service"])
        #expect(line["level"] == .string("warning"))
        #expect(line["message"] == .string("keys could not be fetched"))
        #expect(line["reason"] == .string("it is down"))
        #expect(line["service"] == .string("mt5"))
        let time = try #require(line["time"]?.string)
        #expect(time.utf8.count == 24 && time.hasPrefix("20") && time.hasSuffix("Z"))
    }

    @Test(arguments: [
        "two\nlines\r\n", "\"quoted\" and \\", "{\"message\":1}", "\u{0}\u{1B}[31m\u{7F}\u{2028}", "é漢🙂", "",
    ])
    func anyTextStaysOneLineAndReadsBack(text: String) throws {
        self.logger.error("\(text)", metadata: ["a \"key\"\n": "\(text)"])
        let line = try self.pipe.object()
        #expect(line["message"] == .string(text))
        #expect(line["a \"key\"\n"] == .string(text))
        #expect(self.pipe.isEmpty)
    }

    @Test func metadataOfTheCallWinsOverThatOfTheLogger() throws {
        var logger = self.logger
        logger[metadataKey: "issuer"] = "one"
        #expect(logger[metadataKey: "issuer"] == "one")
        logger.info("x", metadata: ["issuer": "two"])
        #expect(try self.pipe.object()["issuer"] == .string("two"))
    }

    @Test func listsAndDictionariesAreWrittenAsText() throws {
        self.logger.info("x", metadata: ["list": ["a", "b"], "nested": ["k": "v"]])
        let line = try self.pipe.object()
        #expect(line["list"] == .string(#"["a", "b"]"#))
        #expect(line["nested"] == .string(#"["k": "v"]"#))
    }

    @Test func errorOfAnEventIsAMember() throws {
        struct Broken: Error, CustomStringConvertible { var description: String { "it \"broke\"" } }
        self.logger.error("x", error: Broken())
        #expect(try self.pipe.object()["error"] == .string("it \"broke\""))
    }

    @Test func belowTheThresholdNothingIsWritten() throws {
        #expect(self.threshold.value == .info)
        self.logger.trace("no")
        self.logger.debug("no")
        self.logger.info("yes")
        #expect(try self.pipe.object()["message"] == .string("yes"))
        #expect(self.pipe.isEmpty)
    }

    @Test(arguments: Logger.Level.allCases)
    func thresholdThatIsChangedCountsForLoggersThatExist(level: Logger.Level) throws {
        var copy = self.logger
        copy[metadataKey: "copy"] = "true"
        self.threshold.value = level
        for each in Logger.Level.allCases { copy.log(level: each, "\(each)") }
        let expected = Logger.Level.allCases.filter { $0 >= level }.map(\.rawValue)
        let lines = try self.pipe.lines(expected.count)
        let levels = try lines.map { try JSONReader.parse(Array($0.utf8).span.bytes)["level"]?.string }
        #expect(levels == expected)
        #expect(self.pipe.isEmpty)
    }

    @Test func everyLevelOfTheConfigurationIsOneOfTheLogger() {
        let levels = Configuration.Log.Level.allCases
        #expect(levels.map(\.loggerLevel.rawValue) == levels.map(\.rawValue))
    }
}
