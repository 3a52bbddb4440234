/// Requests that two templates of one method match of which neither is more specific: `/{a}/me` and `/books/{b}` both
/// match `/books/me`.
struct Overlaps {
    /// The most that are worked out for one document.
    static let limit = 2000

    struct Overlap {
        var shape: PathShape
        var access: Access
        /// The templates that could be meant.
        var origins: [Int]
    }

    private let templates: [(shape: PathShape, access: Access)]

    /// - Parameter templates: no two have the same shape.
    init(_ templates: [(shape: PathShape, access: Access)]) {
        self.templates = templates
    }

    /// The overlaps in which it matters which template is meant. A route for each of them, with its rule, makes every
    /// choice of the most specific route a right one.
    func resolved() throws(TemplatesOverlap) -> [Overlap] {
        var groups: [Int: [Int]] = [:]
        for (index, template) in self.templates.enumerated() {
            groups[template.shape.parts.count, default: []].append(index)
        }
        var result: [Overlap] = []
        for (_, members) in groups.sorted(by: { $0.key < $1.key }) {
            result += try self.resolved(members)
            guard result.count <= Self.limit else { throw TemplatesOverlap() }
        }
        return result
    }

    /// The same for templates of one length.
    private func resolved(_ members: [Int]) throws(TemplatesOverlap) -> [Overlap] {
        guard let first = members.first,
            members.contains(where: { self.templates[$0].access != self.templates[first].access })
        else { return [] }
        let declared = Set(members.map { self.templates[$0].shape })
        // Literal paths are their own most specific template.
        let open = members.filter { !self.templates[$0].shape.isConcrete }
        var found: [PathShape] = []
        var known = declared
        var queue = open.map { self.templates[$0].shape }
        while let shape = queue.popLast() {
            for index in open {
                let other = self.templates[index].shape
                guard shape.meets(other), let both = shape.intersection(other), both != shape, both != other,
                    known.insert(both).inserted
                else { continue }
                guard found.count < Self.limit else { throw TemplatesOverlap() }
                found.append(both)
                queue.append(both)
            }
        }
        let overlaps = found.map { self.overlap($0, open) }
        // Where everything around agrees, whichever route is chosen is right.
        return overlaps.filter { overlap in
            open.contains {
                self.templates[$0].access != overlap.access && self.templates[$0].shape.contains(overlap.shape)
            } || overlaps.contains { $0.access != overlap.access && $0.shape.contains(overlap.shape) }
        }
    }

    private func overlap(_ shape: PathShape, _ members: [Int]) -> Overlap {
        let matching = members.filter { self.templates[$0].shape.contains(shape) }
        let origins = matching.filter { index in
            !matching.contains { $0 != index && self.templates[index].shape.contains(self.templates[$0].shape) }
        }
        let access = origins.dropFirst().reduce(origins.first.map { self.templates[$0].access } ?? .denied) {
            $0.both(self.templates[$1].access)
        }
        return Overlap(shape: shape, access: access, origins: origins)
    }
}
