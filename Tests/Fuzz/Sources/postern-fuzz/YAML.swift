import PosternCore
import YAMLReading

private let environment = ConfigurationEnvironment(
    variable: { $0 == "UNSET" ? nil : "value-of-\($0)-0123456789abcdef0123456789abcdef" },
    file: { path in
        path.hasPrefix("/run/secrets/")
            ? .success(Array("a-secret-of-32-bytes-0123456789ab\n".utf8))
            : .failure(ConfigurationEnvironment.FileProblem(reason: "No such file or directory"))
    })

func fuzzYAML(_ input: [UInt8]) {
    guard input.count <= 8192 else { return }
    let lines = input.count { $0 == 10 || $0 == 13 } + 2
    switch YAMLReader.read(input) {
    case .failure(let problems):
        check(!problems.errors.isEmpty, "a file that is not read has an error")
        checkPlaces(problems.problems, lines: lines)
    case .success(let node):
        let first = ConfigurationLoader.load(node, environment: environment)
        check(first == ConfigurationLoader.load(node, environment: environment), "a file is read alike twice")
        switch first {
        case .failure(let problems):
            check(!problems.errors.isEmpty, "a refused file has an error")
            checkPlaces(problems.problems, lines: lines)
        case .success(let loaded):
            check(loaded.warnings.allSatisfy { $0.severity == .warning }, "an accepted file has warnings only")
            checkPlaces(loaded.warnings, lines: lines)
        }
    }
}

/// Every problem names a place that an editor can go to, and says something.
private func checkPlaces(_ problems: [ConfigurationProblem], lines: Int) {
    for problem in problems {
        check(problem.mark.line >= 1 && problem.mark.column >= 1, "places count from 1")
        // Besides CR and LF, YAML has three line ends of more than one byte.
        check(problem.mark.line <= lines * 4 + 64, "places are in the file")
        check(!problem.message.isEmpty, "a problem says what is wrong")
        let text = problem.line(file: "proxy.yaml")
        check(!text.utf8.contains(10), "a problem is one line: \(text)")
    }
}
