"""A stand-in for the npm package of LiteRT.js: its files, without what they do."""

import io
import tarfile
from pathlib import Path

PARTS = {
    "package.json": b'{"name": "@litertjs/core", "version": "0.1"}',
    "dist/index.js": b"export const loadLiteRt = null;",
    "wasm/litert_wasm_compat_internal.js": b"var ModuleFactory = 0;",
    "wasm/litert_wasm_compat_internal.wasm": b"\0asm\1\0\0\0",
}


def write_folder(folder: Path) -> Path:
    for name, content in PARTS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def pack_archive(parts: dict[str, bytes] = PARTS) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in parts.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()
