import JSON
import Operator
import Testing

@Suite struct ProcessTableTests {
    @Test func showsALineAProcess() throws {
        let state = try JSON.parse(
            """
            {"status":"degraded","pid":10,"address":"127.0.0.1:30000","started":100.0,"run_directory":"/run/x","processes":[
            {"title":"sglang::http","pid":11,"generation":1,"state":"ready","since":110.0,"restarts":0,"stage":"","fraction":1,
             "heartbeat_age":0.5,"phase":"idle","queued":0,"running":3,"resident_bytes":2097152,"last_exit":null},
            {"title":"sglang::scheduler","pid":null,"generation":4,"state":"loading","since":3700.0,"restarts":3,
             "stage":"loading weights","fraction":0.5,"heartbeat_age":null,"phase":"","queued":0,"running":0,"resident_bytes":0,
             "last_exit":{"code":null,"signal":9,"time":1,"reason":"killed by SIGKILL","stderr":[]}}]}
            """)
        let lines = ProcessTable.text(state, now: 3710).split(separator: "\n").map {
            $0.split(separator: " ").joined(separator: " ")
        }
        #expect(
            lines == [
                "127.0.0.1:30000 degraded launcher pid 10 up 1h0m /run/x",
                "TITLE PID GEN STATE FOR RESTARTS BEAT PHASE RUN QUEUE RSS LAST EXIT",
                "sglang::http 11 1 ready 1h0m 0 0s idle 3 0 2M -",
                "sglang::scheduler - 4 loading 50% 10s 3 - - 0 0 0M killed by SIGKILL",
            ])
    }
}
