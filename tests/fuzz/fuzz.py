"""Fuzzes a collector by its own /openapi.json: nothing may answer 5xx, or otherwise than it says there.

    python fuzz.py PROGRAM [SECONDS]

Starts the program on a directory of its own, with a site and some events, and lets Schemathesis loose on it.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
SITE = "example.com"
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,ignored_auth"
)


def events() -> str:
    """Two days of a few visits, with what reports are about."""
    lines = []
    for number in range(200):
        line = {
            "site": SITE,
            "timestamp": f"2026-03-{1 + number % 2:02}T{number % 24:02}:{number % 60:02}:00Z",
            "visitor": f"v{number % 40}",
            "pathname": ["/", "/a", "/=b"][number % 3],
            "source": ["", "Google"][number % 2],
            "props": {"plan": "pro"},
        }
        lines.append(json.dumps(line))
    return "\n".join(lines)


def when_ready(collector: subprocess.Popen, log: Path) -> str:
    """The address that the log tells, once it does."""
    while collector.poll() is None:
        if told := re.search(r"address=(\S+)", log.read_text()):
            return told.group(1)
        time.sleep(0.05)
    raise SystemExit(f"The collector ended: {log.read_text()}")


def main() -> int:
    program, seconds = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "30"
    with tempfile.TemporaryDirectory(prefix="passerby-fuzz-") as directory:
        environment = {"PASSERBY_DATA_DIR": f"{directory}/data", "PASSERBY_LISTEN": "127.0.0.1:0"}
        log = Path(directory, "log")
        with log.open("w") as stderr:
            collector = subprocess.Popen([program, "serve"], env=environment, stderr=stderr)
        try:
            address = when_ready(collector, log)

            def run(*arguments: str) -> str:
                done = subprocess.run(
                    [program, *arguments], env=environment, check=True, text=True, stdout=subprocess.PIPE
                )
                return done.stdout.strip()

            run("site", "add", SITE, "--timezone", "Asia/Kathmandu")
            file = Path(directory, "events.jsonl")
            file.write_text(events())
            run("import", str(file))
            token = run("token", "create", "--scope", "admin")
            return fuzz(address, token, seconds, directory)
        finally:
            collector.terminate()
            collector.wait()


def fuzz(address: str, token: str, seconds: str, directory: str) -> int:
    schemathesis = Path(sys.executable).with_name("schemathesis")
    command = [
        str(schemathesis), "run", f"http://{address}/openapi.json",
        "--header", f"Authorization: Bearer {token}",
        "--checks", CHECKS,
        "--phases", "examples,coverage,fuzzing",
        "--max-time", seconds,
        "--max-examples", "60",
        "--request-timeout", "20",
        "--generation-database", "none",
        "--warnings", "off",
        "--suppress-health-check", "all",
        "--continue-on-failure",
        "--no-color",
    ]  # fmt: skip
    # The same requests each time, unless somebody looks for new ones.
    seed = os.environ.get("FUZZ_SEED", "1")
    command += ["--seed", seed]
    environment = os.environ | {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE)}
    return subprocess.run(command, env=environment, cwd=directory, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
