extension ConfigurationDecoder {
    /// `health` of an upstream; nil where there is none, or where a problem was found in it.
    mutating func health(_ field: Field?) -> Configuration.Health? {
        guard let field, let path = field["path"]?.text, let interval = field["interval"],
            let duration = interval.duration, let failures = field["failures"]?.integer
        else { return nil }
        if duration < Self.shortInterval {
            self.warn(
                "the service is asked \(Nanoseconds.second / duration) times a second: 1s or more is usual",
                at: interval.mark, path: interval.path)
        }
        // A day, a thousand times, is far from what 64 bits hold.
        let detection = duration * Int64(failures)
        if detection > Self.longDetection {
            self.warn(
                "a service that is down gets requests for up to \(Nanoseconds.text(detection)) before it counts as "
                    + "down (interval x failures)", at: interval.mark, path: interval.path)
        }
        return Configuration.Health(path: path, interval: duration, failures: failures)
    }

    /// Checks that follow each other faster than this are worth a warning; and so is what takes longer than this to notice.
    private static let shortInterval = Nanoseconds.second / 2
    private static let longDetection = 10 * Nanoseconds.minute
}
