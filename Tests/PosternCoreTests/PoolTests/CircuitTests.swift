import PosternCore
import Testing

@Suite("Circuit")
struct CircuitTests {
    /// Opens after three failures; pauses from 10 up to 100.
    private static let settings = Circuit.Settings(failures: 3, base: 10, maximum: 100)

    private func opened(random: Double = 0) -> Circuit {
        var circuit = Circuit(settings: Self.settings)
        for _ in 0..<3 { _ = circuit.failed(now: 0, random: random) }
        return circuit
    }

    @Test func opensAfterFailuresInARow() {
        var circuit = Circuit(settings: Self.settings)
        #expect(circuit.allows)
        #expect(circuit.failed(now: 1, random: 0) == .none)
        #expect(circuit.failed(now: 2, random: 0) == .none)
        #expect(circuit.allows)
        #expect(circuit.failed(now: 3, random: 0.5) == .open(probeAt: 18))
        #expect(!circuit.allows)
        #expect(circuit.failed(now: 4, random: 0) == .none)
    }

    @Test func successStartsTheCountAnew() {
        var circuit = Circuit(settings: Self.settings)
        for _ in 0..<10 {
            #expect(circuit.failed(now: 0, random: 0) == .none)
            #expect(circuit.failed(now: 0, random: 0) == .none)
            #expect(circuit.succeeded() == .none)
        }
        #expect(circuit.allows)
    }

    @Test func probesComeFurtherAndFurtherApart() {
        var circuit = self.opened()
        let almostOne = 0.999_999_999
        // Ceilings 40, 80, 100, 100 …: the pause is just below.
        for (now, at) in [(1000, 1039), (2000, 2079), (3000, 3099), (4000, 4099)] as [(Int64, Int64)] {
            #expect(circuit.probeFailed(now: now, random: almostOne) == .probe(at: at))
            #expect(!circuit.allows)
        }
        #expect(circuit.probeFailed(now: 5000, random: 0) == .probe(at: 5010))
        for random in [1, -0.1, .nan, .infinity] as [Double] {
            #expect(circuit.probeFailed(now: 0, random: random) == .probe(at: 10))
        }
        for _ in 0..<200 { _ = circuit.probeFailed(now: 0, random: 0) }
        #expect(circuit.probeFailed(now: 0, random: 0.5) == .probe(at: 55))
    }

    @Test func probeThatSucceedsCloses() {
        var circuit = self.opened()
        _ = circuit.probeFailed(now: 0, random: 0)
        #expect(circuit.probeSucceeded() == .close)
        #expect(circuit.allows)
        #expect(circuit.probeSucceeded() == .none)
        // The count and the pauses begin from the start.
        #expect(circuit.failed(now: 0, random: 0.5) == .none)
        #expect(circuit.failed(now: 0, random: 0.5) == .none)
        #expect(circuit.failed(now: 0, random: 0.5) == .open(probeAt: 15))
    }

    @Test func lateCallThatSucceedsClosesAndOvertakesTheProbe() {
        var circuit = self.opened()
        #expect(circuit.succeeded() == .close)
        #expect(circuit.allows)
        #expect(circuit.probeFailed(now: 0, random: 0) == .none)
        #expect(circuit.allows)
        #expect(circuit.failed(now: 0, random: 0) == .none)
        #expect(circuit.failed(now: 0, random: 0) == .none)
        #expect(circuit.allows)
    }

    @Test func settingsOutOfRangeAreBroughtIntoIt() {
        let settings = Circuit.Settings(failures: 0, base: -5, maximum: -9)
        #expect(settings == Circuit.Settings(failures: 1, base: 1, maximum: 1))
        var circuit = Circuit(settings: settings)
        #expect(circuit.failed(now: 0, random: 0.9) == .open(probeAt: 1))
    }

    @Test func timesDoNotOverflow() {
        var circuit = Circuit(settings: .init(failures: 1, base: 1 << 62, maximum: Int64.max))
        #expect(circuit.failed(now: Int64.max - 5, random: 0.9) == .open(probeAt: Int64.max))
        #expect(circuit.probeFailed(now: 0, random: 0) == .probe(at: 1 << 62))
        for _ in 0..<70 { #expect(circuit.probeFailed(now: 1 << 62, random: 0.999) == .probe(at: Int64.max)) }
    }
}
