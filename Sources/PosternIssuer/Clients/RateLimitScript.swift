/// The script by which Redis counts, in one step for all windows of a key: what `RateLimiter` does in process.
struct RateLimitScript: Sendable {
    /// `KEYS[1]`: a hash with the start (`s` and the length) and the count (`n` and the length) of each window.
    /// `ARGV`: the time, `1` if it counts, then length and limit of each window; times and lengths in milliseconds.
    /// Answers with the milliseconds to wait; 0: it may go on. The key is forgotten when its last window is over.
    static let text = """
        local now, wait, longest, begins = tonumber(ARGV[1]), 0, 0, {}
        for i = 3, #ARGV, 2 do
          local length, most = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
          local window = redis.call('HMGET', KEYS[1], 's' .. ARGV[i], 'n' .. ARGV[i])
          local start, count = tonumber(window[1]), tonumber(window[2])
          if not start or not count or now >= start + length or now < start - length then
            start, count, begins[i] = now, 0, true
          end
          if count >= most then wait = math.max(wait, start + length - now) end
          longest = math.max(longest, length)
        end
        if wait > 0 then return wait end
        if ARGV[2] == '1' then
          for i = 3, #ARGV, 2 do
            if begins[i] then
              redis.call('HSET', KEYS[1], 's' .. ARGV[i], ARGV[1], 'n' .. ARGV[i], 1)
            else
              redis.call('HINCRBY', KEYS[1], 'n' .. ARGV[i], 1)
            end
          end
          redis.call('PEXPIRE', KEYS[1], longest)
        end
        return 0
        """
    /// SHA-1 of the text, by which Redis knows a script that it has seen.
    static let digest = "b110aa88afe160914a5111e82e33a756b4e6e063"

    /// What follows the script or its digest in a command.
    let arguments: [[UInt8]]

    /// - Parameters:
    ///   - now: Unix seconds.
    ///   - counts: False: only ask.
    init(key: [UInt8], windows: [RateWindow], now: Double, counts: Bool) {
        var numbers = [Int((now * 1000).rounded(.down)), counts ? 1 : 0]
        for window in windows { numbers += [window.length * 1000, window.most] }
        self.arguments = [Array("1".utf8), key] + numbers.map { Array(String($0).utf8) }
    }

    /// Short, but refused with `NOSCRIPT` by a Redis that has not seen the script.
    var short: [[UInt8]] { [Array("EVALSHA".utf8), Array(Self.digest.utf8)] + self.arguments }
    /// Brings the script along.
    var whole: [[UInt8]] { [Array("EVAL".utf8), Array(Self.text.utf8)] + self.arguments }
}
