"""Ways out of a builder's sandbox, tried from within by test_escapes.py: `python escapes.py FACTS RESULTS`.

FACTS is a JSON file that says what to aim at outside. Each attempt that comes back without an error, or with
what it must not have got, has escaped. Not imported by anything: it runs in the sandbox.
"""

import contextlib
import ctypes
import errno
import fcntl
import json
import mmap
import os
import signal
import socket
import stat
import struct
import sys
import termios
from collections.abc import Callable
from typing import Any

# Before anything is opened here; the listing's own descriptor is closed by then.
INHERITED = [
    name for name in os.listdir("/proc/self/fd") if int(name) > 2 and os.path.exists(f"/proc/self/fd/{name}")
]
Facts = dict[str, Any]
Attempt = Callable[[Facts], Any]

LIBC = ctypes.CDLL(None, use_errno=True)
NEWNS, NEWUSER, NEWPID, NEWNET, NEWCGROUP = 0x20000, 0x10000000, 0x20000000, 0x40000000, 0x2000000
RDONLY, REMOUNT, BIND, REC = 1, 32, 4096, 16384
MACHINE = os.uname().machine
# Of /proc: links to what is the process's own.
OWN = ("self", "thread-self", "mounts", "net")
ATTEMPTS: dict[str, Attempt] = {}


def attempt(function: Attempt) -> Attempt:
    ATTEMPTS[function.__name__] = function
    return function


def call(name: str, *arguments: object) -> int:
    """Call a function of the C library; raise OSError where it fails."""
    function = LIBC[name]
    result: int = function(*arguments)
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def number(x86_64: int, aarch64: int) -> int:
    return x86_64 if MACHINE == "x86_64" else aarch64


def in_child(work: Callable[[], object]) -> str:
    """Do `work` in a child; return what it answers."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        try:
            answer = repr(work())
        except BaseException as error:  # noqa: BLE001  # told to the parent
            answer = f"!{error}"
        os.write(writing, answer.encode())
        os._exit(0)
    os.close(writing)
    os.wait()
    answer = os.read(reading, 10000).decode()
    if answer.startswith("!"):
        raise OSError(0, answer[1:])
    return answer


def nested_namespace() -> None:
    """Become root of a user namespace of one's own, with a mount namespace."""
    uid, gid = os.getuid(), os.getgid()
    call("unshare", NEWUSER | NEWNS)
    write("/proc/self/setgroups", "deny")
    write("/proc/self/uid_map", f"0 {uid} 1")
    write("/proc/self/gid_map", f"0 {gid} 1")


def write(path: str, text: str) -> None:
    with open(path, "w") as stream:
        stream.write(text)


def mount(source: str, target: str, kind: str, flags: int, data: bytes = b"") -> None:
    call("mount", source.encode(), target.encode(), kind.encode(), flags, data)


# -- inputs


@attempt
def write_to_an_input(facts: Facts) -> Any:
    write(facts["input"] + "/file", "escaped")


@attempt
def change_the_mode_of_an_input(facts: Facts) -> Any:
    os.chmod(facts["input"] + "/file", 0o666)


@attempt
def change_the_time_of_an_input(facts: Facts) -> Any:
    os.utime(facts["input"] + "/file", (5, 5))


@attempt
def add_to_an_input(facts: Facts) -> Any:
    write(facts["input"] + "/new", "escaped")


@attempt
def delete_an_input(facts: Facts) -> Any:
    os.unlink(facts["input"] + "/file")


@attempt
def rename_an_input(facts: Facts) -> Any:
    os.rename(facts["input"], facts["input"] + "-away")


@attempt
def link_an_input_into_the_output(facts: Facts) -> Any:
    os.link(facts["input"] + "/file", "/build/linked")


@attempt
def remount_an_input(facts: Facts) -> Any:
    mount("", facts["input"], "", REMOUNT | BIND)


@attempt
def unmount_an_input(facts: Facts) -> Any:
    call("umount2", facts["input"].encode(), 2)


@attempt
def remount_an_input_as_root_of_a_nested_namespace(facts: Facts) -> Any:
    def work() -> Any:
        nested_namespace()
        mount("", facts["input"], "", REMOUNT | BIND)
        write(facts["input"] + "/file", "escaped")

    return in_child(work)


@attempt
def unmount_an_input_in_a_nested_namespace(facts: Facts) -> Any:
    def work() -> Any:
        nested_namespace()
        call("umount2", facts["input"].encode(), 2)

    return in_child(work)


