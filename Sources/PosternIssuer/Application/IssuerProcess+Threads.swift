import NIOCore
import PosternSystem

extension IssuerProcess {
    /// Has as many event loops made as there are processors that this process may use: a cgroup's quota counts, and what
    /// the process is pinned to. More would take turns on the same processor, each with the other's caches to clear.
    ///
    /// To be called once, before anything else of this module is used.
    public static func fitEventLoops() {
        NIOSingletons.groupLoopCountSuggestion = UsableProcessors.count
    }
}
