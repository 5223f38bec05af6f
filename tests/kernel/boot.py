#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Boots Debian's own kernel in an emulated machine and runs tests/kernel/inside.py there, with what is built here.

Who runs Postern on Debian 12 has this kernel, and its verifier takes less than those of newer ones. The machine has this one's files,
to read only; what it writes is in its memory. It is emulated, so that it runs where there is no KVM, and is therefore slow: what is run
there must not depend on time.

usage: boot.py BUILD        the kernel is fetched from Debian into BUILD/kernel
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
META = "linux-image-amd64"  # depends on the newest one
MODULES = ("9p", "9pnet_virtio", "virtio_pci", "overlay", "veth", "8021q", "sch_ingress", "cls_bpf", "nf_tables")  # for the files, and for the lab
SECONDS = 1200
PASSED = "kernel: passed"

INIT = """#!/bin/busybox sh
export PATH=/bin
/bin/busybox mount -t proc proc /proc
/bin/busybox --install -s /bin
mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
while read module; do insmod /modules/$module; done < /modules/order
mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,ro,cache=loose files /files
mount -t tmpfs memory /memory
mkdir /memory/upper /memory/work
mount -t overlay -o lowerdir=/files,upperdir=/memory/upper,workdir=/memory/work overlay /root
for directory in proc sys dev; do mount --move /$directory /root/$directory; done
mount -t tmpfs run /root/run
mkdir /root/run/tmp
export TMPDIR=/run/tmp
mount -t bpf bpf /root/sys/fs/bpf
mkdir -p /root/dev/shm
ip link set lo up
hostname kernel
chroot /root /bin/sh -c 'cd "@TOP@" && PATH=/usr/sbin:/usr/bin:/sbin:/bin exec /usr/bin/python3 @INSIDE@ @BUILD@'
poweroff -f
"""


def run(*command, **options):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True, **options).stdout


def fetch(directory):
    """The kernel's package, unpacked. Returns its name."""
    name = re.search(r"Depends: (linux-image-\S+)", run("apt-cache", "depends", META))[1]
    unpacked = directory / name
    if not unpacked.exists():
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=directory) as fetched:
            run("apt-get", "download", name, cwd=fetched)
            package, = pathlib.Path(fetched).glob("*.deb")
            run("dpkg-deb", "-x", package, f"{fetched}/root")
            run("depmod", "-b", f"{fetched}/root", name.removeprefix("linux-image-"))
            shutil.move(f"{fetched}/root", unpacked)
    return name


def files_of(root, release, module):
    """A module's file and those that it needs, which come first."""
    said = run("modprobe", "-d", root, "-S", release, "--show-depends", module)
    return [pathlib.Path(line.split()[1]) for line in said.splitlines() if line.startswith("insmod ")]


def archive(root, release, build, into):
    """The first files of the machine: busybox, the modules, and what it does."""
    for name in ("bin", "proc", "sys", "dev", "files", "memory", "root", "modules"):
        (into / name).mkdir()
    shutil.copy("/bin/busybox", into / "bin")
    order = dict.fromkeys(file for module in MODULES for file in files_of(root, release, module))
    for file in order:
        shutil.copy(file, into / "modules")
    (into / "modules/order").write_text("".join(f"{file.name}\n" for file in order))
    init = into / "init"
    init.write_text(INIT.replace("@TOP@", str(pathlib.Path.cwd())).replace("@INSIDE@", str(HERE / "inside.py")).replace("@BUILD@", str(build)))
    init.chmod(0o755)
    packed = into.parent / "first.cpio"
    with open(packed, "wb") as out:
        names = "\n".join(str(path.relative_to(into)) for path in sorted(into.rglob("*")))
        subprocess.run(["cpio", "--quiet", "-o", "-H", "newc"], cwd=into, input=names.encode(), stdout=out, check=True)
    return packed


def boot(root, release, first):
    """What the machine has said; it is shown meanwhile."""
    said = []
    machine = subprocess.Popen(
        ["timeout", str(SECONDS), "qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-smp", "2", "-m", "3072", "-nodefaults", "-display", "none",
         "-no-reboot", "-serial", "stdio", "-kernel", str(root / f"boot/vmlinuz-{release}"), "-initrd", str(first),
         "-append", "console=ttyS0 quiet loglevel=3 panic=-1",
         "-fsdev", "local,id=files,path=/,security_model=none,readonly=on,multidevs=remap", "-device", "virtio-9p-pci,fsdev=files,mount_tag=files"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    try:
        for line in machine.stdout:
            said.append(line.strip())
            print(said[-1], flush=True)
    finally:
        machine.terminate()
        machine.wait()
    return said


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    build = pathlib.Path(sys.argv[1]).resolve()
    name = fetch(build / "kernel")
    release, root = name.removeprefix("linux-image-"), build / "kernel" / name
    with tempfile.TemporaryDirectory() as place:
        into = pathlib.Path(place, "first")
        into.mkdir()
        said = boot(root, release, archive(root, release, build, into))
    return 0 if PASSED in said else 1


if __name__ == "__main__":
    sys.exit(main())
