const MAX_PX = 512 * 512;
const MAX_SIDE_PX = 4096; // browsers refuse larger canvases than about four times that

function contextOf(canvas, width, height) {
  canvas.width = width;
  canvas.height = height;
  return canvas.getContext("2d", { willReadFrequently: true });
}

/** A picture to begin with: edges, curves, fine lines and letters. */
export function drawSample() {
  const canvas = document.createElement("canvas");
  const [width, height] = [160, 112];
  const context = contextOf(canvas, width, height);
  const sky = context.createLinearGradient(0, 0, 0, height);
  sky.addColorStop(0, "#2a5d9f");
  sky.addColorStop(1, "#f3c892");
  context.fillStyle = sky;
  context.fillRect(0, 0, width, height);
  context.fillStyle = "#fff3c4";
  context.beginPath();
  context.arc(124, 30, 15, 0, 2 * Math.PI);
  context.fill();
  context.fillStyle = "#3d4a3e";
  context.beginPath();
  context.moveTo(0, 92);
  for (const [x, y] of [[30, 48], [52, 74], [84, 34], [120, 80], [140, 64], [160, 88], [160, 112], [0, 112]]) {
    context.lineTo(x, y);
  }
  context.fill();
  context.strokeStyle = "#d8c3a5";
  for (let x = 4; x < width; x += 6) {
    context.beginPath();
    context.moveTo(x, 112);
    context.lineTo(80 + (x - 80) * 0.4, 90);
    context.stroke();
  }
  context.fillStyle = "#ffffff";
  context.font = "bold 15px sans-serif";
  context.fillText("MFAGAN", 8, 22);
  context.font = "9px serif";
  context.fillText("small letters, 9 px", 8, 36);
  return canvas;
}

/** Read the pixels of an image on white; of a large one, its middle. */
export function readPixels(image) {
  const part = Math.min(1, Math.sqrt(MAX_PX / (image.width * image.height)));
  const [width, height] = [image.width, image.height].map((side) =>
    Math.min(MAX_SIDE_PX, Math.max(1, Math.floor(side * part))),
  );
  const context = contextOf(document.createElement("canvas"), width, height);
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, width, height);
  context.drawImage(image, Math.floor((width - image.width) / 2), Math.floor((height - image.height) / 2));
  return context.getImageData(0, 0, width, height);
}

/** Show pixels in a canvas. */
export function show(canvas, pixels) {
  contextOf(canvas, pixels.width, pixels.height).putImageData(pixels, 0, 0);
}

/** Show pixels in a canvas as the browser enlarges them. */
export function showEnlarged(canvas, pixels, scale) {
  const small = document.createElement("canvas");
  show(small, pixels);
  const context = contextOf(canvas, pixels.width * scale, pixels.height * scale);
  context.imageSmoothingQuality = "high";
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
}