@attempt
def write_to_a_shown_path(_facts: Facts) -> Any:
    write("/usr/denizen-escaped", "escaped")


@attempt
def open_an_input_for_writing_by_its_descriptor(facts: Facts) -> Any:
    descriptor = os.open(facts["input"] + "/file", os.O_RDONLY)
    os.open(f"/proc/self/fd/{descriptor}", os.O_RDWR)


@attempt
def link_an_input_by_its_descriptor(facts: Facts) -> Any:
    descriptor = os.open(facts["input"] + "/file", os.O_RDONLY)
    call("linkat", -100, f"/proc/self/fd/{descriptor}".encode(), -100, b"/build/by-descriptor", 0x400)


@attempt
def let_an_input_be_written_to_in_a_nested_namespace(_facts: Facts) -> Any:
    def work() -> Any:
        nested_namespace()
        # mount_setattr(2): clear MOUNT_ATTR_RDONLY of all mounts.
        attributes = struct.pack("QQQQ", 0, 1, 0, 0)
        call("syscall", 442, -100, b"/", 0x8000, attributes, len(attributes))

    return in_child(work)


@attempt
def copy_the_mount_of_an_input_in_a_nested_namespace(facts: Facts) -> Any:
    def work() -> Any:
        nested_namespace()
        # open_tree(2) with OPEN_TREE_CLONE, and the copy made writable.
        tree = call("syscall", 428, -100, facts["input"].encode(), 1)
        attributes = struct.pack("QQQQ", 0, 1, 0, 0)
        call("syscall", 442, tree, b"", 0x1000, attributes, len(attributes))
        os.open(f"/proc/self/fd/{tree}/file", os.O_RDWR)

    return in_child(work)


# -- files of this machine


@attempt
def read_a_file_of_this_machine(facts: Facts) -> Any:
    return open(facts["secret"]).read()


@attempt
def read_the_users_directory(facts: Facts) -> Any:
    found = os.listdir(facts["home"])
    if os.path.basename(facts["secret"]) not in found:
        raise OSError(errno.ENOENT, "it has only what leads to the store")
    return found


@attempt
def read_an_object_that_is_no_input(facts: Facts) -> Any:
    return open(facts["other"]).read()


@attempt
def read_the_stores_database(facts: Facts) -> Any:
    return os.listdir(facts["store"] + "/.denizen")


@attempt
def leave_by_the_root_of_process_1(facts: Facts) -> Any:
    return open("/proc/1/root" + facts["secret"]).read()


@attempt
def leave_by_the_parent_of_the_root(facts: Facts) -> Any:
    return open("/../../../.." + facts["secret"]).read()


@attempt
def leave_by_chroot(_facts: Facts) -> Any:
    call("chroot", b"/build")


@attempt
def leave_by_a_file_handle(_facts: Facts) -> Any:
    # open_by_handle_at(2) of the root directory's inode, 2 on ext4.
    handle = struct.pack("<IiQ", 8, 1, 2)
    call("syscall", number(304, 265), os.open("/build", os.O_RDONLY), handle, os.O_RDONLY)


@attempt
def unmount_the_root_in_a_nested_namespace(facts: Facts) -> Any:
    def work() -> Any:
        nested_namespace()
        call("umount2", b"/", 2)
        return open(facts["secret"]).read()

    return in_child(work)


@attempt
def write_to_the_root(_facts: Facts) -> Any:
    write("/escaped", "escaped")


@attempt
def write_to_etc(_facts: Facts) -> Any:
    write("/etc/passwd", "escaped")


# -- processes


@attempt
def see_other_processes(facts: Facts) -> Any:
    return open(f"/proc/{facts['process']}/cmdline").read()


@attempt
def kill_another_process(facts: Facts) -> Any:
    os.kill(facts["process"], signal.SIGTERM)


@attempt
def trace_another_process(facts: Facts) -> Any:
    call("ptrace", 16, facts["process"], 0, 0)  # PTRACE_ATTACH


@attempt
def limit_another_process(facts: Facts) -> Any:
    call("prlimit", facts["process"], 7, struct.pack("QQ", 1, 1), None)


@attempt
def enter_the_namespace_of_another(facts: Facts) -> Any:
    call("setns", os.open(f"/proc/{facts['process']}/ns/mnt", os.O_RDONLY), 0)


@attempt
def keep_a_descriptor(_facts: Facts) -> Any:
    if not INHERITED:
        raise OSError(errno.EBADF, "none is open")
    return INHERITED


