/** How many px of its neighbours a tile sees. */
export function overlapOf(side) {
  return Math.min(16, Math.floor(side / 4));
}

/**
 * Cut an axis of a picture into tiles of one length that see some px of their neighbours.
 * Each tile begins at `start`; of the picture, it gives the px from `from` until before `to`.
 */
export function cutAxis(length, side) {
  if (length <= side) return [{ start: 0, from: 0, to: length }];
  const overlap = overlapOf(side);
  const tiles = [];
  for (let from = 0; from < length; from = tiles.at(-1).to) {
    const start = Math.min(Math.max(0, from - overlap), length - side);
    tiles.push({ start, from, to: start + side === length ? length : start + side - overlap });
  }
  return tiles;
}

/** The tiles of a picture, row by row. */
export function cutPicture(picture, network) {
  const rows = cutAxis(picture.height, network.height);
  const columns = cutAxis(picture.width, network.width);
  return rows.flatMap((row) => columns.map((column) => ({ row, column })));
}

/** The RGB pixels of a tile in [0, 1]; beyond the picture, its edge goes on. */
export function readTile(picture, { row, column }, { height, width }) {
  const pixels = new Float32Array(height * width * 3);
  for (let y = 0, i = 0; y < height; y++) {
    const line = Math.min(row.start + y, picture.height - 1) * picture.width;
    for (let x = 0; x < width; x++) {
      const source = 4 * (line + Math.min(column.start + x, picture.width - 1));
      for (let channel = 0; channel < 3; channel++) pixels[i++] = picture.data[source + channel] / 255;
    }
  }
  return pixels;
}

/** Copy what a tile gives of the picture into the enlarged picture. */
export function writeTile(enlarged, pixels, { row, column }, { width, scale }) {
  for (let y = row.from * scale; y < row.to * scale; y++) {
    let target = 4 * (y * enlarged.width + column.from * scale);
    let source = 3 * ((y - row.start * scale) * width * scale + (column.from - column.start) * scale);
    for (let x = column.from * scale; x < column.to * scale; x++) {
      // The array of an ImageData clamps, and rounds to the nearest level.
      for (let channel = 0; channel < 3; channel++) enlarged.data[target++] = 255 * pixels[source++];
      enlarged.data[target++] = 255;
    }
  }
}
