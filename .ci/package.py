"""Makes the package that an office installs: the program, its locked wheels and uv in one file.

Called by `make package-windows`, `package-linux` and `package-macos`.

Every file that is fetched is one of the locks' (its SHA-256 stands there), the order and the times within the package
are fixed, so the same sources make the same bytes on every machine. It needs pip and uv, and the network.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
INSTALLERS = ROOT / "installers"
LOCKS = ("requirements.txt", "requirements-dev.txt")
MOMENT = (2026, 1, 1, 0, 0, 0)
"""Time of every file in a package."""
EPOCH = 1_767_225_600


@dataclass(frozen=True)
class Target:
    """A system that a package is for."""

    #: as uv calls it
    platform: str
    #: tags of wheels that it takes, as pip calls them
    tags: tuple[str, ...]
    #: folder of its scripts
    scripts: str
    #: file of uv in its wheel, and its name in the package
    uv: tuple[str, str]
    ending: str


TARGETS = {
    "windows": Target("x86_64-pc-windows-msvc", ("win_amd64",), "windows", ("scripts/uv.exe", "uv.exe"), ".zip"),
    "linux": Target(
        "x86_64-manylinux_2_28",
        ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64", "manylinux_2_5_x86_64"),
        "unix",
        ("scripts/uv", "uv"),
        ".tar.gz",
    ),
    "macos": Target(
        "aarch64-apple-darwin",
        (
            *(f"macosx_{major}_0_{kind}" for major in (14, 13, 12, 11) for kind in ("arm64", "universal2")),
            *(f"macosx_10_{minor}_universal2" for minor in (13, 12, 9)),
        ),
        "unix",
        ("scripts/uv", "uv"),
        ".tar.gz",
    ),
}


def main() -> None:
    """Makes one package in ``build/`` and prints its SHA-256."""
    parser = argparse.ArgumentParser()
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--python", default="3.13")
    parser.add_argument("--out", type=Path, default=ROOT / "build")
    given = parser.parse_args()
    target = TARGETS[given.target]
    version = str(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"])
    with tempfile.TemporaryDirectory(prefix="anular-package-") as folder:
        files = contents(target, version, given.python, Path(folder))
    name = f"anular-{version}-{given.target}"
    given.out.mkdir(parents=True, exist_ok=True)
    made = given.out / f"{name}{target.ending}"
    made.write_bytes(packed(files, name, target.ending))
    print(f"{hashlib.sha256(made.read_bytes()).hexdigest()}  {made} ({made.stat().st_size / 1e6:.1f} MB)")


def contents(target: Target, version: str, python: str, work: Path) -> dict[str, bytes]:
    """Every file of a package, by its name."""
    wheels = work / "wheels"
    pins = work / "pins.txt"
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(EPOCH)}
    run(
        *(sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--quiet", "--no-config", "--extra", "web"),
        *("--python-platform", target.platform, "--python-version", python, "--constraints", "requirements.txt"),
        *("--generate-hashes", "--no-annotate", "--no-header", "--no-emit-index-url", "--output-file", str(pins)),
    )
    tags = [word for tag in target.tags for word in ("--platform", tag)]
    fetch = (sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps")
    only = ("--only-binary", ":all:", "--python-version", python, "--implementation", "cp", *tags)
    run(*fetch, *only, "--require-hashes", "-r", str(pins), "--dest", str(wheels))
    own_uv = work / "uv.txt"
    own_uv.write_text(pin_of("uv", (ROOT / "requirements-dev.txt").read_text("utf-8")), "utf-8")
    run(*fetch, *only, "--require-hashes", "-r", str(own_uv), "--dest", str(work / "uv"))
    build = ("wheel", "--quiet", "--disable-pip-version-check", "--no-build-isolation", "--no-deps")
    run(sys.executable, "-m", "pip", *build, "--wheel-dir", str(work / "own"), str(ROOT), env=environment)
    (own,) = (work / "own").glob("*.whl")
    (uv,) = (work / "uv").glob("*.whl")
    found = {path.name: path.read_bytes() for path in sorted(wheels.glob("*.whl"))}
    check_locked({**found, uv.name: uv.read_bytes()}, "".join((ROOT / lock).read_text("utf-8") for lock in LOCKS))
    found[own.name] = own.read_bytes()
    files = {f"ruedas/{name}": data for name, data in found.items()}
    files |= {target.uv[1]: member(uv.read_bytes(), target.uv[0]), "requirements.txt": lock_of(found).encode()}
    files["ejemplo.xlsx"] = (ROOT / "sample_data" / "lote_mensual.xlsx").read_bytes()
    files |= {"version.txt": f"{version}\n".encode(), "python.txt": f"{python}\n".encode()}
    for path in sorted((INSTALLERS / target.scripts).iterdir()):
        files[path.name] = as_on(path.read_bytes(), path.suffix)
    if target.scripts == "windows":
        files = {name: as_on(data, ".bat") if name.endswith(".txt") else data for name, data in files.items()}
    return files | {"SHA256SUMS": sums(files)}


def pin_of(name: str, lock: str) -> str:
    """The lines of a lock that pin one package, with its hashes."""
    found = re.search(rf"^{re.escape(name)}==[^\n]*\\\n(?:    --hash=[^\n]*\n)+", lock, re.MULTILINE)
    assert found is not None, f"{name} is not locked"
    return found[0].rstrip().rstrip("\\")


def check_locked(wheels: dict[str, bytes], locks: str) -> None:
    """Ends with a sentence when a wheel is none of those whose SHA-256 the locks hold."""
    strange = [name for name, data in wheels.items() if f"sha256:{hashlib.sha256(data).hexdigest()}" not in locks]
    if strange:
        sys.exit(f"anular: not in the locks: {', '.join(strange)}; run `make lock` first")


def lock_of(wheels: dict[str, bytes]) -> str:
    """Lock of exactly these wheels: one hash each."""
    lines = []
    for name, data in sorted(wheels.items()):
        package, version = name.split("-")[:2]
        lines.append(f"{package}=={version} --hash=sha256:{hashlib.sha256(data).hexdigest()}\n")
    return "".join(lines)


def member(wheel: bytes, ending: str) -> bytes:
    """The file of a wheel whose name ends so."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(f"/{ending}"))
        return archive.read(name)


