import Foundation
import HTTPTypes
import Hummingbird

/// The MT5 API: trades, the account behind them, prices, and figures for administrators.
struct MT5API: Sendable {
    let book: TradeBook

    private struct Trades: Encodable {
        var trades: [Trade]
        var count: Int
    }

    private struct Stats: Encodable {
        var openTrades: Int
        var closedTrades: Int
        var volume: Double
        var symbols: [String]
    }

    func register(in routes: inout RouteList) {
        let book = self.book
        routes.on(.get, "/health") { request, _ in try Answer.json(Health(service: "mt5"), to: request) }
        routes.on(.get, "/api/v1/trades") { request, _ in
            let trades = await book.open()
            return try Answer.json(Trades(trades: trades, count: trades.count), to: request)
        }
        routes.on(.post, "/api/v1/trades") { request, context in
            let order = try await request.decode(as: Order.self, context: context)
            return try Answer.json(try await book.open(order), status: .created, to: request)
        }
        routes.on(.delete, "/api/v1/trades/{trade_id}") { request, context in
            let text = try context.parameters.require("trade_id")
            guard let ticket = Int(text), ticket > 0 else {
                throw Failure(status: .badRequest, message: "trade_id is a positive whole number")
            }
            guard let trade = await book.close(ticket) else {
                throw Failure(status: .notFound, message: "there is no open trade \(ticket)")
            }
            return try Answer.json(trade, to: request)
        }
        routes.on(.get, "/api/v1/account") { request, _ in try Answer.json(TradingAccount(), to: request) }
        routes.on(.get, "/api/v1/account/balance") { request, _ in try Answer.json(await book.balance(), to: request) }
        routes.on(.get, "/api/v1/market/{symbol}") { request, context in
            let symbol = try context.parameters.require("symbol")
            guard let quote = Quote.of(symbol) else {
                throw Failure(status: .notFound, message: "the symbol is not traded here")
            }
            return try Answer.json(quote, to: request)
        }
        routes.on(.get, "/api/v1/admin/stats") { request, _ in
            let (open, closed) = await book.counts()
            let volume = await book.open().reduce(0) { $0 + $1.volume }
            let stats = Stats(openTrades: open, closedTrades: closed, volume: volume, symbols: Quote.symbols)
            return try Answer.json(stats, to: request)
        }
    }
}
