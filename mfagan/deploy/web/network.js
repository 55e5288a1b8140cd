import { Tensor, loadAndCompile, loadLiteRt } from "@litertjs/core";
import { unpack } from "payload";

/** The page's network: its input's height and width in px, its scale, and `run`. */
export async function loadNetwork() {
  await loadLiteRt("");
  const model = await loadAndCompile(await unpack("model"), { accelerator: "wasm" });
  const [, height, width] = model.getInputDetails()[0].shape;
  const scale = model.getOutputDetails()[0].shape[1] / height;

  /** Enlarge RGB pixels in [0, 1], height x width x 3; gives the enlarged ones, and how long it took in ms. */
  async function run(pixels) {
    const input = new Tensor(pixels, [1, height, width, 3]);
    const start = performance.now();
    const [output] = await model.run([input]);
    const ms = performance.now() - start;
    const enlarged = output.toTypedArray().slice();
    output.delete();
    input.delete();
    return { enlarged, ms };
  }
  return { height, width, scale, run };
}
