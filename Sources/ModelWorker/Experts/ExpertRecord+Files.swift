internal import Models
internal import ServerSettings

/// What a record looks like in files: SGLang's dictionary for torch, and a table for everybody else.
extension ExpertRecord {
    /// The file that `torch.load` reads, with SGLang's names.
    package var torch: TorchArchive {
        switch mode {
        case .stat, .approximateStat: statistics
        case .perPass, .perToken: details
        }
    }

    /// Counts of all passes in one tensor; rows that were never used are zero, as in SGLang's ring.
    private var statistics: TorchArchive {
        var archive = TorchArchive()
        let rows = max(capacity ?? 0, passes.count)
        var counts = passes.flatMap(\.counts)
        counts += [Int32](repeating: 0, count: rows * traits.layers * traits.count - counts.count)
        let tensor = archive.tensor(counts, shape: [rows, traits.layers, traits.count])
        archive.root = .dictionary([
            ("rank", .integer(0)), ("logical_count", tensor), ("average_utilization_rate_over_window", .nothing),
        ])
        return archive
    }

    /// A record for each pass, as SGLang's: `topk_ids_of_layer` has room for eight experts at least, and -1 where there are
    /// fewer.
    private var details: TorchArchive {
        var archive = TorchArchive()
        let records = passes.map { pass in
            var members: [(String, TorchValue)] = [
                ("forward_pass_id", .integer(Int(pass.number))), ("rank", .integer(0)),
                ("gatherer_key", .string("primary")),
            ]
            if let tokens = pass.tokens {
                members += [
                    ("input_ids", .list(tokens.ids.map { .integer(Int($0)) })),
                    ("positions", .list(tokens.positions.map { .integer(Int($0)) })),
                    ("extend_seq_lens", tokens.lengths.map { .list($0.map { .integer($0) }) } ?? .nothing),
                    ("forward_mode", .integer(tokens.mode)),
                    ("topk_ids_of_layer", choices(tokens, &archive)), ("misc_objects", .list([])),
                ]
            }
            members.append(
                ("global_physical_count", archive.tensor(pass.counts, shape: [traits.layers, traits.count])))
            return TorchValue.dictionary(members)
        }
        let places = (0..<traits.layers).flatMap { _ in (0..<Int64(traits.count)) }
        archive.root = .dictionary([
            ("records", .list(records)),
            ("last_physical_to_logical_map", archive.tensor(places, shape: [traits.layers, traits.count])),
        ])
        return archive
    }

    private func choices(_ tokens: ExpertPass.Tokens, _ archive: inout TorchArchive) -> TorchValue {
        let width = max(8, traits.each)
        var padded: [Int32] = []
        padded.reserveCapacity(tokens.chosen.count / traits.each * width)
        for start in stride(from: 0, to: tokens.chosen.count, by: traits.each) {
            padded += tokens.chosen[start..<start + traits.each]
            padded += repeatElement(-1, count: width - traits.each)
        }
        return archive.tensor(padded, shape: [traits.layers, tokens.ids.count, width])
    }

    /// The same as comma-separated values: sums by layer and expert, counts above zero by pass, or each token's experts.
    package var table: String {
        switch mode {
        case .stat, .approximateStat:
            var sums = [Int](repeating: 0, count: traits.layers * traits.count)
            for pass in passes { for (place, count) in pass.counts.enumerated() { sums[place] += Int(count) } }
            return "layer,expert,count\n"
                + sums.enumerated().map { "\($0 / traits.count),\($0 % traits.count),\($1)\n" }.joined()
        case .perPass:
            let lines = passes.flatMap { pass in
                pass.counts.enumerated().filter { $1 > 0 }.map {
                    "\(pass.number),\($0 / traits.count),\($0 % traits.count),\($1)\n"
                }
            }
            return "forward_pass_id,layer,expert,count\n" + lines.joined()
        case .perToken:
            let names = (0..<traits.each).map { "expert_\($0)" }.joined(separator: ",")
            return "forward_pass_id,input_id,position,layer,\(names)\n" + passes.map(tokenLines).joined()
        }
    }

    private func tokenLines(_ pass: ExpertPass) -> String {
        guard let tokens = pass.tokens else { return "" }
        var lines = ""
        for (row, id) in tokens.ids.enumerated() {
            for layer in 0..<traits.layers {
                let first = (layer * tokens.ids.count + row) * traits.each
                let experts = tokens.chosen[first..<first + traits.each]
                guard experts.first != -1 else { continue }
                lines += "\(pass.number),\(id),\(tokens.positions[row]),\(layer),"
                lines += experts.map(String.init).joined(separator: ",") + "\n"
            }
        }
        return lines
    }
}
