import PosternCore
import Testing

@Suite struct AddressBookTests {
    private static func book(_ addresses: [String], turn: UInt = 0) -> AddressBook<String> {
        var book = AddressBook<String>(turn: turn)
        _ = book.resolved(addresses)
        return book
    }

    private static let pause = AddressBook<String>.shortestPause

    @Test("connections begin with one address after the other, and go on to the others in turn")
    func spreading() {
        var book = Self.book(["a", "b", "c"])
        #expect(book.order(now: 0) == ["a", "b", "c"])
        #expect(book.order(now: 0) == ["b", "c", "a"])
        #expect(book.order(now: 0) == ["c", "a", "b"])
        #expect(book.order(now: 0) == ["a", "b", "c"])
    }

    @Test(
        "where the spreading begins is up to the caller, and never out of range",
        arguments: [0, 1, 2, 5, .max] as [UInt])
    func beginning(_ turn: UInt) {
        var book = Self.book(["a", "b", "c"], turn: turn)
        let order = book.order(now: 0)
        #expect(order.first == ["a", "b", "c"][Int(turn % 3)])
        #expect(Set(book.order(now: 0)) == ["a", "b", "c"])
    }

    @Test("an address that did not answer is tried last for a while, and is one of the others after it")
    func deadAddress() {
        var book = Self.book(["a", "b", "c"])
        book.tried(["a", "b", "c"], connected: "b", now: 0)
        for turn in 0..<6 {
            let order = book.order(now: Self.pause - 1)
            #expect(order.last == "a" && order.count == 3, "connection \(turn)")
        }
        var firsts: Set<String> = []
        for _ in 0..<3 { firsts.insert(book.order(now: Self.pause)[0]) }
        #expect(firsts == ["a", "b", "c"])
    }

    @Test("the pause doubles with every failure in a row, up to a bound, and a success ends it")
    func pauses() {
        var book = Self.book(["a", "b"])
        var now: Int64 = 0
        for seconds: Int64 in [5, 10, 20, 40, 60, 60] {
            book.tried(["a", "b"], connected: "b", now: now)
            now += seconds * 1_000_000_000
            #expect(book.order(now: now - 1).last == "a")
            #expect(book.order(now: now - 1).last == "a")
            #expect(Set([book.order(now: now)[0], book.order(now: now)[0]]) == ["a", "b"])
        }
        book.tried(["a", "b"], connected: "b", now: now)
        book.tried(["a"], connected: "a", now: now)
        #expect(Set([book.order(now: now)[0], book.order(now: now)[0]]) == ["a", "b"])
        book.tried(["a", "b"], connected: "b", now: now)
        #expect(
            book.order(now: now + Self.pause - 1).last == "a", "the first failure after a success counts as the first")
        #expect(Set((0..<2).map { _ in book.order(now: now + Self.pause)[0] }) == ["a", "b"])
    }

    @Test("while none answers all are tried, the one that failed first before the others")
    func allDead() {
        var book = Self.book(["a", "b", "c"])
        book.tried(["c"], connected: nil, now: 0)
        book.tried(["a"], connected: nil, now: 1)
        book.tried(["b"], connected: nil, now: 2)
        #expect(book.order(now: 3) == ["c", "a", "b"])
        #expect(book.order(now: 3) == ["c", "a", "b"])
    }

    @Test("an attempt that reached none counts against all that it tried")
    func noneAnswered() {
        var book = Self.book(["a", "b", "c"])
        book.tried(["a", "b"], connected: nil, now: 0)
        #expect(book.order(now: 1).first == "c")
        #expect(book.order(now: 1).first == "c")
    }

    @Test("what the name stands for now is what counts: new addresses come in, others are gone, with their troubles")
    func resolvedAnew() {
        var book = AddressBook<String>()
        #expect(book.isEmpty)
        #expect(book.resolved(["a", "b"]) == false)
        #expect(book.resolved(["b", "a"]) == false)
        #expect(book.resolved(["a", "b", "c"]) == false)
        book.tried(["a"], connected: nil, now: 0)
        #expect(book.resolved(["b", "c"]) == true)
        #expect(!book.contains("a") && book.contains("b") && book.contains("c") && !book.isEmpty)
        _ = book.resolved(["a", "b", "c"])
        #expect((0..<3).contains { _ in book.order(now: 1)[0] == "a" }, "its trouble went with it")
    }

    @Test("an address that is gone is not remembered when an attempt at it ends late")
    func lateAttempt() {
        var book = Self.book(["a", "b"])
        _ = book.resolved(["b"])
        book.tried(["a", "b"], connected: nil, now: 0)
        _ = book.resolved(["a", "b"])
        #expect(book.order(now: 1).first == "a")
    }

    @Test("an address that is named twice is one address")
    func twice() {
        var book = Self.book(["a", "a", "b", "a"])
        #expect(book.order(now: 0) == ["a", "b"])
    }
}