@attempt
def type_into_the_users_terminal(_facts: Facts) -> Any:
    terminal = os.open("/dev/tty", os.O_RDWR)
    fcntl.ioctl(terminal, termios.TIOCSTI, b"x")


@attempt
def leave_by_the_parent_of_the_user_namespace(_facts: Facts) -> Any:
    # NS_GET_PARENT, ioctl_ns(2).
    parent = fcntl.ioctl(os.open("/proc/self/ns/user", os.O_RDONLY), 0xB702)
    call("setns", parent, NEWUSER)


@attempt
def watch_all_processes(_facts: Facts) -> Any:
    # perf_event_open(2) of every process on processor 0, of what is counted in software.
    asked = struct.pack("IIQ", 1, 120, 0).ljust(120, b"\0")
    call("syscall", number(298, 241), asked, -1, 0, -1, 0)


@attempt
def control_the_processes_of_this_machine_by_their_group(_facts: Facts) -> Any:
    def work() -> Any:
        call("unshare", NEWCGROUP | NEWUSER | NEWNS)
        mount("none", "/tmp", "cgroup2", 0)
        # It would end, stop or starve denizen and all who share its group.
        return os.open("/tmp/cgroup.procs", os.O_WRONLY)

    return in_child(work)


# -- network and IPC


@attempt
def connect_to_a_port_of_this_machine(facts: Facts) -> Any:
    socket.create_connection(("127.0.0.1", facts["port"]), timeout=5)


@attempt
def connect_to_an_abstract_socket(facts: Facts) -> Any:
    socket.socket(socket.AF_UNIX).connect(b"\0" + facts["abstract"].encode())


@attempt
def send_beyond_the_network(_facts: Facts) -> Any:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 9))


@attempt
def attach_to_shared_memory(facts: Facts) -> Any:
    call("shmget", facts["shared"], 0, 0)


@attempt
def see_posix_shared_memory(facts: Facts) -> Any:
    return open("/dev/shm/" + facts["posix"]).read()


@attempt
def read_the_users_key(facts: Facts) -> Any:
    # KEYCTL_SEARCH in the user's keyring.
    call("syscall", number(250, 219), 10, -4, b"user", facts["key"].encode(), 0)


@attempt
def let_this_machine_ask_for_a_key(_facts: Facts) -> Any:
    # request_key(2): the kernel starts /sbin/request-key as root, which asks the network (dns_resolver).
    call("syscall", number(249, 218), b"user", b"denizen-not-there", b"x", 0)


@attempt
def leave_a_key(_facts: Facts) -> Any:
    call("syscall", number(248, 217), b"user", b"denizen-left", b"x", 1, -4)


# -- privileges


@attempt
def become_root(_facts: Facts) -> Any:
    os.setuid(0)


@attempt
def become_another_group(_facts: Facts) -> Any:
    os.setgroups([0])


@attempt
def gain_rights_by_a_set_user_id_program(facts: Facts) -> Any:
    def work() -> Any:
        reading, writing = os.pipe()
        if os.fork() == 0:
            os.dup2(writing, 1)
            os.execv(facts["setuid"], [facts["setuid"], "-u"])
        os.wait()
        found = os.read(reading, 100).decode().strip()
        if found == str(os.getuid()):
            raise OSError(errno.EPERM, f"it runs as {found}")
        return found

    return in_child(work)


@attempt
def make_a_device(_facts: Facts) -> Any:
    os.mknod("/build/device", stat.S_IFCHR | 0o666, os.makedev(1, 1))


@attempt
def open_a_device(_facts: Facts) -> Any:
    for name in ("mem", "kmsg", "sda", "vda", "nvme0n1", "fuse", "loop0", "kvm", "net/tun"):
        with contextlib.suppress(FileNotFoundError):
            return os.open("/dev/" + name, os.O_RDONLY)
    raise OSError(errno.ENOENT, "there is none")


@attempt
def mount_a_file_system(_facts: Facts) -> Any:
    mount("none", "/build", "tmpfs", 0)


@attempt
def mount_the_disk_in_a_nested_namespace(_facts: Facts) -> Any:
    def work() -> Any:
        nested_namespace()
        os.mknod("/tmp/disk", stat.S_IFBLK | 0o600, os.makedev(254, 0))
        mount("/tmp/disk", "/build", "ext4", 0)

    return in_child(work)


@attempt
def set_the_clock(_facts: Facts) -> Any:
    call("settimeofday", struct.pack("qq", 1, 1), None)


