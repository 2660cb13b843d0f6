# SPDX-License-Identifier: MIT
"""The one process that owns what a topology consists of: namespaces, devices, processes and the private directory.

The harness has threads, and namespaces belong to threads; so the harness never enters one. It starts this file as a
program (standard library only, for a quick start) and asks for each step over a socket that carries JSON and file
descriptors. Two processes come of it:

* the *guard* watches the harness and the worker. When either ends, in whatever way, it sees to it that nothing is
  left: no process, no namespace, no directory.
* the *worker* carries the requests out. Where the kernel allows, it is init of a PID namespace, so that its end is the
  end of every process that was started inside, however deep. Elsewhere (and always on `host`) agents carry a
  parent-death signal, and the guard ends what is left over.

Deciding what to build is the work of `topology`; the harness's end of the socket is `custody`.
"""

from __future__ import annotations

import array
import ctypes
import errno
import fcntl
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
from typing import Any

LARGEST_MESSAGE_OCTETS = 1 << 18
FDS_PER_MESSAGE = 4

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x00020000, 0x10000000, 0x20000000, 0x40000000
MS_REC, MS_SLAVE = 0x4000, 0x80000
MS_NOSUID, MS_NODEV, MS_NOEXEC = 2, 4, 8
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 1, 36, 47, 2
CAP_NET_ADMIN = 12
CAPABILITY_VERSION_3 = 0x20080522

# <linux/sockios.h>, <linux/if.h>, <linux/if_tun.h>
SIOCGIFFLAGS, SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK, SIOCGIFINDEX, SIOCSIFTXQLEN = (
    0x8913, 0x8914, 0x8916, 0x891C, 0x8933, 0x8943,
)  # fmt: skip
IFF_UP, IFF_RUNNING = 0x1, 0x40
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
RTMGRP_IPV6_IFADDR = 0x100
RTMGRP_LINK = 1
# A sender's whole window must fit while the relay is busy: 10,000 packets of 1,500 octets exceed the 6 MB that
# net.ipv4.tcp_wmem lets one connection have on its way.
TUN_QUEUE_PACKETS = 10_000

libc = ctypes.CDLL(None, use_errno=True)


class Refused(Exception):
    """A step that cannot be done: what was missing, and how to get it."""

    def __init__(self, why: str, hint: str = "", number: int | None = None) -> None:
        super().__init__(why)
        self.hint, self.errno = hint, number


def checked(result: int) -> None:
    """Raise OSError for a C call that returned -1."""
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def unshare(flags: int) -> None:
    """unshare(2); `os.unshare` is there only since Python 3.12."""
    checked(libc.unshare(flags))


def enter(network: int) -> None:
    """Bring the calling thread into the network namespace of this descriptor."""
    checked(libc.setns(network, CLONE_NEWNET))


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent ends."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def keep_net_admin() -> None:
    """Let CAP_NET_ADMIN survive the exec of a helper program, also by a user who is not 0 in the user namespace."""
    header = struct.pack("=Ii", CAPABILITY_VERSION_3, 0)
    sets = bytearray(24)
    checked(libc.capget(header, (ctypes.c_char * 24).from_buffer(sets)))
    effective, permitted, _ = struct.unpack_from("=III", sets)
    struct.pack_into("=III", sets, 0, effective, permitted, 1 << CAP_NET_ADMIN)
    checked(libc.capset(header, (ctypes.c_char * 24).from_buffer(sets)))
    checked(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_ADMIN, 0, 0))


# --- isolation ---------------------------------------------------------------------------------------------------


def become_privileged() -> None:
    """Get the right to make namespaces: as it is, or by a user namespace in which every id stays what it was."""
    user, group = os.geteuid(), os.getegid()
    try:
        unshare(CLONE_NEWNET)
        return
    except OSError as problem:
        if problem.errno != errno.EPERM:
            raise Refused(
                f"the kernel makes no network namespace: {problem.strerror}",
                "a kernel with CONFIG_NET_NS, and room in /proc/sys/user/max_net_namespaces",
                problem.errno,
            ) from None
    try:
        unshare(CLONE_NEWUSER)
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
        unshare(CLONE_NEWNET)
    except OSError as problem:
        raise Refused(
            f"this user may not make a network namespace: {problem.strerror}",
            "run as root, or let users make namespaces: sysctl user.max_user_namespaces=10000; on Debian also "
            "kernel.unprivileged_userns_clone=1, on Ubuntu kernel.apparmor_restrict_unprivileged_userns=0; in a "
            "container --cap-add SYS_ADMIN",
            problem.errno,
        ) from None


