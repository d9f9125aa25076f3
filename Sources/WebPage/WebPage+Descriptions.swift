package import APICore

extension WebPage {
    /// What the endpoints take and answer.
    package static let descriptions = [
        RouteDescription(
            "/", .model, "A sign of life, or a page for browsers", parameters: [known],
            answers: [
                .init(200, [(.json, .text), (.page, .text)], "The page where `Accept` names text/html."), unchanged,
            ]),
        RouteDescription(
            folder + ":file", .model, "A file of the page",
            parameters: [.init("file", in: .path, .word(PageFile.all.keys.sorted()), "Its name."), known],
            answers: [.init(200, [(.page, .text), (.script, .text), (.style, .text), (.image, .text)]), unchanged],
            failures: [404]),
        RouteDescription(
            "/docs", .model, "This description for people", parameters: [known],
            answers: [.init(200, [(.page, .text)]), unchanged]),
    ]

    private static let known = RouteDescription.Parameter(
        "If-None-Match", in: .header, .text, "Tags of copies that the client has.")
    private static let unchanged = RouteDescription.Answer(304, .plain, .anything, "One of these copies is the newest.")
}