@attempt
def set_the_hosts_name(_facts: Facts) -> Any:
    call("sethostname", b"escaped", 7)


@attempt
def load_a_module(_facts: Facts) -> Any:
    call("syscall", number(175, 105), b"x", 1, b"")


@attempt
def load_a_bpf_program(_facts: Facts) -> Any:
    call("syscall", number(321, 280), 5, ctypes.create_string_buffer(128), 128)


@attempt
def reboot(_facts: Facts) -> Any:
    call("reboot", 0x89ABCDEF)  # LINUX_REBOOT_CMD_CAD_ON: harmless where it works


@attempt
def write_a_kernel_setting(_facts: Facts) -> Any:
    with open("/proc/sys/kernel/core_pattern", "r+") as stream:
        text = stream.read()
        stream.seek(0)
        stream.write(text)


@attempt
def trigger_sysrq(_facts: Facts) -> Any:
    os.open("/proc/sysrq-trigger", os.O_WRONLY)


@attempt
def write_a_kernel_setting_in_a_nested_namespace(_facts: Facts) -> Any:
    def work() -> Any:
        nested_namespace()
        call("umount2", b"/proc/sys", 2)
        os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY)

    return in_child(work)


@attempt
def write_a_file_of_the_kernels(_facts: Facts) -> Any:
    """Open any file of /proc for writing that is no process's, and that not everybody may write to."""
    opened = []
    for top in [name for name in os.listdir("/proc") if not name.isdigit() and name not in OWN]:
        below = os.walk("/proc/" + top) if os.path.isdir("/proc/" + top) else [("/proc", [], [top])]
        for path in [f"{parent}/{name}" for parent, _, names in below for name in names]:
            with contextlib.suppress(OSError):
                if not os.lstat(path).st_mode & stat.S_IWOTH:
                    os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
                    opened.append(path)
    if not opened:
        raise OSError(errno.EACCES, "none")
    return opened


@attempt
def mount_another_proc_in_a_nested_namespace(_facts: Facts) -> Any:
    def work() -> Any:
        call("unshare", NEWUSER | NEWNS | NEWPID)
        if os.fork() == 0:
            try:
                mount("none", "/tmp", "proc", 0)
                os.open("/tmp/sys/kernel/core_pattern", os.O_WRONLY)
            except OSError:
                os._exit(1)
            os._exit(0)
        if os.wait()[1]:
            raise OSError(errno.EPERM, "it is refused")

    return in_child(work)


@attempt
def mount_devices_in_a_nested_namespace(_facts: Facts) -> Any:
    def work() -> Any:
        call("unshare", NEWUSER | NEWNS | NEWNET)
        mount("none", "/tmp", "sysfs", 0)

    return in_child(work)


@attempt
def keep_records_of_all_processes(_facts: Facts) -> Any:
    write("/build/records", "")
    call("acct", b"/build/records")


@attempt
def swap_to_a_file(_facts: Facts) -> Any:
    call("swapon", b"/build/records", 0)


@attempt
def exchange_the_root(_facts: Facts) -> Any:
    os.makedirs("/build/root/old", exist_ok=True)
    call("syscall", number(155, 41), b"/build/root", b"/build/root/old")


@attempt
def open_ports_of_devices(_facts: Facts) -> Any:
    if MACHINE != "x86_64":
        raise OSError(errno.ENOSYS, "no such call")
    call("ioperm", 0x80, 1, 1)


@attempt
def make_a_file_that_nobody_can_delete(_facts: Facts) -> Any:
    # FS_IOC_SETFLAGS with FS_IMMUTABLE_FL.
    fcntl.ioctl(os.open(fresh(), os.O_RDONLY), 0x40086602, struct.pack("L", 0x10))


@attempt
def decide_on_what_others_open(_facts: Facts) -> Any:
    # fanotify_init(2) with FAN_CLASS_CONTENT.
    call("fanotify_init", 4, 0)


# -- what no output may have

SET_ID = (0o4755, 0o2755)


def fresh() -> str:
    with contextlib.suppress(FileNotFoundError):
        os.unlink("/build/program")
    write("/build/program", "x")
    return "/build/program"


def set_ids(change: Callable[[str, int], object]) -> str:
    """Escaped if a set-ID bit stands after `change(path, mode)`; both bits are tried."""
    refusals = []
    for mode in SET_ID:
        path = fresh()
        try:
            change(path, mode)
        except OSError as error:
            refusals.append(error)
        if os.path.exists(path) and os.stat(path).st_mode & 0o6000:
            return oct(mode)
    raise refusals[0] if refusals else OSError(errno.EPERM, "no bit was set")


