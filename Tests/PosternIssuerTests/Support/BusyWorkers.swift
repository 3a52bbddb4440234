import Foundation

@testable import PosternIssuer

/// Workers of which all are busy, until they are let go.
struct BusyWorkers {
    let workers: PasswordWorkers
    private let gate = DispatchSemaphore(value: 0)
    private let tasks: [Task<Int, any Error>]

    /// Returns when `limit` run and `waiting` more wait.
    init(limit: Int, waiting: Int, waitingLimit: Int) async {
        let workers = PasswordWorkers(limit: limit, waitingLimit: waitingLimit)
        self.workers = workers
        let gate = self.gate
        var tasks: [Task<Int, any Error>] = []
        for number in 0..<(limit + waiting) {
            tasks.append(
                Task {
                    try await workers.run {
                        gate.wait()
                        return number
                    }
                })
            while workers.running < min(number + 1, limit) || workers.waiting < number + 1 - limit {
                await Task.yield()
            }
        }
        self.tasks = tasks
    }

    /// Lets all go and gives what they gave, in the order in which they came.
    func finish() async throws -> [Int] {
        for _ in self.tasks { self.gate.signal() }
        var results: [Int] = []
        for task in self.tasks { results.append(try await task.value) }
        return results
    }
}
