"""A stand-in for adb and the phone behind it: a folder of this machine, which answers in the real formats."""

import os
import sys
from pathlib import Path

from tests.latency.phones.benchmark_tool import BenchmarkTool
from tests.latency.reports.formats import thermal_dump

SERIAL = "R5CT30ABCDE"

_ADB = """\
#!{python} -SE
import os, shutil, subprocess, sys, time
home, phone = {home!r}, {phone!r}
fault = {{}}
if os.path.exists(home + "/fault.txt"):
    fault = dict(line.split("=", 1) for line in open(home + "/fault.txt").read().splitlines())

def fail(text, status=1):
    sys.stderr.write(text + "\\n")
    sys.exit(status)

words = sys.argv[1:]
serial = {serial!r}
if words[:2] == ["-s", serial]:
    words = words[2:]
time.sleep(float(fault.get("slow", 0)))
if words == ["devices"]:
    print("List of devices attached")
    if "gone" not in fault:
        print(serial + "\\t" + fault.get("state", "device"))
        if "second" in fault:
            print(fault["second"] + "\\tdevice")
    print()
    sys.exit(0)
if "gone" in fault:
    fail("error: device '" + serial + "' not found")
if words == ["get-state"]:
    print("device")
elif words[0] == "push":
    target = words[-1].replace("/data/local/tmp", phone)
    if "full" in fault:
        fail("adb: error: failed to copy 'x' to '" + words[-1] + "': remote write failed: No space left on device")
    for file in words[1:-1]:
        shutil.copy(file, target)
        print(file + ": 1 file pushed, 0 skipped. 25.1 MB/s (7772 bytes in 0.000s)")
elif words[0] == "shell":
    line = words[1].replace("/data/local/tmp", phone)
    if "--graph=" in line:
        with open(home + "/runs.txt", "a+") as file:
            file.write(line + "\\n")
            file.seek(0)
            runs = file.read().count("\\n")
        if runs == int(fault.get("hangs_at", -1)):
            time.sleep(60)
        if runs == int(fault.get("leaves_at", -1)):
            with open(home + "/fault.txt", "a") as file:
                file.write("gone=yes\\n")
            sys.exit(255)
    environment = dict(os.environ, PATH=home + "/phone-bin:" + os.environ["PATH"])
    done = subprocess.run(["sh", "-c", line], env=environment, capture_output=True)
    # Older phones end their lines as terminals do.
    end = b"\\r\\n" if "crlf" in fault else b"\\n"
    sys.stdout.buffer.write(done.stdout.replace(b"\\n", end))
    sys.stdout.flush()
    sys.exit(done.returncode)
else:
    fail("adb: unknown command " + words[0])
"""

_GETPROP = """\
#!/bin/sh
case $1 in
    ro.product.manufacturer) echo samsung ;;
    ro.product.model) echo SM-S911B ;;
    ro.board.platform) echo kalama ;;
    ro.build.version.release) echo 14 ;;
esac
"""


class StandInAdb:
    """adb in a folder, which the caller puts on the PATH, and the tool on its phone."""

    def __init__(self, home: Path) -> None:
        """Write them.

        Args:
            home: A folder that exists.
        """
        self.home, self.phone = home, home / "phone"
        self.phone.mkdir()
        (home / "phone-bin").mkdir()
        (home / "tool").mkdir()
        self.tool = BenchmarkTool(home / "tool")
        self._write(
            "adb", _ADB.format(python=sys.executable, home=str(home), phone=str(self.phone), serial=SERIAL)
        )
        self._write("phone-bin/getprop", _GETPROP)
        self.warm(0)

    def _write(self, name: str, text: str) -> None:
        (self.home / name).write_text(text)
        os.chmod(self.home / name, 0o755)

    def install_tool(self) -> None:
        """Put the tool where the phone has it by default."""
        (self.phone / "benchmark_model").write_bytes(self.tool.path.read_bytes())
        os.chmod(self.phone / "benchmark_model", 0o755)

    def warm(self, status: int) -> None:
        """Let the phone report a thermal status.

        Args:
            status: Android's number of it.
        """
        self._write("phone-bin/dumpsys", f"#!/bin/sh\ncat <<'END'\n{thermal_dump(status)}END\n")

    def misbehave(self, **fault: object) -> None:
        """From now on: slow, crlf, second, state, full, gone, hangs_at or leaves_at a measurement.

        Args:
            **fault: Their values; nothing for a phone that works.
        """
        (self.home / "fault.txt").write_text("".join(f"{name}={value}\n" for name, value in fault.items()))

    @property
    def runs(self) -> list[str]:
        """The measurements that it was asked for."""
        path = self.home / "runs.txt"
        return path.read_text().splitlines() if path.exists() else []
