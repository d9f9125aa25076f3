internal import ArgumentParser
internal import ChildRuntime
internal import Messages

// One binary, many processes: a child is told by its environment who it is, everybody else reads a command line.
if let identity = ChildIdentity.current() {
    Roles.takeTitle(identity)
    if identity.role == .http {
        await Roles.runFront(identity)
    } else {
        // On the main thread and no other: these roles are loops without any waiting in between.
        Roles.run(identity)
    }
} else {
    RootCommand.main()
}