def as_on(data: bytes, suffix: str) -> bytes:
    """A text with the line ends of its system: batch files and what is read on Windows have two bytes."""
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") if suffix == ".bat" else data


def sums(files: dict[str, bytes]) -> bytes:
    """``SHA256SUMS``, as ``sha256sum`` checks it."""
    return "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(files.items())).encode()


def packed(files: dict[str, bytes], name: str, ending: str) -> bytes:
    """The package: everything in one folder ``name``, in order, with one time."""
    return zipped(files, name) if ending == ".zip" else tarred(files, name)


def zipped(files: dict[str, bytes], name: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for path, data in sorted(files.items()):
            info = zipfile.ZipInfo(f"{name}/{path}", MOMENT)
            info.create_system, info.external_attr = 3, 0o644 << 16
            archive.writestr(
                info, data, zipfile.ZIP_STORED
            )  # wheels are compressed, and zlib is not the same everywhere
    return target.getvalue()


def tarred(files: dict[str, bytes], name: str) -> bytes:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, data in sorted(files.items()):
            info = tarfile.TarInfo(f"{name}/{path}")
            info.size, info.mtime = len(data), EPOCH
            info.mode = 0o755 if path.endswith(".sh") or path == "uv" else 0o644
            archive.addfile(info, io.BytesIO(data))
    return gzip.compress(plain.getvalue(), compresslevel=0, mtime=EPOCH)


def run(*command: str, env: dict[str, str] | None = None) -> None:
    """Runs a tool in the tree; its own words and exit code when it fails."""
    done = subprocess.run(command, cwd=ROOT, env=env, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}anular: {' '.join(command[2:5])} failed (is the network reachable?)")


if __name__ == "__main__":
    main()
