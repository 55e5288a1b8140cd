// Stands for @litertjs/wasm-utils, which would ask a server for the runtime: here the page holds it.
import { unpack } from "payload";

export async function createWasmLib(Library) {
  return new Library(await globalThis.ModuleFactory({ wasmBinary: await unpack("wasm") }));
}
