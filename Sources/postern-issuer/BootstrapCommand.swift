import ArgumentParser
import PosternIssuer

struct BootstrapCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bootstrap",
        abstract: "Sets up a new store: makes its keys and an administrator's client, and prints its secret once."
    )

    @OptionGroup var store: StoreOptions
    @OptionGroup var algorithm: AlgorithmOption

    func run() async throws {
        try await Terminal.reporting {
            var options = self.store.options
            options.algorithm = self.algorithm.algorithm
            let configuration = try StoreConfiguration.resolve(options, Terminal.environment)
            Terminal.line(try await IssuerBootstrap(configuration).run())
        }
    }
}
