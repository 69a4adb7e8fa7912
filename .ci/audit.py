"""Asks the advisory service about every locked package. Called by `make check`.

pip-audit ends with "No known vulnerabilities found" also when the service knows none of the packages (behind a
mirror, for example), so its report is read here: what was not looked up is said loudly, never taken for a pass.
A known vulnerability fails; a service that cannot be reached does not.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

LOCK = "requirements-dev.txt"  # holds everything of requirements.txt, in the same versions
SERVICES = ("pypi", "osv")  # asked in this order until one answers
CONNECTION_WORDS = (
    "ConnectionError",
    "ConnectTimeout",
    "ReadTimeout",
    "ProxyError",
    "SSLError",
    "ServiceError",
    "Could not connect",
)


def judge(report: dict[str, Any]) -> tuple[int, list[str]]:
    """Exit code and lines for a report of pip-audit: 0 nothing known, 1 vulnerable, 2 nothing could be looked up."""
    packages = report["dependencies"]
    skipped = [p["name"] for p in packages if "skip_reason" in p]
    found = [
        f"VULNERABLE {p['name']} {p['version']}: {v['id']}, mended in {', '.join(v['fix_versions']) or 'no version'}"
        for p in packages
        for v in p.get("vulns", [])
    ]
    if found:
        return 1, found
    if len(skipped) == len(packages):
        return 2, []
    lines = [f"no known vulnerability in {len(packages) - len(skipped)} packages of {LOCK}"]
    if skipped:
        lines.append(f"NOT CHECKED: {len(skipped)} packages the advisory service does not know: {', '.join(skipped)}")
    return 0, lines


def ask(service: str) -> tuple[int, list[str]]:
    """One run of pip-audit against one service; codes as in `judge`, and 3 for what is not about the network."""
    command = [sys.executable, "-m", "pip_audit", "--vulnerability-service", service, "--requirement", LOCK]
    command += ["--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json", "--timeout", "15"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    try:
        return judge(json.loads(done.stdout))
    except ValueError:
        unreachable = any(word in done.stderr for word in CONNECTION_WORDS)
        return (2, []) if unreachable else (3, [f"pip-audit failed: {done.stderr.strip()[-2000:]}"])


def main() -> int:
    """Exit code 0 also when no service answered, with one line about it."""
    for service in SERVICES:
        code, lines = ask(service)
        if code != 2:
            print(f"pip-audit ({service}):", *lines, sep="\n  ")
            return 1 if code else 0
    print(f"!!! NOT CHECKED: known vulnerabilities of {LOCK}; no advisory service is reachable from here")
    return 0


if __name__ == "__main__":
    sys.exit(main())
