import JSON
import Messages
import Supervisor
import Testing

@Suite struct TableTests {
    @Test func theTopologyTellsTheWholeStory() {
        var play = Rehearsal.serving()
        play.pass(12)
        play.end(.worker, .signal(9), lines: ["one", "two"])
        play.beat(.front, phase: "working", milliseconds: 20)
        let table = play.state.topology(at: play.now)
        let worker = table.processes.first { $0.role == .scheduler }!
        #expect(worker.title == "sglang::scheduler" && worker.generation == 2 && worker.restarts == 1)
        #expect(worker.lastExit.signal == 9 && worker.lastExit.stderrLines == ["one", "two"])
        #expect(worker.lastExit.time == play.now + 1_000_000)
        #expect(table.processes.first { $0.role == .http }?.heartbeat.phase == "working")
        #expect(!table.serving && !table.draining)
    }

    @Test func theStateFileIsReadableByScripts() throws {
        var play = Rehearsal.serving { $0.ranks = 2 }
        play.pass(12)
        play.end(.detokenizer, .code(0))
        var file = StateFile(status: play.state.status, topology: play.state.topology(at: play.now))
        (file.launcherPid, file.port) = (10, 30000)
        let json = try JSON.parse(JSON.encode(file.json(writtenAt: 6)))
        #expect(
            json["status"]?.stringValue == "degraded" && json["pid"]?.intValue == 10 && json["port"]?.intValue == 30000)
        let processes = json["processes"]?.arrayValue ?? []
        #expect(
            processes.map { $0["title"]?.stringValue } == [
                "sglang::http", "sglang::tokenizer_manager", "sglang::scheduler_TP0", "sglang::scheduler_TP1",
                "sglang::detokenizer",
            ])
        #expect(processes.last?["state"]?.stringValue == "spawned")
        #expect(processes.last?["last_exit"]?["code"]?.intValue == 0)
        #expect(processes.last?["last_exit"]?["signal"]?.isNull == true)
        #expect(processes.first?["last_exit"]?.isNull == true)
    }

    @Test func loadingIsShownAsABarOrAsLines() {
        var progress = LoadProgress()
        func at(_ fraction: Double) -> [ProcessInfo] {
            [
                .make {
                    $0.title = "sglang::scheduler"; $0.state = .loading; $0.stage = "loading weights";
                    $0.fraction = fraction
                }
            ]
        }
        #expect(progress.lines(at(0)).isEmpty && progress.lines(at(0.2)).isEmpty, "nobody has to read of nothing")
        #expect(progress.lines(at(0.26)) == ["sglang::scheduler: loading weights 26 %"])
        #expect(progress.bar(at(0.5)) == "sglang::scheduler: loading weights 50 % |████████████············|")
        #expect(progress.bar(at(0)) == "sglang::scheduler: loading weights")
        #expect(progress.bar([]) == "")
    }
}
