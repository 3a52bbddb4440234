#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Nanoseconds of processor time that this process has used.
func processorTime() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// Says what the program takes, and ends it.
func usage() -> Never {
    print("usage: postern-micro --list | OPERATION COUNT [--time]")
    exit(64)
}

let arguments = Array(CommandLine.arguments.dropFirst())
if arguments.first == "--list" {
    for operation in Operation.all { print("\(operation.name)\t\(operation.about)") }
    exit(0)
}
guard arguments.count == 2 || arguments.count == 3 && arguments[2] == "--time",
    let operation = Operation.all.first(where: { $0.name == arguments[0] }), let count = Int(arguments[1]), count > 0
else { usage() }
do {
    let run = try operation.prepare()
    // Whatever grows once has grown before it counts.
    _ = try run(16)
    let start = processorTime()
    let result = try run(count)
    let time = processorTime() - start
    guard result != 0 else { throw WrongResult("nothing was done") }
    // Without being asked for nothing is written: what is written would be counted.
    if arguments.count == 3 { print(Double(time) / Double(count)) }
} catch {
    print("error: \(operation.name): \(error)")
    exit(1)
}
