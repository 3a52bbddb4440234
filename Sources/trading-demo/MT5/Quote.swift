/// The price of one symbol. Fixed prices: the demo is for headers and scopes, not for markets.
struct Quote: Encodable {
    var symbol: String
    var bid: Double
    var ask: Double
    var digits: Int

    private static let all = [
        Quote(symbol: "EURUSD", bid: 1.08412, ask: 1.08424, digits: 5),
        Quote(symbol: "GBPUSD", bid: 1.26731, ask: 1.26745, digits: 5),
        Quote(symbol: "USDJPY", bid: 151.208, ask: 151.221, digits: 3),
        Quote(symbol: "XAUUSD", bid: 2381.42, ask: 2381.77, digits: 2),
    ]

    static var symbols: [String] { self.all.map(\.symbol) }

    static func of(_ symbol: String) -> Quote? {
        self.all.first { $0.symbol == symbol }
    }
}
