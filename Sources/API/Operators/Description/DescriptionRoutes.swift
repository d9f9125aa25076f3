package import APICore
internal import HTTPTypes
internal import Hummingbird
internal import JSON

/// /openapi.json.
package struct DescriptionRoutes: Sendable {
    private let document: OpenAPIDocument?

    /// - Parameters:
    ///   - others: all other routes of the server.
    ///   - components: schemas that the descriptions refer to.
    package init(
        of others: [Route], _ descriptions: [RouteDescription], components: [(name: String, schema: Schema)]
    ) {
        let own = DescriptionRoutes(document: nil).routes
        document = OpenAPIDocument(
            others + own, descriptions, components: components, version: ServerInfoRoutes.version)
    }

    private init(document: OpenAPIDocument?) { self.document = document }

    /// The only route.
    package var routes: [Route] {
        [Route([.get], "/openapi.json") { [document] _, _ in .json(document?.json ?? [:]) }]
    }
}
