import HTTPFront
import ServerSettings
import Testing

/// The page for browsers: who gets it, and what it may do. What it does is tested in a browser (`make page-test`).
@Suite struct PageTests {
    private static let browser = (
        "Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
    )

    /// The files that a file names as its own.
    private static func names(in text: String) -> Set<String> {
        let quoted = text.split(whereSeparator: { "\"'".contains($0) }).map(String.init)
        let own = quoted.compactMap { part in
            ["page/", "./"].first { part.hasPrefix($0) && part.contains(".") }.map { String(part.dropFirst($0.count)) }
        }
        return Set(own.filter { !$0.contains(" ") })
    }

    /// Every file that the pages reach, by name.
    private static func site(_ server: LocalFront) async throws -> [String: WholeAnswer] {
        var files: [String: WholeAnswer] = [:]
        var rest: [String] = []
        for path in ["/", "/docs"] {
            let page = try await server.get(path, headers: [browser])
            files[path] = page
            rest += names(in: page.body)
        }
        while let name = rest.popLast() {
            guard files[name] == nil else { continue }
            let file = try await server.get("/page/" + name)
            files[name] = file
            rest += names(in: file.body)
        }
        return files
    }

    @Test(arguments: [
        [], [("Accept", "*/*")], [("Accept", "application/json, text/plain, */*")], [("Accept", "text/plain")],
        [("Accept", "application/json, text/html")], [("Accept", "text/html;q=0, */*")],
        [("Accept", "text/html;q=0.3, application/json;q=0.5")], [("Accept", "text/html;q=x")],
    ]) func programsGetTheSignOfLife(headers: [(String, String)]) async throws {
        let answer = try await LocalFront().get("/", headers: headers)
        #expect(answer.status == 200 && answer.body == "\"SGLang is running\"")
        #expect(answer.headers == ["content-type": "application/json", "content-length": "19"])
    }

    @Test(arguments: [
        browser.1, "text/html", "TEXT/HTML ; q=0.9, application/json;q=0.8", "application/json;q=0.1,\ttext/html",
    ]) func browsersGetThePage(accept: String) async throws {
        for ready in [false, true] {
            let answer = try await LocalFront(ready: ready).get("/", headers: [("accept", accept)])
            #expect(answer.status == 200 && answer.headers["content-type"] == "text/html; charset=utf-8")
            #expect(answer.body.hasPrefix("<!doctype html>") && answer.headers["vary"] == "Accept")
        }
    }

    @Test func allFilesAreThereAndHaveTheirTypes() async throws {
        let files = try await Self.site(LocalFront())
        #expect(files.count > 15)
        let types = [
            "js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml",
        ]
        for (name, file) in files {
            #expect(file.status == 200, "\(name)")
            guard let ending = name.split(separator: ".").last, !name.hasPrefix("/") else { continue }
            #expect(file.headers["content-type"] == types[String(ending)], "\(name)")
        }
    }

    @Test func nothingComesFromElsewhereOrBecomesMarkup() async throws {
        for (name, file) in try await Self.site(LocalFront()) {
            // The name of the language that icons are written in is an address, and nobody goes there.
            let text = file.body.replacing("http://www.w3.org/2000/svg", with: "")
            for word in [
                "//cdn", "@import", "url(", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write",
                "eval(", "new Function", "style=\"", "onclick=", "integrity=",
            ] {
                #expect(!text.contains(word), "\(name) has \(word)")
            }
            for sign in ["src=\"", "href=\"", "from '"] {
                for part in text.split(separator: sign, omittingEmptySubsequences: false).dropFirst() {
                    let isForeign = ["http", "//", "data:"].contains { part.hasPrefix($0) }
                    #expect(!isForeign, "\(name): \(part.prefix(40))")
                }
            }
        }
    }

    @Test func aPolicyHoldsForEveryFile() async throws {
        for (name, file) in try await Self.site(LocalFront()) {
            let policy = try #require(file.headers["content-security-policy"], "\(name)")
            let rules = policy.split(separator: ";").map { $0.split(separator: " ").map(String.init) }
            #expect(rules.contains(["default-src", "'none'"]) && rules.contains(["script-src", "'self'"]))
            #expect(rules.contains(["connect-src", "'self'"]) && rules.contains(["frame-ancestors", "'none'"]))
            #expect(
                rules.contains(["require-trusted-types-for", "'script'"]) && rules.contains(["base-uri", "'none'"]))
            #expect(!policy.contains("unsafe") && !policy.contains("*"))
            #expect(file.headers["x-content-type-options"] == "nosniff", "\(name)")
        }
    }

    @Test func aCopyThatIsTheNewestIsNotSentAgain() async throws {
        let server = LocalFront()
        var tags: Set<String> = []
        for path in ["/", "/docs", "/page/main.js", "/page/look.css"] {
            let whole = try await server.get(path, headers: [Self.browser])
            let tag = try #require(whole.headers["etag"])
            tags.insert(tag)
            #expect(whole.headers["cache-control"] == "no-cache")
            for known in [tag, "W/\(tag)", "\"old\", \(tag)", "*"] {
                let again = try await server.get(path, headers: [Self.browser, ("If-None-Match", known)])
                #expect(again.status == 304 && again.body.isEmpty && again.headers["etag"] == tag, "\(path) \(known)")
            }
            let old = try await server.get(path, headers: [Self.browser, ("If-None-Match", "\"old\"")])
            #expect(old.status == 200 && old.body == whole.body)
        }
        #expect(tags.count == 4)
    }

    @Test func thePageNeedsNoKeyAndAllElseStillDoes() async throws {
        var settings = FrontSettings.served()
        settings.apiKey = "sesame"
        let server = LocalFront(settings)
        for path in ["/", "/docs", "/page/main.js", "/page/nope.js"] {
            let status = try await server.get(path, headers: [Self.browser]).status
            #expect(status == (path.hasSuffix("nope.js") ? 404 : 200), "\(path)")
        }
        for path in ["/", "/docs", "/v1/models", "/v1/processes", "/openapi.json", "/page", "//"] {
            #expect(try await server.get(path).status == 401, "\(path)")
        }
        for path in ["/v1/models", "/v1/processes", "/openapi.json", "/page/../v1/models", "/pages/main.js"] {
            #expect(try await server.get(path, headers: [Self.browser]).status != 200, "\(path)")
        }
        let posted = try await server.front.answer("POST", "/page/main.js", headers: [Self.browser])
        #expect(posted.status == 401)
    }

    @Test func namesThatAreNoFilesAreNotFound() async throws {
        for name in ["nope.js", "..", "%2e%2e", "main.js%00", "files.c", "main.js/x", ""] {
            #expect(try await LocalFront().get("/page/" + name).status == 404, "\(name)")
        }
    }
}
