import APICore
import HTTPFront
import JSON
import ServerSettings
import Testing

/// What /openapi.json says of the server.
@Suite struct DescriptionTests {
    private func document() async throws -> JSONValue {
        var settings = FrontSettings.served()
        settings.enableMetrics = true
        let answer = try await LocalFront(settings).get("/openapi.json")
        #expect(answer.status == 200)
        return try JSON.parse(answer.body)
    }

    @Test func everyRouteIsDescribedAndNothingElseIs() throws {
        var settings = FrontSettings.served()
        settings.enableMetrics = true
        let routes = Set(LocalFront(settings).front.routePaths)
        let described = Front.describedPaths
        #expect(Set(described).count == described.count, "described twice")
        #expect(routes.subtracting(described) == [], "routes without a description")
        #expect(Set(described).subtracting(routes) == [], "descriptions without a route")
    }

    @Test func everyReferenceLeadsToASchema() async throws {
        let document = try await document()
        let names = Set(document["components"]?["schemas"]?.objectValue?.keys ?? [])
        var references: Set<String> = []
        func collect(_ value: JSONValue) {
            switch value {
            case .object(let members):
                if let target = members["$ref"]?.stringValue { references.insert(target) }
                for (_, member) in members { collect(member) }
            case .array(let elements): for element in elements { collect(element) }
            default: break
            }
        }
        collect(document)
        #expect(!references.isEmpty)
        #expect(references.subtracting(names.map { "#/components/schemas/" + $0 }) == [])
    }

    @Test func everyPartOfAPathThatStandsForAnyIsAParameter() async throws {
        let paths = try #require(try await document()["paths"]?.objectValue)
        #expect(paths.keys.contains { $0.contains("{") })
        for (path, item) in zip(paths.keys, paths.values) {
            let names = path.matches(of: /\{([^}]+)\}/).map { String($0.1) }
            for operation in item.objectValue?.values ?? [] {
                let known = (operation["parameters"]?.arrayValue ?? []).filter { $0["in"] == "path" }
                #expect(known.compactMap { $0["name"]?.stringValue } == names, "\(path)")
                #expect(known.allSatisfy { $0["required"] == true })
            }
        }
    }

    @Test func operationsHaveNamesOfTheirOwnAndAllMethods() async throws {
        let paths = try #require(try await document()["paths"]?.objectValue)
        #expect(paths["/flush_cache"]?.objectValue?.keys == ["get", "post"])
        #expect(paths["/v1/models/{model}"]?["get"]?["responses"]?["404"] != nil)
        #expect(paths["/generate"]?["put"]?["requestBody"] != nil && paths["/generate"]?["get"] == nil)
        let names = paths.flatMap { _, item in
            (item.objectValue?.values ?? []).compactMap { $0["operationId"]?.stringValue }
        }
        #expect(Set(names).count == names.count && names.count > 60)
    }

    @Test func anOperatorCanHideTheDescription() async throws {
        var settings = FrontSettings.served()
        settings.servesDescription = false
        for path in ["/openapi.json", "/docs"] {
            #expect(try await LocalFront(settings).get(path).status == 404)
        }
    }

    @Test func aKeyIsNeededAsForOtherRoutes() async throws {
        var settings = FrontSettings.served()
        settings.apiKey = "sesame"
        #expect(try await LocalFront(settings).get("/openapi.json").status == 401)
    }
}
