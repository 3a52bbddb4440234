import Foundation
import HTTPTypes

/// All trades of the demo, in memory; two are open from the start.
actor TradeBook {
    private static let capacity = 1000
    private static let contract = 100_000.0

    private var trades: [Int: Trade] = [:]
    private var nextTicket = 700_001
    private var closed = 0
    private var realized = 0.0

    init() {
        let opened = "2026-01-05T09:30:00Z"
        self.trades[700_001] = Trade(
            tradeId: 700_001, symbol: "EURUSD", side: .buy, volume: 0.5, openPrice: 1.08105, openedAt: opened)
        self.trades[700_002] = Trade(
            tradeId: 700_002, symbol: "USDJPY", side: .sell, volume: 0.2, openPrice: 151.62, openedAt: opened)
        self.nextTicket = 700_003
    }

    func open() -> [Trade] {
        self.trades.values.sorted { $0.tradeId < $1.tradeId }
    }

    func counts() -> (open: Int, closed: Int) {
        (self.trades.count, self.closed)
    }

    func open(_ order: Order) throws -> Trade {
        guard let quote = Quote.of(order.symbol) else {
            throw Failure(status: .badRequest, message: "symbol is one of \(Quote.symbols.joined(separator: ", "))")
        }
        guard order.volume >= 0.01, order.volume <= 100 else {
            throw Failure(status: .badRequest, message: "volume is a number of lots from 0.01 to 100")
        }
        guard self.trades.count < Self.capacity else {
            throw Failure(status: .conflict, message: "\(Self.capacity) trades are open; close one first")
        }
        let trade = Trade(
            tradeId: self.nextTicket, symbol: order.symbol, side: order.side, volume: order.volume,
            openPrice: order.side == .buy ? quote.ask : quote.bid, openedAt: Date.now.formatted(.iso8601))
        self.trades[trade.tradeId] = trade
        self.nextTicket += 1
        return trade
    }

    func close(_ ticket: Int) -> Trade? {
        guard var trade = self.trades.removeValue(forKey: ticket), let quote = Quote.of(trade.symbol) else {
            return nil
        }
        let price = trade.side == .buy ? quote.bid : quote.ask
        let move = trade.side == .buy ? price - trade.openPrice : trade.openPrice - price
        let profit = (move * trade.volume * Self.contract / (trade.symbol == "USDJPY" ? 150 : 1) * 100).rounded() / 100
        trade.status = "closed"
        trade.closePrice = price
        trade.profit = profit
        self.closed += 1
        self.realized += profit
        return trade
    }

    func balance() -> AccountBalance {
        let balance = 25_000 + self.realized
        let margin = self.trades.values.reduce(0) { $0 + $1.volume * 1_000 }
        return AccountBalance(balance: balance, equity: balance, margin: margin, freeMargin: balance - margin)
    }
}
