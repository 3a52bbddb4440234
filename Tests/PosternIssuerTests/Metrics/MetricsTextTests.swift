import Testing

@testable import PosternIssuer

@Suite struct MetricsTextTests {
    @Test("Families, labels and values are written as the format asks")
    func format() throws {
        var metrics = MetricsText()
        metrics.family("a_total", .counter, "Counts.")
        metrics.sample("a_total", [("x", "plain"), ("y", "a \"b\" \\ c\nd ä")], UInt64(7))
        metrics.family("b", .gauge, "Is.")
        metrics.sample("b", [], 0.25)
        #expect(
            metrics.text == """
                # HELP a_total Counts.
                # TYPE a_total counter
                a_total{x="plain",y="a \\"b\\" \\\\ c\\nd ä"} 7
                # HELP b Is.
                # TYPE b gauge
                b 0.25

                """)
        let read = try Exposition(metrics.text)
        #expect(read.samples[0].labels == ["x": "plain", "y": "a \"b\" \\ c\nd ä"])
    }

    @Test("A histogram is cumulative and ends without bound")
    func histogram() throws {
        var histogram = DurationHistogram()
        for duration in [0, 0.0005, 0.0006, 10, 10.1] { histogram.record(duration) }
        var metrics = MetricsText()
        metrics.family("d", .histogram, "Lasts.")
        metrics.histogram("d", [("route", "/a")], histogram)
        let read = try Exposition(metrics.text)
        #expect(read.value("d_bucket", ["le": "0.0005", "route": "/a"]) == 2)
        #expect(read.value("d_bucket", ["le": "0.001"]) == 3)
        #expect(read.value("d_bucket", ["le": "10.0"]) == 4)
        #expect(read.value("d_bucket", ["le": "+Inf"]) == 5)
        #expect(read.value("d_count") == 5)
        #expect(read.value("d_sum") == 20.1011)
    }

    @Test(
        "The tests' reader refuses what a scraper would",
        arguments: [
            "a 1", "# TYPE a gauge\na 1\n", "# HELP a A.\n# TYPE a gauge\na 1\na 1\n",
            "# HELP a A.\n# TYPE a gauge\na{x=\"1} 1\n", "# HELP a A.\n# TYPE a gauge\na one\n",
            "# HELP a A.\n# TYPE a gauge\na{x=\"\\q\"} 1\n", "# HELP a A.\n# TYPE a gauge\n1a 1\n",
            "# HELP a A.\n# TYPE a counter\na 1\n",
            "# HELP a A.\n# TYPE a gauge\n# HELP b B.\n# TYPE b gauge\na 1\n",
            "# HELP h H.\n# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n",
        ])
    func reader(_ text: String) {
        #expect(throws: Exposition.Fault.self) { try Exposition(text) }
    }
}
