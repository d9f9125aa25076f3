internal import FoundationEssentials
internal import Glibc
package import Values

/// The file, beside the packed weights, that keeps how fast this machine's kernels are until the next boot.
///
/// What cannot be read, or belongs to another machine, boot or build, is as good as no file.
package struct KernelRatesFile {
    /// What figures hold for.
    package struct Origin: Sendable, Equatable, Codable {
        /// Name and stepping of the processor.
        package let processor: String
        /// Changes with each boot of the machine.
        package let boot: String
        /// Build of srt, whose kernels were timed.
        package let build: String

        /// States an origin.
        package init(processor: String, boot: String, build: String) {
            self.processor = processor
            self.boot = boot
            self.build = build
        }

        /// Of a measurement made now; nil where the system tells too little to recognise the machine again.
        package static func current() -> Origin? {
            guard let boot = SmallFile.firstLine("/proc/sys/kernel/random/boot_id"),
                let processors = SmallFile.text("/proc/cpuinfo")
            else { return nil }
            let first = processors.split(separator: "\n\n").first ?? ""
            let facts = ["vendor_id", "cpu family", "model", "model name", "stepping"].compactMap { name in
                first.split(separator: "\n").first { $0.prefix { $0 != "\t" && $0 != ":" } == name }
            }
            guard !facts.isEmpty else { return nil }
            let words = facts.compactMap { $0.split(separator: ":").last.map { $0.drop { $0 == " " } } }
            return Origin(processor: words.joined(separator: "/"), boot: boot, build: BuildVersion.text)
        }
    }

    private struct Content: Codable {
        let origin: Origin
        let rates: KernelRates
    }

    private let path: String
    private let origin: Origin

    /// Names the file in a folder.
    package init(folder: String, origin: Origin) {
        path = folder + "/kernel-rates.json"
        self.origin = origin
    }

    /// The figures of these rungs, if the file has them for this origin.
    package func read(_ levels: [KernelISA]) -> KernelRates? {
        guard let bytes = try? SmallFile.bytes(path, limit: 1 << 16, onlyRegular: true),
            let content = try? JSONDecoder().decode(Content.self, from: Data(bytes)),
            content.origin == origin, content.rates.covers(levels)
        else { return nil }
        return content.rates
    }

    /// Keeps figures; a failure only costs the next start a measurement.
    package func write(_ rates: KernelRates) {
        guard let bytes = try? JSONEncoder().encode(Content(origin: origin, rates: rates)) else { return }
        let draft = "\(path).\(getpid())"
        makeFolder()
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        let isWritten = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) == $0.count }
        close(descriptor)
        if !isWritten || rename(draft, path) != 0 { unlink(draft) }
    }

    private func makeFolder() {
        for (index, character) in path.enumerated() where index > 0 && character == "/" {
            mkdir(String(path.prefix(index)), 0o700)
        }
    }
}
