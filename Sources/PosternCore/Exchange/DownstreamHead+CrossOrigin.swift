// Responses of the service where the proxy answers preflights: then the proxy's word about origins is the only one.
extension DownstreamHead {
    /// Appends the head with the proxy's CORS lines in place of the service's: two Access-Control-Allow-Origin would be
    /// none to a browser, and one of the service's could let in an origin that is not allowed here. `Vary: Origin` is added
    /// unless the service's own Vary says as much.
    public static func compose(
        _ bytes: RawSpan, _ head: ResponseHead, client: Client, framing: Framing, crossOrigin: CrossOriginLines,
        into output: inout [UInt8]
    ) {
        var varies = crossOrigin.variesByOrigin
        var runStart = Self.begin(bytes, head, &output)
        for field in head.fields {
            if !Self.isRemoved(bytes, head, field), !Self.isCrossOrigin(bytes, field) {
                if varies, Self.saysVaryByOrigin(bytes, field) { varies = false }
                continue
            }
            let start = Int(field.name.start)
            if start > runStart { output.append(bytes.extracting(runStart..<start)) }
            runStart = Int(field.end)
        }
        let end = head.end &- 2
        if end > runStart { output.append(bytes.extracting(runStart..<end)) }
        output.append(contentsOf: crossOrigin.fields)
        if varies { output.append("Vary: Origin\r\n") }
        Self.finish(client, framing, &output)
    }

    /// Whether the field is one of the CORS protocol: every `Access-Control-…` of a response is.
    private static func isCrossOrigin(_ bytes: RawSpan, _ field: HeaderField) -> Bool {
        let prefix = 15
        guard field.kind == .other, field.name.count > prefix else { return false }
        let start = Int(field.name.start)
        return bytes.extracting(start..<(start &+ prefix)).equalsIgnoringCase("access-control-")
    }

    /// Whether the field is a Vary that names Origin, or everything.
    private static func saysVaryByOrigin(_ bytes: RawSpan, _ field: HeaderField) -> Bool {
        guard field.kind == .other, bytes.slice(field.name).equalsIgnoringCase("vary") else { return false }
        var says = false
        forEachListItem(bytes, field.value) { item in
            if item.equalsIgnoringCase("origin") || item.equals("*") { says = true }
        }
        return says
    }
}
