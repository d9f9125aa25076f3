package import HTTPTypes

extension HTTPField.Name {
    /// The header of requests that had better run together.
    package static let routingKey = Self("X-SMG-Routing-Key")!
}
