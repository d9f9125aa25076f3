/// What the operating system offers and Swift cannot call by itself: variadic system calls, process titles, signal descriptors.
#pragma once
#include <stdint.h>
#include <sys/types.h>

/// Opens a descriptor that becomes readable when the process ends; -1 and errno on failure.
int platform_pidfd_open(pid_t pid);

/// Asks for SIGKILL when the parent thread ends; returns 0, or -1 when the parent is not `expected_parent` any more.
int platform_die_with_parent(pid_t expected_parent);

/// Makes this process the one that orphans of its descendants are handed to.
void platform_become_subreaper(void);

/// Shows `title` in `ps`: overwrites the argument area (argc, argv as the process got them) and the short thread name.
void platform_set_title(int argc, char **argv, const char *title);

/// Blocks the signals in this thread (and those it starts) and returns a descriptor that delivers them; -1 on failure.
int platform_signal_descriptor(const int *signals, int count);

/// Reads one pending signal number from the descriptor; 0 when there is none.
int platform_next_signal(int descriptor);

/// Unblocks every signal and restores default actions, as a child must before it runs.
void platform_reset_signals(void);

/// Starts `path` with argv and envp in a session of its own; descriptors in `keep` (pairs: from, to) are moved into place,
/// all others are closed. Returns the pid, or -1 and errno.
pid_t platform_spawn(const char *path, char *const argv[], char *const envp[], const int *keep, int keep_count);

/// Opens a pipe (reading end, writing end) that a program started later does not inherit; 0, or -1 and errno.
int platform_pipe(int ends[2]);

/// A non-blocking event counter for waking a polling thread; -1 on failure.
int platform_event_descriptor(void);

/// Adds one to the event counter.
void platform_event_signal(int descriptor);

/// Sets the event counter back to zero.
void platform_event_clear(int descriptor);

/// Memory behind a descriptor and no name, one zeroed page, that a program started later does not inherit; -1 on failure.
int platform_shared_memory(const char *label);

/// Gives back the memory of a part of what is behind the descriptor; that part is then zero.
void platform_release_memory(int descriptor, off_t start, off_t length);

/// How far what was sent over a TCP connection has come.
struct platform_delivery {
    /// Bytes that the other side's kernel has confirmed.
    uint64_t acknowledged;
    /// Bytes that it still has room for: its programs make room by reading.
    uint32_t window;
    /// Bytes that this side's kernel still holds.
    uint32_t queued;
};

/// Fills in how far the connection's data has come; 0, or -1 and errno.
int platform_delivery_of(int descriptor, struct platform_delivery *delivery);

/// Has the connection end at once when it is closed, whatever the other side has not taken yet.
void platform_reset_on_close(int descriptor);

/// Asks the other side's kernel once a second how it is while nothing is sent (TCP keep-alive), or stops asking; its answers
/// tell how much room it has, and a host that is gone shows after two minutes.
void platform_keep_asking(int descriptor, int asks);
