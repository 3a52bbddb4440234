// Sections of plain values: nothing to find out, only to name.
extension ConfigurationDecoder {
    static func paths(_ root: Field) -> TargetOptions {
        func allows(_ key: String) -> Bool { root["paths"]?[key]?.word == "allow" }
        return TargetOptions(
            allowEmptySegments: allows("empty_segments"), allowEncodedSlash: allows("encoded_slash"),
            allowSemicolon: allows("semicolon"))
    }

    mutating func limits(_ root: Field) -> Configuration.Limits? {
        guard let section = root["limits"], let head = section["head"]?.size, let target = section["target"],
            let targetSize = target.size, let headers = section["headers"]?.integer,
            let body = section["body"].flatMap({ Self.bodyLimit($0) }),
            let connections = section["connections"]?.integer, let token = section["token"],
            let tokenSize = token.size, let identity = section["identity"]?.size
        else { return nil }
        for (field, size) in [(target, targetSize), (token, tokenSize)] where size > head {
            // With a small head and no word about the rest, the rest shrinks with it.
            guard field.isWritten else { continue }
            self.report("cannot be larger than limits.head (\(ByteSize.text(head)))", at: field)
        }
        return Configuration.Limits(
            head: head, target: min(targetSize, head), headers: headers, body: body, connections: connections,
            token: min(tokenSize, head), identity: identity)
    }

    static func bodyLimit(_ field: Field) -> Configuration.BodyLimit? {
        if let size = field.size { return .bytes(size) }
        return field.word == nil ? nil : .unlimited
    }

    static func timeouts(_ root: Field) -> Configuration.Timeouts? {
        guard let section = root["timeouts"], let head = section["head"]?.duration,
            let idle = section["idle"]?.duration, let bodyIdle = section["body_idle"]?.duration,
            let connect = section["connect"]?.duration, let response = section["response"]?.duration,
            let upstreamIdle = section["upstream_idle"]?.duration,
            let tunnelIdle = section["tunnel_idle"]?.duration, let drain = section["drain"]?.duration,
            let drainDelay = section["drain_delay"]?.duration
        else { return nil }
        return Configuration.Timeouts(
            head: head, idle: idle, bodyIdle: bodyIdle, connect: connect, response: response,
            upstreamIdle: upstreamIdle, tunnelIdle: tunnelIdle, drain: drain, drainDelay: drainDelay)
    }

    static func log(_ root: Field) -> Configuration.Log? {
        guard let section = root["log"],
            let level = section["level"]?.word.flatMap({ Configuration.Log.Level(rawValue: $0) }),
            let access = section["access"]?.word.flatMap({ Configuration.Log.Access(rawValue: $0) })
        else { return nil }
        return Configuration.Log(level: level, access: access)
    }
}
