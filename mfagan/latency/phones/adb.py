"""Android's `adb`, with time limits: what a phone is asked, and what goes wrong between it and this machine."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from mfagan.errors import InputError

__all__ = ["Adb", "PhoneGoneError"]

ANSWER_S = 20.0
"""The time that a phone has for a short answer."""
PUSH_S = 300.0
_STATES = {
    "unauthorized": "unlock the phone and allow USB debugging",
    "offline": "connect it again, or run: adb reconnect",
    "no permissions": "give your user access to the USB device (udev rules)",
}


class PhoneGoneError(InputError):
    """The phone does not answer any more; what it was asked can be asked again later."""


class Adb:
    """One phone, as adb reaches it."""

    def __init__(self, serial: str | None = None) -> None:
        """Find the phone.

        Args:
            serial: Its serial number; None for the only phone that is connected.

        Raises:
            InputError: There is no adb, no such phone, or several of them.
            PhoneGoneError: adb does not answer.
        """
        program = shutil.which("adb")
        if program is None:
            raise InputError(
                "no adb on the PATH: install Android's platform-tools (apt install adb, or "
                "https://developer.android.com/tools/releases/platform-tools), or measure without it: mfagan lut kit"
            )
        self._program = program
        lines = self._call(["devices"], ANSWER_S).stdout.splitlines()
        phones = dict(line.split(None, 1) for line in lines[1:] if len(line.split(None, 1)) == 2)
        if serial is None and len(phones) > 1:
            raise InputError(f"several phones are connected: choose one by --serial: {', '.join(phones)}")
        self.serial = next(iter(phones), "") if serial is None else serial
        state = phones.get(self.serial, "").strip()
        if not state:
            wanted = f"phone {serial}" if serial else "phone"
            raise InputError(
                f"no {wanted} is connected (adb devices lists {', '.join(phones) or 'none'}): connect it with USB "
                "debugging on, or measure without adb: mfagan lut kit"
            )
        if state != "device":
            remedy = next(
                (text for name, text in _STATES.items() if state.startswith(name)), "connect it again"
            )
            raise InputError(f"the phone {self.serial} is {state}: {remedy}")

    def shell(self, command: str, limit_s: float = ANSWER_S) -> str:
        """Run a command of the phone's shell.

        Args:
            command: A line of POSIX shell.
            limit_s: The time it may take, in seconds.

        Returns:
            What it printed.

        Raises:
            InputError: It failed; the message has the last line that it printed.
            PhoneGoneError: The phone is disconnected, or the time is over.
        """
        # In one stream, so that what a tool printed last is the last line.
        done = self._call(["-s", self.serial, "shell", f"({command}) 2>&1"], limit_s)
        text = done.stdout.replace("\r\n", "\n")
        if done.returncode:
            self.require_connection()
            last = ([*text.strip().splitlines(), *done.stderr.strip().splitlines()] or ["no output"])[-1]
            raise InputError(f"the phone's shell ended with status {done.returncode}: {last[-200:]!r}")
        return text

    def push(self, files: Sequence[Path], target: str) -> None:
        """Copy files to the phone.

        Args:
            files: At least one.
            target: A folder of the phone, or the path of the only file.

        Raises:
            InputError: They cannot be written there.
            PhoneGoneError: The phone is disconnected, or does not take them in time.
        """
        done = self._call(["-s", self.serial, "push", *map(str, files), target], PUSH_S)
        if done.returncode:
            self.require_connection()
            reason = ((done.stderr or done.stdout).strip().splitlines() or ["no output"])[-1]
            raise InputError(f"adb cannot write to {target} on the phone: {reason[-200:]!r}")

    def require_connection(self) -> None:
        """Check that the phone answers.

        Raises:
            PhoneGoneError: It does not.
        """
        done = self._call(["-s", self.serial, "get-state"], ANSWER_S)
        if done.returncode or done.stdout.strip() != "device":
            reason = (done.stderr.strip() or done.stdout.strip() or "no state")[-120:]
            raise PhoneGoneError(f"the phone {self.serial} is disconnected ({reason})")

    def _call(self, arguments: Sequence[str], limit_s: float) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                [self._program, *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                timeout=limit_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            asked = next((word for word in arguments if word in ("devices", "push", "get-state")), "shell")
            raise PhoneGoneError(f"adb {asked} gave no answer within {limit_s:g} s") from None
        except OSError as error:
            raise InputError(f"{self._program} cannot be run ({error.strerror}): install adb again") from None
