import Testing

@testable import PosternCore

@Suite struct PathTemplateTests {
    @Test(arguments: [
        ("/", "/"), ("/users/{id}", "/users/{id}"), ("/a b/é", "/a%20b/%C3%A9"), ("/users/", "/users/"),
        ("/x/{user.id}/{user id}", "/x/{user_id}/{user_id_}"), ("/{9}", "/{_9}"), ("/{}", "/{_}"),
        ("/{id:[0-9]{3}}", "/{id__0-9__3_}"), ("/{proxy+}", "/{proxy_}"), ("/a?b={c}", "/a"), ("/a#get", "/a"),
        ("/v1/pets:search", "/v1/pets:search"),
    ])
    func becomesARoute(template: String, path: String) throws {
        let read = PathTemplate(template)
        #expect(read.path == path)
        #expect(read.problem == nil)
        #expect(
            read.notes.isEmpty
                == (Substring(template).contains("{")
                    ? path == template : !template.contains("?") && !template.contains("#")))
        _ = try RoutePattern.parse("GET \(path)", options: TargetOptions())
    }

    @Test(arguments: [
        ("/report.{format}", "\"report.{format}\""), ("/{a}-{b}", "\"{a}-{b}\""), ("/users({id})", "\"users({id})\""),
        ("/{a}{b}", "\"{a}{b}\""), ("/{a", "\"{a\""), ("/a}", "\"a}\""), ("/a//b", "//"), ("/a/../b", ".."),
        ("/a;b", "semicolon"),
        ("/100%", "percent"),
    ])
    func whatCannotBeSaidIsNamed(template: String, words: String) {
        let read = PathTemplate(template)
        #expect(read.path == nil)
        #expect(read.problem?.contains(words) == true, "\(read.problem ?? "")")
    }

    @Test func shapesAreComparedByWhatTheyMatch() {
        func shape(_ text: String) -> PathShape? { PathTemplate(text).shape }
        #expect(
            shape("/a/{x}")?.intersection(PathShape(parts: [.parameter, .literal(Array("b".utf8))])) == shape("/a/b"))
        #expect(shape("/a.{x}")?.intersection(PathShape(parts: [.literal(Array("a.".utf8))])) == nil)
        #expect(shape("/a.{x}")?.contains(PathShape(parts: [.literal(Array("a.b".utf8))])) == true)
        #expect(shape("/{x}")?.contains(PathTemplate("/a.{x}").shape ?? PathShape(parts: [])) == true)
        #expect(shape("/a.{x}")?.intersection(PathTemplate("/{y}.b").shape ?? PathShape(parts: [])) != nil)
        #expect(shape("/a.{x}")?.intersection(PathTemplate("/b.{y}").shape ?? PathShape(parts: [])) == nil)
        #expect(shape("/{x}")?.intersection(PathTemplate("/{x}/").shape ?? PathShape(parts: [])) == nil)
    }
}
