import Foundation
import PosternCrypto
import Testing

@testable import PosternIssuer

@Suite struct MasterKeyTests {
    @Test("A key is read from base64url and from hexadecimal of either case")
    func decodes() {
        let bytes = [UInt8](repeating: 0xAB, count: 32)
        #expect(MasterKey.decode(String(repeating: "ab", count: 32)) == bytes)
        #expect(MasterKey.decode(String(repeating: "AB", count: 32)) == bytes)
        #expect(MasterKey.decode("q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s") == bytes)
    }

    @Test(
        "Anything else is no key",
        arguments: [
            "", "secret", String(repeating: "ab", count: 31), String(repeating: "ab", count: 33),
            String(repeating: "g", count: 64), "q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=",
            "q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6t",
        ])
    func refuses(_ text: String) {
        #expect(MasterKey.decode(text) == nil)
    }

    @Test("Each use has a key of its own, and each client a development secret of its own")
    func derives() throws {
        let key = try MasterKey([UInt8](repeating: 1, count: 32))
        #expect(key.sealing != key.pepper)
        let secret = try key.devSecret(of: "a")
        #expect(secret.utf8.count == 32)
        #expect(try key.devSecret(of: "a") == secret)
        #expect(try key.devSecret(of: "b") != secret)
        #expect(try MasterKey([UInt8](repeating: 2, count: 32)).devSecret(of: "a") != secret)
        #expect(throws: CryptoError.self) { try MasterKey([1, 2, 3]) }
    }
}

@Suite struct KeyFileTests {
    private func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require(attributes[.posixPermissions] as? Int)
    }

    @Test("The file is made once, for its owner alone, and read afterwards")
    func makes() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("key")
        let key = try KeyFile.load(path, create: true)
        #expect(key.count == 32)
        #expect(try self.mode(path) == 0o600)
        #expect(try KeyFile.load(path, create: true) == key)
        #expect(try KeyFile.load(path, create: false) == key)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["key"])
    }

    @Test("A missing file is not replaced where keys exist already")
    func missing() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("key")
        #expect(
            throws: IssuerStartError.keyFile("\(path) is missing, and only it can open the store's keys; restore it")
        ) {
            try KeyFile.load(path, create: false)
        }
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test("A file that others may read or write is refused", arguments: [0o640, 0o604, 0o620, 0o602, 0o644])
    func permissions(_ mode: Int) throws {
        let folder = try TemporaryFolder()
        let path = folder.file("key")
        _ = try KeyFile.load(path, create: true)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        #expect(
            throws: IssuerStartError.keyFile(
                "\(path) can be read by others; make a new key, or chmod 600 it if nobody did")
        ) { try KeyFile.load(path, create: true) }
    }

    @Test("A file with other contents is refused", arguments: ["", "\n", "not a key\n"])
    func contents(_ text: String) throws {
        let folder = try TemporaryFolder()
        let path = folder.file("key")
        #expect(
            FileManager.default.createFile(
                atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600]))
        #expect(throws: IssuerStartError.self) { try KeyFile.load(path, create: true) }
    }
}
