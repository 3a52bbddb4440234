/// Which way a trade bets.
enum Side: String, Codable {
    case buy, sell
}

/// What a client asks to open.
struct Order: Decodable {
    var symbol: String
    var side: Side
    /// Lots.
    var volume: Double
}

/// One position.
struct Trade: Encodable, Sendable {
    var tradeId: Int
    var symbol: String
    var side: Side
    var volume: Double
    var openPrice: Double
    var openedAt: String
    var status = "open"
    var closePrice: Double?
    var profit: Double?
}

/// The account that the trades belong to.
struct TradingAccount: Encodable {
    var login = 50_012_345
    var server = "Demo-MT5"
    var currency = "USD"
    var leverage = 100
    var name = "Reference Trading Account"
}

/// Money in the account.
struct AccountBalance: Encodable {
    var currency = "USD"
    var balance: Double
    var equity: Double
    var margin: Double
    var freeMargin: Double
}
