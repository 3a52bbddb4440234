import Foundation
import Testing

@testable import PosternIssuer

/// The PostgreSQL server of this test process, on a socket in a folder of its own. It is started when a test first asks
/// for it, and ends with the process, however that ends.
struct PostgresServer: Sendable {
    /// Held open: when it closes the server ends.
    private let script: FileHandle
    /// The folder with the socket.
    private let folder: String
    /// The superuser's connection, for one at a time.
    private let administration: PostgresDatabase

    private static let shared = Task { try await PostgresServer() }

    /// Makes the cluster and starts it, as another user where this one is root, which PostgreSQL refuses. Says where it is
    /// on standard output, and lives until standard input ends: the other end of that pipe is the test process.
    private static let commands = """
        set -eu
        for open in /proc/self/fd/*; do
            if [ "${open##*/}" -gt 2 ]; then eval "exec ${open##*/}>&-"; fi
        done
        trap '' INT TERM HUP
        folder=$(mktemp -d /tmp/postern-postgres.XXXXXX)
        programs=$(printf '%s\\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
        as=
        if [ "$(id -u)" = 0 ]; then
            chown postgres "$folder"
            as="setpriv --reuid=postgres --regid=postgres --init-groups --"
        fi
        cd "$folder"
        server=
        finish() {
            # An immediate shutdown: nothing of it is needed.
            if [ -n "$server" ]; then kill -QUIT "$server" 2>/dev/null; wait "$server" || true; fi
            rm -rf "$folder"
        }
        trap finish EXIT
        $as "$programs/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >/dev/null
        printf '%s\\n' 'local all guarded scram-sha-256' 'local all all trust' >"$folder/data/pg_hba.conf"
        $as "$programs/postgres" -D "$folder/data" -k "$folder" -c listen_addresses= -c fsync=off \\
            -c full_page_writes=off -c max_connections=300 -c shared_buffers=32MB >"$folder/log" 2>&1 </dev/null &
        server=$!
        until "$programs/pg_isready" -q -h "$folder" -U postgres; do
            kill -0 "$server"
            sleep 0.05
        done
        printf '%s\\n' "$folder"
        read -r _ || true
        """

    private init() async throws {
        let script = try Self.start()
        self.script = script
        let line = await withCheckedContinuation { found in
            DispatchQueue.global().async {
                // One line, written at once, or nothing if it did not start.
                found.resume(returning: String(decoding: script.availableData, as: UTF8.self))
            }
        }
        self.folder = line.trimmingCharacters(in: .newlines)
        try #require(!self.folder.isEmpty, "PostgreSQL did not start: `deploy/local/setup.sh test` installs it")
        self.administration = PostgresDatabase(
            try PostgresURL("postgres:///postgres?host=\(self.folder)&user=postgres"), readers: 1)
        _ = try await self.administration.rows("SET statement_timeout = 0")
    }

    /// Starts the script, and gives the other end of its standard input and output.
    ///
    /// Not by `Process`: what that starts inherits the sockets by which other processes that are started at the same
    /// moment are known to live, and this one lives longest.
    private static func start() throws -> FileHandle {
        var ends: [Int32] = [0, 0]
        // Nobody else's: the script is to see this process end.
        #if os(Linux)
            let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        #else
            let kind = SOCK_STREAM
        #endif
        let result = socketpair(AF_UNIX, kind, 0, &ends)
        try #require(result == 0)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        let arguments: [UnsafeMutablePointer<CChar>?] =
            ["bash", "-c", Self.commands].map { (text: String) in strdup(text) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var child: pid_t = 0
        let error = posix_spawn(&child, "/bin/bash", &actions, nil, arguments, environ)
        try #require(error == 0)
        close(ends[1])
        return FileHandle(fileDescriptor: ends[0])
    }

    /// How an empty store of its own is reached: a schema.
    static func newStore() async throws -> String {
        let name = Self.newName()
        try await Self.administer("CREATE SCHEMA \(name)")
        return try await Self.url("postgres", more: "&options=-csearch_path%3D\(name)")
    }

    /// A new, empty database: for tests that lock others out of theirs.
    static func newDatabase(encoding: String = "UTF8") async throws -> String {
        let name = Self.newName()
        try await Self.administer(
            "CREATE DATABASE \(name) TEMPLATE template0 ENCODING '\(encoding)' LOCALE 'C'")
        return name
    }

    private static func newName() -> String {
        "test_" + UUID().uuidString.lowercased().replacing("-", with: "")
    }

    /// How a database is reached.
    static func url(_ database: String, user: String = "postgres", more: String = "") async throws -> String {
        "postgres:///\(database)?host=\(try await Self.shared.value.folder)&user=\(user)\(more)"
    }

    /// Runs one statement as the superuser, outside of any transaction.
    @discardableResult
    static func administer(_ sql: String) async throws -> [SQLRow] {
        try await Self.shared.value.administration.rows(sql)
    }
}
