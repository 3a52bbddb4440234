/// What the issuer says of itself.
extension Issuer {
    /// How many revocations that wait are counted.
    private static let mostWaiting = 1000

    func readiness() async -> Readiness {
        let storeAnswers: Bool
        do {
            try await self.store.ping()
            storeAnswers = true
        } catch {
            storeAnswers = false
        }
        return Readiness(
            storeAnswers: storeAnswers, isStopping: self.stop.hasBegun,
            redisIsUp: await self.revocations.publisher?.isUp)
    }

    func metricsReport() async -> MetricsReport {
        MetricsReport(
            counts: self.audit.metrics.counts, keys: self.keyAges(), publishing: await self.publishing(),
            auditDropped: self.audit.dropped, auditWaiting: self.audit.waiting, process: .current)
    }

    private func keyAges() -> [MetricsReport.KeyAge] {
        let now = self.clock.now()
        let schedule = self.keys.schedule
        return zip(schedule.keys, schedule.states(now: now, longestLifetime: 0)).map { key, state in
            .init(kid: key.kid, algorithm: key.algorithm, state: state.name, age: now - Double(key.createdAt))
        }
    }

    private func publishing() async -> MetricsReport.Publishing? {
        guard let publisher = self.revocations.publisher,
            let waiting = try? await self.store.unpublishedRevocations(
                now: self.clock.now(), limit: Self.mostWaiting)
        else { return nil }
        return .init(isUp: await publisher.isUp, waiting: waiting.count, lag: await publisher.lag)
    }
}
