import CFuzzer
import Glibc

/// What the command line chose. Set once, before libFuzzer starts; it calls back on this same thread.
nonisolated(unsafe) var chosen: FuzzTarget?

/// libFuzzer's entry point. Its runtime wants a function of this name even where another one is given to the driver.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // The one use of a pointer here: the input is copied, and the copy has bounds that are checked.
    chosen?.run(Array(UnsafeBufferPointer(start: data, count: count)))
    return 0
}

let names = FuzzTarget.allCases.map(\.rawValue)
if CommandLine.arguments.dropFirst().first == "--list" {
    print(names.joined(separator: "\n"))
    exit(0)
}
chosen = CommandLine.arguments.dropFirst().first.flatMap(FuzzTarget.init(rawValue:))
if chosen == nil {
    print("usage: postern-fuzz \(names.joined(separator: "|")) [libFuzzer's arguments]")
    exit(64)
}

// The driver reads `program arguments…`: the target's name is taken out from between.
let program = CommandLine.unsafeArgv[0]
let shifted = CommandLine.unsafeArgv + 1
shifted[0] = program
var argumentCount = CommandLine.argc - 1
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = shifted
exit(LLVMFuzzerRunDriver(&argumentCount, &arguments, testOneInput))