@attempt
def set_user_id_by_chmod(_facts: Facts) -> Any:
    return set_ids(os.chmod)


@attempt
def set_user_id_by_fchmod(_facts: Facts) -> Any:
    return set_ids(lambda path, mode: os.fchmod(os.open(path, os.O_RDONLY), mode))


@attempt
def set_user_id_by_fchmodat(_facts: Facts) -> Any:
    return set_ids(lambda path, mode: call("syscall", number(268, 53), -100, path.encode(), mode))


@attempt
def set_user_id_by_fchmodat2(_facts: Facts) -> Any:
    return set_ids(lambda path, mode: call("syscall", 452, -100, path.encode(), mode, 0))


@attempt
def set_user_id_by_open(_facts: Facts) -> Any:
    def change(path: str, mode: int) -> None:
        os.unlink(path)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, mode))

    return set_ids(change)


@attempt
def set_user_id_by_creat(_facts: Facts) -> Any:
    def change(path: str, mode: int) -> None:
        os.unlink(path)
        call("creat", path.encode(), mode)

    return set_ids(change)


@attempt
def set_user_id_by_mknod(_facts: Facts) -> Any:
    def change(path: str, mode: int) -> None:
        os.unlink(path)
        call("mknod", path.encode(), stat.S_IFREG | mode, 0)

    return set_ids(change)


@attempt
def set_user_id_by_openat2(_facts: Facts) -> Any:
    def change(path: str, mode: int) -> None:
        os.unlink(path)
        how = struct.pack("QQQ", os.O_CREAT | os.O_WRONLY, mode, 0)
        call("syscall", 437, -100, path.encode(), how, len(how))

    return set_ids(change)


@attempt
def set_user_id_by_the_32_bit_call(_facts: Facts) -> Any:
    def change(path: str, mode: int) -> None:
        if MACHINE != "x86_64":
            raise OSError(errno.ENOSYS, "no such call")
        memory = mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40, 7)  # MAP_32BIT
        place = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        # push rbx; mov eax, 15; mov ebx, path; mov ecx, mode; int 0x80; pop rbx; ret
        code = b"\x53\xb8\x0f\0\0\0\xbb" + struct.pack("<I", place + 100) + b"\xb9" + struct.pack("<I", mode)
        memory[:] = (code + b"\xcd\x80\x5b\xc3").ljust(100, b"\0") + path.encode().ljust(3996, b"\0")
        result = ctypes.CFUNCTYPE(ctypes.c_int)(place)()
        if result < 0:
            raise OSError(-result, os.strerror(-result))

    return set_ids(change)


@attempt
def set_user_id_by_the_x32_call(_facts: Facts) -> Any:
    return set_ids(lambda path, mode: call("syscall", 0x40000000 | 90, path.encode(), mode))


@attempt
def set_an_extended_attribute(_facts: Facts) -> Any:
    os.setxattr(fresh(), "user.escaped", b"x")


@attempt
def set_an_extended_attribute_by_descriptor(_facts: Facts) -> Any:
    os.setxattr(os.open(fresh(), os.O_RDWR), "user.escaped", b"x")


@attempt
def set_an_extended_attribute_of_a_link(_facts: Facts) -> Any:
    os.setxattr(fresh(), "user.escaped", b"x", follow_symlinks=False)


@attempt
def set_an_extended_attribute_by_setxattrat(_facts: Facts) -> Any:
    value = ctypes.create_string_buffer(b"x")
    given = struct.pack("QII", ctypes.addressof(value), 1, 0)
    call("syscall", 463, -100, fresh().encode(), 0, b"user.escaped", given, len(given))


@attempt
def make_an_io_uring(_facts: Facts) -> Any:
    call("syscall", 425, 1, ctypes.create_string_buffer(120))


def main(facts_file: str, results_file: str) -> None:
    with open(facts_file) as given:
        facts = json.load(given)
    results: dict[str, tuple[str, str]] = {}
    for name, function in ATTEMPTS.items():
        try:
            results[name] = ("escaped", repr(function(facts)))
        except OSError as error:
            results[name] = ("refused", errno.errorcode.get(error.errno or 0, str(error)))
    with open(results_file, "w") as stream:
        json.dump(results, stream)


main(*sys.argv[1:])
