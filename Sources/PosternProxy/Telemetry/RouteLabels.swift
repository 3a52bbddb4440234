import Synchronization

/// The route labels of a process and their numbers. They outlive reloads, so that a counter keeps its meaning when routes
/// come and go: the set grows only by what configuration files declare.
final class RouteLabels: Sendable {
    private struct State {
        var names = ["none", "default"]
        var numbers = ["none": 0, "default": 1]
    }

    private let state = Mutex(State())

    /// The label of a request that never reached a route.
    static let none = 0
    /// The label of a request that no route declares.
    static let fallback = 1

    /// The number of a label, given at its first use.
    func number(of label: String) -> Int {
        self.state.withLock { state in
            if let number = state.numbers[label] { return number }
            state.names.append(label)
            state.numbers[label] = state.names.count - 1
            return state.names.count - 1
        }
    }

    /// All labels by number.
    var names: [String] { self.state.withLock { $0.names } }
}
