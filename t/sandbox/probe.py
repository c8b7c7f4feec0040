# Tries what a job must not be able to do and prints, a line each, what came
# of it: "name result", where the result is "done" or the name of the errno.
# containment.t runs it in a job and, as the control, outside of one.
#
#     probe.py PORT PATH_SOCKET ABSTRACT_SOCKET      of servers outside

import ctypes
import errno
import fcntl
import os
import pty
import signal
import socket
import struct
import sys

libc = ctypes.CDLL(None, use_errno=True)
parent = os.getppid()
port, path_name, abstract_name = sys.argv[1:4]

SYS = {
    "ptrace": 101, "pivot_root": 155, "chroot": 161, "mount": 165,
    "umount2": 166, "sethostname": 170, "add_key": 248, "request_key": 249,
    "keyctl": 250, "unshare": 272, "perf_event_open": 298,
    "name_to_handle_at": 303, "open_by_handle_at": 304, "setns": 308,
    "process_vm_readv": 310, "kcmp": 312, "bpf": 321, "userfaultfd": 323,
    "io_uring_setup": 425, "open_tree": 428, "fsopen": 430,
    "pidfd_open": 434, "clone3": 435, "pidfd_getfd": 438,
    "process_madvise": 440, "memfd_secret": 447,
}

F_SETPIPE_SZ = 1031

CLONE = {
    "mount": 0x00020000, "cgroup": 0x02000000, "uts": 0x04000000,
    "ipc": 0x08000000, "user": 0x10000000, "pid": 0x20000000,
    "net": 0x40000000,
}


def syscall(name, *args):
    ctypes.set_errno(0)
    words = [a if isinstance(a, bytes) else ctypes.c_long(a) for a in args]
    result = libc.syscall(ctypes.c_long(SYS[name]), *words)
    if result == -1:
        raise OSError(ctypes.get_errno(), name)
    return result


def attempt(name, function):
    """In a child, so that a success or a death harms no other attempt."""
    sys.stdout.flush()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            said = function()
            result = said if isinstance(said, str) else "done"
        except OSError as e:
            result = errno.errorcode.get(e.errno, str(e.errno))
        os.write(writer, result.encode())
        os._exit(0)
    os.close(writer)
    result = os.read(reader, 4096).decode()
    os.close(reader)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        result = signal.Signals(os.WTERMSIG(status)).name
    print(name, result or "nothing", flush=True)


def opens(path, flags=os.O_RDONLY):
    return lambda: os.read(os.open(path, flags), 1) and None


def opens_only(path, flags):
    return lambda: os.close(os.open(path, flags))


def connects(family, address):
    def function():
        s = socket.socket(family, socket.SOCK_STREAM)
        s.settimeout(2)
        s.connect(address)
    return function


def tiocsti():
    child, fd = pty.fork()
    if child == 0:
        try:
            import fcntl
            fcntl.ioctl(0, 0x5412, b"x")
            os._exit(0)
        except OSError as e:
            os._exit(e.errno)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code:
        raise OSError(code, "TIOCSTI")


def kernel_addresses():
    with open("/proc/kallsyms") as f:
        return "done" if int(f.readline().split()[0], 16) else "ignored"


def setuid_mounts():
    return "done" if any(not os.statvfs(d).f_flag & os.ST_NOSUID
                         for d in (".", "/tmp", "/dev/shm", "/usr")) \
        else "ignored"


def in_child_of_its_own(name, *args):
    return lambda: syscall(name, *args) and None


def own_child():
    child = os.fork()
    if child == 0:
        signal.pause()
        os._exit(0)
    return child


def ptrace_child():
    child = own_child()
    try:
        syscall("ptrace", 0x4206, child, 0, 0)
    finally:
        os.kill(child, signal.SIGKILL)


def vm_read(pid):
    def function():
        here = ctypes.create_string_buffer(8)
        local = struct.pack("PN", ctypes.addressof(here), 8)
        remote = struct.pack("PN", 8, 8)
        try:
            syscall("process_vm_readv", pid, local, 1, remote, 1, 0)
        except OSError as e:
            if e.errno != errno.EFAULT:     # nothing is mapped at 8
                raise
    return function


def getfd():
    fd = syscall("pidfd_open", parent, 0)
    syscall("pidfd_getfd", fd, 0, 0)


def invalid_means_known(name, *args):
    """A call with senseless arguments: EINVAL and EFAULT mean it was let in."""
    def function():
        try:
            syscall(name, *args)
        except OSError as e:
            if e.errno not in (errno.EINVAL, errno.EFAULT, errno.EBADF,
                               errno.ENOENT, errno.E2BIG, errno.ENODEV,
                               errno.ENOKEY):
                raise
    return function


