import ArgumentParser

/// The services of the reference deployment, as ordinary programs: none of them knows what authentication is. Each
/// answers JSON, and puts into `caller` the identity headers that reached it.
@main
struct TradingDemo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trading-demo",
        abstract: "Ordinary services without any authentication, to stand behind Postern.",
        subcommands: [MT5Command.self, AccountCommand.self, NotificationCommand.self]
    )
}

/// Where a service listens.
struct ListenOptions: ParsableArguments {
    @Option(help: "The address to listen on.")
    var host = "127.0.0.1"

    @Option(help: "The port to listen on; 0 takes a free one, which is printed.")
    var port: Int

    func validate() throws {
        guard (0...65535).contains(self.port) else { throw ValidationError("--port is a number from 0 to 65535") }
    }
}

struct MT5Command: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "mt5", abstract: "The MT5 trading API (port 8001).")

    @OptionGroup var listen: ListenOptions

    func run() async throws {
        try await DemoService.serve("mt5", on: self.listen) { MT5API(book: TradeBook()).register(in: &$0) }
    }
}

struct AccountCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account", abstract: "Profiles and balances (port 8002).")

    @OptionGroup var listen: ListenOptions

    func run() async throws {
        try await DemoService.serve("account", on: self.listen) {
            AccountAPI(directory: ProfileDirectory()).register(in: &$0)
        }
    }
}

struct NotificationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "notification", abstract: "Sends and lists notifications (port 8003).")

    @OptionGroup var listen: ListenOptions

    func run() async throws {
        try await DemoService.serve("notification", on: self.listen) {
            NotificationAPI(outbox: Outbox()).register(in: &$0)
        }
    }
}
