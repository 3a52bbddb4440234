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

extension Array {
    /// Takes everything out, with the memory, to be changed and put back. A stored array of a class that is changed in its
    /// place anywhere is checked for exclusive access everywhere; one that is only taken and put back never is.
    @inline(__always)
    mutating func takeAll() -> Self {
        var taken: Self = []
        swap(&self, &taken)
        return taken
    }
}
