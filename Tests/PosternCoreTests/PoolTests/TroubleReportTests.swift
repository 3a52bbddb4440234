import PosternCore
import Testing

@Suite struct TroubleReportTests {
    @Test func troubleIsSaidOnceAndItsEndOnce() {
        var report = TroubleReport()
        #expect(!report.succeeded())
        #expect(report.failed("refused", now: 0))
        for time in 1..<100 { #expect(!report.failed("refused", now: Int64(time) * 1_000_000_000)) }
        #expect(report.succeeded())
        #expect(!report.succeeded())
    }

    @Test func anotherReasonIsSaid() {
        var report = TroubleReport()
        #expect(report.failed("refused", now: 0))
        #expect(report.failed("expired", now: 1))
        #expect(!report.failed("refused", now: 2), "twice in a moment")
        #expect(report.succeeded() == false, "what was not said needs no end")
    }

    @Test func troubleThatComesAndGoesIsSaidNowAndThen() {
        var report = TroubleReport()
        var lines = 0
        for time in 0..<30 {
            if report.failed("refused", now: Int64(time) * 1_000_000_000) { lines += 1 }
            if report.succeeded() { lines += 1 }
        }
        #expect(lines == 6)
    }

    @Test func troubleThatWasHeldBackIsSaidWhenItStays() {
        var report = TroubleReport()
        #expect(report.failed("refused", now: 0))
        #expect(report.succeeded())
        #expect(!report.failed("refused", now: 1))
        #expect(report.failed("refused", now: TroubleReport.pause))
    }

    @Test func reasonsAreBounded() {
        var report = TroubleReport()
        for number in 0..<1000 { #expect(report.failed("reason \(number)", now: 0)) }
    }
}
