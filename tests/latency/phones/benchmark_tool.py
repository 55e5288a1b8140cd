"""A stand-in for TensorFlow Lite's benchmark_model: its output is to the letter, its times are invented."""

import os
import sys
from pathlib import Path

from tests.latency.reports.formats import GPU, NO_GPU, benchmark_text

_TOOL = """\
#!{python} -SE
import os, sys
flags = dict(one.lstrip("-").partition("=")[::2] for one in sys.argv[1:])
with open({calls!r}, "a+") as file:
    file.write(flags["graph"] + " " + " ".join(sys.argv[2:]) + "\\n")
    file.seek(0)
    calls = file.read().count("\\n")
fault = {{}}
if os.path.exists({fault!r}):
    fault = dict(line.split("=", 1) for line in open({fault!r}).read().splitlines())
size = os.path.getsize(flags["graph"])
median = round(size / 10 * (1 + float(fault.get("slower", 0)) * calls))
if calls >= int(fault.get("fails_at", 10**9)):
    print("ERROR: Failed to initialize delegate.")
    sys.exit(1)
delegate = {{"part": {part!r}, "none": {none!r}}}.get(fault.get("gpu"), {whole!r}) if flags.get("use_gpu") else ""
text = {text!r}
name = os.path.basename(flags["graph"]).removesuffix(".tflite")
for old, new in (("NAME", name), ("SIZE", f"{{size / 1e6:.6g}}"), ("DELEGATE\\n", delegate)):
    text = text.replace(old, new)
for old, new in ((1234567, median), (round(1234567 * 0.98), median), (round(1234567 * 1.06), median)):
    text = text.replace(str(old), str(new))
print(text, end="")
"""


class BenchmarkTool:
    """The tool in a folder, what it was called with, and how it misbehaves."""

    def __init__(self, folder: Path) -> None:
        """Write the tool.

        Args:
            folder: where to; it must exist.
        """
        self.path = folder / "benchmark_model"
        self._calls, self._fault = folder / "calls.txt", folder / "fault.txt"
        text = benchmark_text(1234567, "NAME", 7772, delegate="DELEGATE\n").replace("0.007772", "SIZE")
        source = _TOOL.format(
            python=sys.executable,
            calls=str(self._calls),
            fault=str(self._fault),
            text=text,
            whole=GPU.format(how="completely", kernels=""),
            part=GPU.format(how="partially", kernels=" w/ 3 delegate kernels"),
            none=NO_GPU,
        )
        self.path.write_text(source)
        os.chmod(self.path, 0o755)

    @property
    def calls(self) -> list[str]:
        """The file and the flags of each call."""
        return self._calls.read_text().splitlines() if self._calls.exists() else []

    def misbehave(self, **fault: object) -> None:
        """From now on: slower by a share with each call, fail at a call, or a GPU that takes `part` or `none`.

        Args:
            **fault: slower, fails_at or gpu; nothing for a tool that works.
        """
        self._fault.write_text("".join(f"{name}={value}\n" for name, value in fault.items()))