def mount_own_proc() -> None:
    """Show the processes of the PID namespace under /proc, for agents that look themselves up by number.

    A container may forbid it; then /proc/self still works, and that is what most programs use.
    """
    try:
        unshare(CLONE_NEWNS)
        checked(libc.mount(b"none", b"/", None, MS_REC | MS_SLAVE, None))
        checked(libc.mount(b"proc", b"/proc", b"proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, None))
    except OSError:
        pass


# --- the guard ---------------------------------------------------------------------------------------------------


def children() -> list[int]:
    """The process ids of all children of this process."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as file:
                    parent = int(file.read().rpartition(")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                continue
            if parent == os.getpid():
                found.append(int(name))
    return found


def guard(worker: int, harness: int, directory: str) -> None:
    """Wait for the end of the worker or the harness (a pidfd), then leave nothing behind."""
    watched = os.pidfd_open(worker)
    poll = select.poll()
    poll.register(watched, select.POLLIN)
    poll.register(harness, select.POLLIN)
    poll.poll()
    signal.pidfd_send_signal(watched, signal.SIGKILL)
    os.waitpid(worker, 0)
    # Orphans have been handed to us (PR_SET_CHILD_SUBREAPER); killing one may hand us its children in turn.
    while left := children():
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        for pid in left:
            os.waitpid(pid, 0)
    import contextlib
    import shutil

    for path in leftovers(directory):
        if path.endswith("/"):
            with contextlib.suppress(OSError):  # somebody else's by now
                os.rmdir(path)
        else:
            shutil.rmtree(path, ignore_errors=True)
    shutil.rmtree(directory, ignore_errors=True)


def leftovers(directory: str) -> list[str]:
    """What programs that ran here could only make elsewhere, by the file `leftovers` of the private directory.

    Each line is the full path of a directory that goes with all that is in it; one that ends with a slash goes only if
    it is empty.
    """
    try:
        with open(f"{directory}/leftovers", errors="surrogateescape") as file:
            return [line for line in file.read().split("\n") if line.startswith("/") and line.strip("/")]
    except OSError:
        return []


# --- the worker --------------------------------------------------------------------------------------------------


class Worker:
    """Carries out one request after the other; holds the namespaces by their descriptors."""

    def __init__(self, control: socket.socket, *, owns_processes: bool) -> None:
        self.control = control
        self.owns_processes = owns_processes
        self.fds: list[int] = []  # came with the request
        self.given: list[int] = []  # go with the answer
        self.namespaces: list[int] = []
        self.running: set[int] = set()
        self.ended: dict[int, int] = {}
        self.outer_fdinfo = os.open("/proc/self/fdinfo", os.O_RDONLY | os.O_DIRECTORY)

    def serve(self) -> None:
        """Answer requests until the harness closes its end."""
        wake_reader, wake_writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake_writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        poll = select.poll()
        poll.register(self.control, select.POLLIN)
        poll.register(wake_reader, select.POLLIN)
        while True:
            ready = dict(poll.poll())
            if wake_reader in ready:
                os.read(wake_reader, 4096)
                self.reap()
            if self.control.fileno() in ready:
                message, fds, _, _ = socket.recv_fds(self.control, LARGEST_MESSAGE_OCTETS, FDS_PER_MESSAGE)
                if not message:
                    return
                self.answer(json.loads(message), fds)

    def answer(self, request: dict[str, Any], fds: list[int]) -> None:
        """Carry out one request, and send its result or its refusal."""
        self.fds, self.given = fds, []
        try:
            step = getattr(self, "do_" + request.pop("do"))
            reply = step(**request) or {}
        except (Refused, OSError, subprocess.TimeoutExpired) as problem:
            reply = refusal(problem)
        send(self.control, reply, [] if "why" in reply else self.given)
        for fd in self.fds + self.given:
            os.close(fd)

    def reap(self) -> None:
        """Take the status of every child that has ended; as init also that of orphans, which nobody asks for."""
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid in self.running:
                    self.running.discard(pid)
                    self.ended[pid] = os.waitstatus_to_exitcode(status)
        except ChildProcessError:
            return

    def go(self, where: int | None) -> None:
        """Enter the namespace of that number; on `host` there is none to enter."""
        if where is not None:
            enter(self.namespaces[where])

    def do_namespace(self) -> dict[str, Any]:
        """A fresh network namespace with `lo` up; the result is its number."""
        unshare(CLONE_NEWNET)
        self.namespaces.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            raise_interface(sock, "lo")
        return {"where": len(self.namespaces) - 1}

    def do_bindable(self, where: int | None, address: str) -> dict[str, Any]:
        """Can a socket be bound to this address?"""
        self.go(where)
        return {"bindable": is_bindable(address)}

    def do_socket(self, where: int | None, family: int, kind: int, protocol: int = 0) -> None:
        """A socket that lives in that namespace, wherever it is used."""
        self.go(where)
        self.given.append(socket.socket(family, kind, protocol).detach())

    def do_tun(self, where: int, name: str, inet: str, inet6: str, prefix: int, prefix6: int) -> None:
        """A TUN device with its addresses, up; the result is the descriptor through which its packets pass."""
        self.go(where)
        try:
            tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as problem:
            hint = {
                errno.EACCES: "chmod 0666 /dev/net/tun, as distributions ship it; or run as root",
                errno.EPERM: "allow the device /dev/net/tun (in a container: --device /dev/net/tun)",
            }.get(problem.errno or 0, "modprobe tun (in a container: --device /dev/net/tun)")
            raise Refused(f"/dev/net/tun: {problem.strerror}", hint, problem.errno) from None
        self.given.append(tun)
        fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            address = struct.pack("=16sH2x4s8x", name.encode(), socket.AF_INET, socket.inet_aton(inet))
            mask = struct.pack(">I", 0xFFFFFFFF << (32 - prefix) & 0xFFFFFFFF)
            fcntl.ioctl(sock, SIOCSIFADDR, address)
            fcntl.ioctl(sock, SIOCSIFNETMASK, struct.pack("=16sH2x4s8x", name.encode(), socket.AF_INET, mask))
            fcntl.ioctl(sock, SIOCSIFTXQLEN, struct.pack("=16si20x", name.encode(), TUN_QUEUE_PACKETS))
            raise_interface(sock, name)
            index = struct.unpack_from("i", fcntl.ioctl(sock, SIOCGIFINDEX, struct.pack("16s24x", name.encode())), 16)
        try:
            with (
                socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as changes,
                socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock,
            ):
                changes.bind((0, RTMGRP_IPV6_IFADDR))
                changes.settimeout(5.0)
                octets = socket.inet_pton(socket.AF_INET6, inet6)
                # struct in6_ifreq; a device without addresses below IP does no duplicate address detection, but the
                # kernel finds that out in the background, and tells when the address can be used
                fcntl.ioctl(sock, SIOCSIFADDR, struct.pack("=16sIi", octets, prefix6, *index))
                while not is_bindable(inet6):
                    changes.recv(65536)
        except OSError:
            pass  # a kernel without IPv6: the address is not bindable, and the station will not offer it

    def do_ip(self, where: int, batch: str) -> None:
        """Have iproute2's `ip` carry out lines in the namespace; `{0}`, `{1}`… stand for the namespaces."""
        self.go(where)
        paths = [f"/proc/self/fd/{namespace}" for namespace in self.namespaces]
        try:
            done = subprocess.run(
                ["ip", "-batch", "-"],
                input=batch.format(*paths),
                env={**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"},
                capture_output=True,
                text=True,
                timeout=20,
                pass_fds=self.namespaces,
                preexec_fn=keep_net_admin,
            )
        except FileNotFoundError:
            raise Refused("there is no program `ip`", "install iproute2", errno.ENOENT) from None
        if done.returncode:
            raise Refused(f"ip: {done.stderr.strip()}", "is there a kernel module veth (modprobe veth)?")

    def do_await_running(self, where: int, name: str) -> None:
        """Wait until a device carries packets; the kernel tells of every change."""
        self.go(where)
        with (
            socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as changes,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock,
        ):
            changes.bind((0, RTMGRP_LINK))
            changes.settimeout(5.0)
            while not interface_flags(sock, name) & IFF_RUNNING:
                changes.recv(65536)

    def do_dropped(self, where: int, name: str) -> dict[str, Any]:
        """How many packets that device dropped because nobody fetched them in time."""
        self.go(where)
        with open("/proc/thread-self/net/dev") as file:
            for line in file:
                device, _, counters = line.partition(":")
                if device.strip() == name:
                    return {"packets": int(counters.split()[11])}
        return {"packets": 0}

    def do_launch(
        self,
        where: int | None,
        command: list[str],
        environment: dict[str, str],
        directory: str,
    ) -> dict[str, Any]:
        """Start a program in the namespace, its three streams on the descriptors that came along."""
        self.go(where)
        process = subprocess.Popen(
            command,
            stdin=self.fds[0],
            stdout=self.fds[1],
            stderr=self.fds[2],
            env=environment,
            cwd=directory,
            start_new_session=True,
            preexec_fn=None if self.owns_processes else die_with_parent,
        )
        process.returncode = 0  # `reap` waits for it; Popen shall not
        self.running.add(process.pid)
        pidfd = os.pidfd_open(process.pid)
        self.given.append(pidfd)
        return {"handle": process.pid, "pid": self.outer_pid(pidfd)}

    def outer_pid(self, pidfd: int) -> int:
        """The process id as the harness, outside of the PID namespace, sees it."""
        fd = os.open(str(pidfd), os.O_RDONLY, dir_fd=self.outer_fdinfo)
        with open(fd) as file:
            return next(int(line.split()[1]) for line in file if line.startswith("Pid:"))

    def do_status(self, handle: int) -> dict[str, Any]:
        """The exit status of a process that has ended (negative: the signal), or null."""
        self.reap()
        return {"status": self.ended.get(handle)}

    def do_kill(self, handle: int) -> None:
        """SIGKILL for a process and what is left of its process group."""
        if handle in self.running:
            os.killpg(handle, signal.SIGKILL)

    def do_forget(self, handle: int) -> None:
        """The harness will not ask for this process again."""
        self.ended.pop(handle, None)


def is_bindable(address: str) -> bool:
    """Can a socket of this namespace be bound to this address now?"""
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM) as sock:
            sock.bind((address, 0))
    except OSError:
        return False
    return True


def interface_flags(sock: socket.socket, name: str) -> int:
    """The IFF_ flags of a device."""
    reply = fcntl.ioctl(sock, SIOCGIFFLAGS, struct.pack("16sh22x", name.encode(), 0))
    return int(struct.unpack_from("H", reply, 16)[0])


def raise_interface(sock: socket.socket, name: str) -> None:
    """Set a device up."""
    flags = interface_flags(sock, name) | IFF_UP
    fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack("16sH22x", name.encode(), flags))


def refusal(problem: Exception) -> dict[str, Any]:
    """How the harness is told of a step that failed."""
    why = (isinstance(problem, OSError) and problem.strerror) or str(problem)
    return {"why": why, "hint": getattr(problem, "hint", ""), "errno": getattr(problem, "errno", None)}


def send(control: socket.socket, message: dict[str, Any], fds: list[int]) -> None:
    """One message with its descriptors."""
    ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    control.sendmsg([json.dumps(message).encode()], ancillary)


def main(control_fd: int, harness: int, isolated: bool, parent_directory: str) -> None:
    """Isolate, make the private directory, split into guard and worker, and tell the harness how it went."""
    control = socket.socket(fileno=control_fd)
    control.set_inheritable(False)
    os.set_inheritable(harness, False)
    owns_processes = False
    try:
        if isolated:
            become_privileged()
            try:
                unshare(CLONE_NEWPID)
                owns_processes = True
            except OSError:
                pass  # then parent-death signals and the guard have to do
        directory = f"{parent_directory}/sc-{os.urandom(5).hex()}"
        os.mkdir(directory, 0o700)
    except (Refused, OSError) as problem:
        send(control, refusal(problem), [])
        return
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    worker = os.fork()
    if worker:
        control.close()
        guard(worker, harness, directory)
        return
    try:
        die_with_parent()
        os.close(harness)
        work = Worker(control, owns_processes=owns_processes)
        if owns_processes:
            mount_own_proc()
        send(control, {"directory": directory}, [])
        work.serve()
    except BaseException:
        import traceback

        traceback.print_exc()  # the harness reads it if an answer fails to come
        sys.stderr.flush()
    finally:
        os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "isolated", sys.argv[4])
