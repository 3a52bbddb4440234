extension SQLStore {
    func secretDigests(of clientID: String, now: Double) async throws -> [[UInt8]] {
        // For who is not there another's digest is read, so that he costs what a client with another secret does, here and
        // in the database.
        let rows = try await self.database.rows(
            """
            SELECT client_secret.digest, found.id IS NOT NULL
            FROM (SELECT (SELECT id FROM client WHERE client_id = ?) AS id) AS found LEFT JOIN client_secret
            ON client_secret.client = COALESCE(found.id, (SELECT min(client) FROM client_secret))
            AND (client_secret.ends_at IS NULL OR client_secret.ends_at > ?)
            """,
            [.text(clientID), .integer(StoredTime.second(now))])
        return try rows.compactMap { row in
            var cells = SQLCells(row)
            let digest = try cells.optionalBlob()
            return try cells.flag() ? digest : nil
        }
    }

    func keySet(of clientID: String) async throws -> String? {
        // With a row in any case, so that a client who is not there costs what one without a fitting key does.
        let rows = try await self.database.rows(
            "SELECT (SELECT key_set FROM client WHERE client_id = ?)", [.text(clientID)])
        guard let row = rows.first else { return nil }
        var cells = SQLCells(row)
        return try cells.optionalText()
    }

    func client(_ clientID: String) async throws -> ServiceClient? {
        try ClientRows.read(try await self.database.rows(self.clientRows.selectOne, [.text(clientID)])).first
    }

    func clients(after clientID: String?, limit: Int) async throws -> Page<ServiceClient> {
        // One more, to see whether there are more.
        let rows = try await self.database.rows(
            self.clientRows.selectPage, [.text(clientID ?? ""), .integer(max(limit, 0) + 1)])
        return Page(try ClientRows.read(rows), limit: limit, key: \.clientID)
    }

    func useAssertion(_ identifier: [UInt8], until: Double, now: Double) async throws -> Bool {
        try await self.database.write { connection in
            try connection.execute(
                "DELETE FROM assertion WHERE until <= ?", [.integer(StoredTime.second(now))])
            return try connection.execute(
                "INSERT INTO assertion (identifier, until) VALUES (?, ?) ON CONFLICT (identifier) DO NOTHING",
                [.blob(identifier), .integer(StoredTime.secondAfter(until))]) > 0
        }
    }

    func scopes() async throws -> [String] {
        try await self.database.rows("SELECT name FROM scope ORDER BY id").map { row in
            var cells = SQLCells(row)
            return try cells.text()
        }
    }
}

/// Clients as rows: each is one, with its scopes as one text.
struct ClientRows: Sendable {
    private static let columns = """
        client.client_id, client.name, client.description, client.is_active, client.is_trusted,
        client.access_token_lifetime, client.refresh_token_lifetime, client.rate_limit_per_minute,
        client.rate_limit_per_hour, client.contact_email, client.allowed_ips, client.key_set, client.created_at,
        client.updated_at, client.tokens_valid_from
        """

    /// The client with that `client_id`.
    let selectOne: String
    /// Clients after that `client_id`, and how many.
    let selectPage: String

    init(_ dialect: SQLDialect) {
        // Scopes hold no space.
        let scopes = """
            (SELECT \(dialect.joinTexts)(name, ' ') FROM (
                SELECT scope.name FROM client_scope JOIN scope ON scope.id = client_scope.scope
                WHERE client_scope.client = client.id ORDER BY client_scope.position) AS granted)
            """
        let select = "SELECT \(Self.columns), \(scopes) FROM client"
        self.selectOne = "\(select) WHERE client.client_id = ?"
        self.selectPage = "\(select) WHERE client.client_id > ? ORDER BY client.client_id LIMIT ?"
    }

    static func read(_ rows: [SQLRow]) throws(StoreError) -> [ServiceClient] {
        var clients: [ServiceClient] = []
        for row in rows {
            var cells = SQLCells(row)
            var client = try Self.client(&cells)
            client.scopes = try cells.optionalText()?.utf8.split(separator: 0x20).map { String(Substring($0)) } ?? []
            clients.append(client)
        }
        return clients
    }

    private static func client(_ cells: inout SQLCells) throws(StoreError) -> ServiceClient {
        ServiceClient(
            clientID: try cells.text(), name: try cells.text(), description: try cells.text(),
            isActive: try cells.flag(),
            isTrusted: try cells.flag(), accessTokenLifetime: try cells.integer(),
            refreshTokenLifetime: try cells.integer(),
            rateLimits: RateLimits(perMinute: try cells.integer(), perHour: try cells.integer()),
            contactEmail: try cells.text(), allowedAddresses: try Self.blocks(try cells.text()), scopes: [],
            keySet: try cells.optionalText(), createdAt: try cells.integer(), updatedAt: try cells.integer(),
            tokensValidFrom: try cells.integer())
    }

    private static func blocks(_ text: String) throws(StoreError) -> [AddressBlock] {
        guard let blocks = AddressBlock.list(text) else { throw .malformed("allowed_ips of a client is no list") }
        return blocks
    }
}

extension Page {
    /// The page of at most `limit` from the items that were found when one more was looked for.
    init(_ found: [Item], limit: Int, key: (Item) -> String) {
        self.items = Array(found.prefix(max(limit, 0)))
        self.next = found.count > self.items.count ? self.items.last.map(key) : nil
    }
}
