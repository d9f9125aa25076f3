#define _GNU_SOURCE
#include "platform.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

int platform_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

int platform_die_with_parent(pid_t expected_parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    return getppid() == expected_parent ? 0 : -1;
}

void platform_become_subreaper(void) { prctl(PR_SET_CHILD_SUBREAPER, 1); }

void platform_set_title(int argc, char **argv, const char *title) {
    if (argc < 1) return;
    /* The kernel shows the bytes from argv[0] to the end of the last argument. */
    char *start = argv[0], *end = argv[argc - 1] + strlen(argv[argc - 1]) + 1;
    size_t room = (size_t)(end - start);
    memset(start, 0, room);
    strncpy(start, title, room - 1);
    prctl(PR_SET_NAME, strncmp(title, "sglang::", 8) == 0 ? title + 8 : title);
}

int platform_signal_descriptor(const int *signals, int count) {
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < count; i++) sigaddset(&set, signals[i]);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0) return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int platform_next_signal(int descriptor) {
    struct signalfd_siginfo info;
    return read(descriptor, &info, sizeof info) == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

void platform_reset_signals(void) {
    sigset_t none;
    sigemptyset(&none);
    for (int signal_number = 1; signal_number < 32; signal_number++)
        if (signal_number != SIGKILL && signal_number != SIGSTOP) signal(signal_number, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
}

pid_t platform_spawn(const char *path, char *const argv[], char *const envp[], const int *keep, int keep_count) {
    int status[2];
    if (pipe2(status, O_CLOEXEC) != 0) return -1;
    pid_t pid = vfork();
    if (pid == 0) {
        /* Only async-signal-safe calls until exec: the parent may have other threads. What is not wanted goes first, since
           there may be few descriptors; the rest moves above the wanted range, so that no source is overwritten before it
           was copied. */
        int moved[16], top = 2, report = status[1], last = report;
        setsid();
        for (int i = 0; i < keep_count; i++) {
            if (keep[2 * i + 1] > top) top = keep[2 * i + 1];
            if (keep[2 * i] > last) last = keep[2 * i];
        }
        for (int descriptor = 3; descriptor < last; descriptor++) {
            int wanted = descriptor == report;
            for (int i = 0; i < keep_count; i++) wanted |= descriptor == keep[2 * i];
            if (!wanted) close(descriptor);
        }
        syscall(SYS_close_range, last + 1, ~0U, 0);
        for (int i = 0; i < keep_count; i++) {
            moved[i] = fcntl(keep[2 * i], F_DUPFD, top + 2);
            if (moved[i] < 0) goto failed;
        }
        /* Whoever had this number is among those that were moved. */
        if (report != top + 1) report = dup2(report, top + 1);
        fcntl(report, F_SETFD, FD_CLOEXEC);
        for (int descriptor = 3; descriptor <= top; descriptor++) close(descriptor);
        for (int i = 0; i < keep_count; i++) dup2(moved[i], keep[2 * i + 1]);
        syscall(SYS_close_range, top + 2, ~0U, 0);
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        execve(path, argv, envp);
    failed:;
        int code = errno;
        ssize_t ignored = write(report, &code, sizeof code);
        (void)ignored;
        _exit(127);
    }
    int spawn_error = errno;
    close(status[1]);
    int code = 0;
    if (pid > 0 && read(status[0], &code, sizeof code) == (ssize_t)sizeof code) {
        close(status[0]);
        errno = code;
        return -1;
    }
    close(status[0]);
    if (pid < 0) errno = spawn_error;
    return pid;
}

int platform_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int platform_event_descriptor(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

void platform_event_signal(int descriptor) {
    uint64_t one = 1;
    ssize_t ignored = write(descriptor, &one, sizeof one);
    (void)ignored;
}

void platform_event_clear(int descriptor) {
    uint64_t count;
    ssize_t ignored = read(descriptor, &count, sizeof count);
    (void)ignored;
}

int platform_shared_memory(const char *label) {
    int descriptor = memfd_create(label, MFD_CLOEXEC);
    if (descriptor >= 0 && ftruncate(descriptor, 4096) != 0) {
        close(descriptor);
        return -1;
    }
    return descriptor;
}

void platform_release_memory(int descriptor, off_t start, off_t length) {
    if (length > 0) fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, start, length);
}

int platform_delivery_of(int descriptor, struct platform_delivery *delivery) {
    struct tcp_info info;
    memset(&info, 0, sizeof info); /* an older kernel fills in less */
    socklen_t size = sizeof info;
    int queued = 0;
    if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return -1;
    if (ioctl(descriptor, SIOCOUTQ, &queued) != 0) return -1;
    delivery->acknowledged = info.tcpi_bytes_acked;
    delivery->window = info.tcpi_snd_wnd;
    delivery->queued = (uint32_t)queued;
    return 0;
}

void platform_reset_on_close(int descriptor) {
    struct linger none = {.l_onoff = 1, .l_linger = 0};
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &none, sizeof none);
}

void platform_keep_asking(int descriptor, int asks) {
    int seconds = 1, most = 120;
    setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof seconds);
    setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof seconds);
    setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPCNT, &most, sizeof most);
    setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &asks, sizeof asks);
}
