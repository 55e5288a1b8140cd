import { loadNetwork } from "network";
import { drawSample, readPixels, show, showEnlarged } from "picture";
import { cutPicture, overlapOf, readTile, writeTile } from "tiles";

const LEAST_RUNS = 5;
const at = (id) => document.getElementById(id);
let job = new AbortController();

function tell(state, text) {
  at("main").dataset.state = state;
  at("status").textContent = text;
}

/** Let the browser draw and take input. */
const breathe = () => new Promise((resolve) => setTimeout(resolve));

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

async function enlarge(network, picture, signal) {
  const { scale } = network;
  const enlarged = new ImageData(picture.width * scale, picture.height * scale);
  const tiles = cutPicture(picture, network);
  const times = [];
  let pixels;
  for (const [i, tile] of tiles.entries()) {
    pixels = readTile(picture, tile, network);
    const done = await network.run(pixels);
    writeTile(enlarged, done.enlarged, tile, network);
    times.push(done.ms);
    at("progress").value = (i + 1) / tiles.length;
    await breathe();
    signal.throwIfAborted();
  }
  const totalMs = times.reduce((sum, ms) => sum + ms, 0);
  while (times.length < LEAST_RUNS) times.push((await network.run(pixels)).ms);
  return { enlarged, nTiles: tiles.length, totalMs, tileMs: median(times), nRuns: times.length };
}

function explain(network, nTiles) {
  if (nTiles === 1) return "The picture fits into the network's input, which therefore saw all of it.";
  const overlap = overlapOf(Math.min(network.height, network.width));
  return `The picture was computed in ${nTiles} tiles that overlap by ${overlap} px. The network's attention sees each
    tile alone, so large areas may differ slightly from one tile to the next; mfagan upscale has no such seams.`;
}

async function offerToSave(signal) {
  const blob = await new Promise((resolve) => at("after").toBlob(resolve));
  signal.throwIfAborted();
  URL.revokeObjectURL(at("save").href);
  at("save").href = URL.createObjectURL(blob);
  at("saving").hidden = false;
}

/** Enlarge an image and show it with what it took. */
async function work(network, image, name, signal) {
  const picture = readPixels(image);
  const size = `${picture.width}x${picture.height}`;
  tell("working", `Enlarging ${name} ...`);
  at("progress").hidden = false;
  for (const id of ["facts", "saving"]) at(id).hidden = true;
  at("note").textContent = "";
  showEnlarged(at("before"), picture, network.scale);
  show(at("after"), new ImageData(at("before").width, at("before").height));
  at("compare").hidden = false;
  await breathe();
  const found = await enlarge(network, picture, signal);
  show(at("after"), found.enlarged);
  const cut = picture.width < image.width || picture.height < image.height ? `the middle ${size} of ${image.width}x${image.height}` : size;
  at("size").textContent = `${cut} px, enlarged to ${found.enlarged.width}x${found.enlarged.height} px`;
  at("tile-ms").textContent =
    `${found.tileMs.toFixed(1)} ms for ${network.width}x${network.height} px (median of ${found.nRuns} runs)`;
  at("total-ms").textContent = `${found.totalMs.toFixed(1)} ms for ${found.nTiles} (without reading and drawing)`;
  at("note").textContent = explain(network, found.nTiles);
  at("facts").hidden = false;
  at("progress").hidden = true;
  await offerToSave(signal);
  tell("done", `${name}: done. Move the line with the mouse, a finger or the arrow keys.`);
}

/** Enlarge an image, or say why not; another picture that is chosen meanwhile ends this one. */
async function attempt(network, image, name) {
  job.abort();
  job = new AbortController();
  const { signal } = job;
  try {
    await work(network, await image, name, signal);
  } catch (error) {
    if (signal.aborted) return;
    at("progress").hidden = true;
    tell("failed", `${name} cannot be enlarged: ${error.message}`);
  }
}

function listen(network) {
  const open = (file) => file && attempt(network, createImageBitmap(file), file.name);
  at("file").addEventListener("change", () => {
    open(at("file").files[0]);
    at("file").value = ""; // the same file may be chosen again
  });
  at("file").disabled = false;
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  document.addEventListener("dragleave", () => document.body.classList.remove("dropping"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    open(event.dataTransfer.files[0]);
  });
}

at("split").addEventListener("input", () => at("compare").style.setProperty("--split", `${at("split").value}%`));
try {
  const network = await loadNetwork();
  listen(network);
  await attempt(network, drawSample(), "The sample picture");
} catch (error) {
  tell("failed", `The network cannot run in this browser: ${error.message}`);
}
