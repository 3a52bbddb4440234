import ArgumentParser
import PosternIssuer

/// The options that every command has that opens the store.
struct StoreOptions: ParsableArguments {
    @Option(help: "sqlite:PATH (default sqlite:postern-issuer.sqlite).")
    var store: String?

    @Option(help: "The file with the key that protects the store; made with the store (default PATH.key).")
    var keyFile: String?

    @Option(help: "What is to sign the tokens: RS256 (default of a new store), ES256 or EdDSA.")
    var algorithm: String?

    var options: IssuerOptions {
        var options = IssuerOptions()
        options.store = self.store
        options.keyFile = self.keyFile
        options.algorithm = self.algorithm
        return options
    }
}
