import NIOCore
import PosternCore
import Synchronization

/// The event loops, once they are there: what all of them are to know is told to them here.
final class LoopList: Sendable {
    private let loops = Mutex<[NIOLoopBound<LoopContext>]>([])

    func set(_ loops: [NIOLoopBound<LoopContext>]) {
        self.loops.withLock { $0 = loops }
    }

    /// Has every event loop, or all but some, do something, each in its own time, in the order of the calls.
    func tell(except others: [any EventLoop] = [], _ task: @escaping @Sendable (LoopContext) -> Void) {
        for loop in self.loops.withLock({ $0 }) where !others.contains(where: { $0 === loop.eventLoop }) {
            loop.eventLoop.execute { task(loop.value) }
        }
    }
}
