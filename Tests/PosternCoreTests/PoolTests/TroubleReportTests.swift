import PosternCore
import Testing

@Suite struct TroubleReportTests {
    @Test func troubleIsSaidOnceAndItsEndOnce() {
        var report = TroubleReport()
        #expect(report.succeeded() == false)
        #expect(report.failed("refused", now: 0) == true)
        for time in 1..<100 { #expect(report.failed("refused", now: Int64(time) * 1_000_000_000) == false) }
        #expect(report.succeeded() == true)
        #expect(report.succeeded() == false)
    }

    @Test func anotherReasonIsSaid() {
        var report = TroubleReport()
        #expect(report.failed("refused", now: 0) == true)
        #expect(report.failed("expired", now: 1) == true)
        #expect(report.failed("refused", now: 2) == false, "twice in a moment")
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
        #expect(report.failed("refused", now: 0) == true)
        #expect(report.succeeded() == true)
        #expect(report.failed("refused", now: 1) == false)
        #expect(report.failed("refused", now: TroubleReport.pause) == true)
    }

    @Test func reasonsAreBounded() {
        var report = TroubleReport()
        for number in 0..<1000 { #expect(report.failed("reason \(number)", now: 0) == true) }
    }
}