# The parent: init in a job, the test outside.
for entry in ("environ", "maps", "stat"):
    attempt("parent " + entry, opens(f"/proc/{parent}/{entry}"))
attempt("parent mem", opens_only(f"/proc/{parent}/mem", os.O_RDWR))
attempt("parent fds", lambda: str(len(os.listdir(f"/proc/{parent}/fd")))
        and None)
for link in ("exe", "root", "cwd", "ns/pid"):
    attempt("parent " + link,
            lambda link=link: os.readlink(f"/proc/{parent}/{link}") and None)
attempt("parent ptrace", in_child_of_its_own("ptrace", 0x4206, parent, 0, 0))
attempt("parent memory", vm_read(parent))
attempt("parent pidfd", getfd)
attempt("parent signal", lambda: os.kill(parent, signal.SIGWINCH))
attempt("parent group", lambda: os.setpgid(0, os.getpgid(parent)))
attempt("own ptrace", ptrace_child)
attempt("kcmp", in_child_of_its_own("kcmp", os.getpid(), os.getpid(), 0, 0, 1))

# Namespaces, mounts.
for name, flag in CLONE.items():
    attempt("unshare " + name, in_child_of_its_own("unshare", flag))
attempt("setns", lambda: syscall(
    "setns", os.open("/proc/self/ns/uts", os.O_RDONLY), 0) and None)
attempt("clone3", invalid_means_known("clone3", 0, 0))
attempt("mount", invalid_means_known("mount", b"none", b"/tmp", b"nonesuch",
                                     0, 0))
attempt("umount", invalid_means_known("umount2", b"/nonesuch", 0))
attempt("pivot_root", invalid_means_known("pivot_root", b"/nonesuch", b"/"))
attempt("chroot", in_child_of_its_own("chroot", b"/"))
attempt("open_tree", invalid_means_known("open_tree", -1, b"nonesuch", 0))
attempt("fsopen", in_child_of_its_own("fsopen", b"tmpfs", 0))
attempt("hostname", invalid_means_known("sethostname", b"", -1))

# Kernel engines.
attempt("bpf", invalid_means_known("bpf", 9999, 0, 0))
attempt("perf", invalid_means_known("perf_event_open", 0, 0, -1, -1, 0))
attempt("io_uring", invalid_means_known("io_uring_setup", 0, 0))
attempt("userfaultfd", in_child_of_its_own("userfaultfd", 0))
attempt("keyctl", invalid_means_known("keyctl", 0, -1, 0))
attempt("add_key", invalid_means_known("add_key", 0, 0, 0, 0, 0))
attempt("file handles", invalid_means_known("open_by_handle_at", -1, 0, 0))

# Network and other sockets.
attempt("tcp", connects(socket.AF_INET, ("127.0.0.1", int(port))))
attempt("path socket", connects(socket.AF_UNIX, path_name))
attempt("abstract socket", connects(socket.AF_UNIX, "\0" + abstract_name))
for family in ("NETLINK", "PACKET", "ALG", "VSOCK"):
    number = getattr(socket, "AF_" + family)
    kind = socket.SOCK_SEQPACKET if family == "ALG" else socket.SOCK_RAW
    kind = socket.SOCK_STREAM if family == "VSOCK" else kind
    attempt("socket " + family,
            lambda n=number, k=kind: socket.socket(n, k).close())

# Terminal, files, devices.
attempt("tiocsti", tiocsti)
attempt("larger pipe", lambda: fcntl.fcntl(os.pipe()[1], F_SETPIPE_SZ,
                                           1 << 20) and None)
attempt("set-id programs", setuid_mounts)
attempt("device", lambda: os.mknod("device-probe", 0o20600, os.makedev(1, 1))
        or os.unlink("device-probe"))
attempt("shadow", opens("/etc/shadow"))
attempt("kernel addresses", kernel_addresses)
attempt("sys", lambda: str(len(os.listdir("/sys"))) if os.listdir("/sys")
        else "empty")
for directory in ("/", "/usr", "/usr/bin", "/etc", "/dev"):
    name = os.path.join(directory, "codr-probe")
    attempt("write " + directory,
            lambda n=name: os.close(os.open(n, os.O_CREAT | os.O_WRONLY))
            or os.unlink(n))
attempt("write kernel setting",
        opens_only("/proc/sys/kernel/core_pattern", os.O_WRONLY))
attempt("negative nice", lambda: os.nice(-5) and None)
attempt("real time", lambda: os.sched_setscheduler(
    0, os.SCHED_FIFO, os.sched_param(1)))
attempt("setuid 0", lambda: os.setresuid(0, 0, 0))
