// Places of labels beside points: none covers another, nor a marker, nor leaves the plot.
const ROOM = 6;

const overlap = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

function placeLabels(labels, taken, frame) {
  const placed = [];
  for (const { x, y, text, width, height = 16 } of labels) {
    const corners = [];
    for (const far of [10, 18, 30, 44]) {
      for (const [dx, dy] of [
        [1, 1],
        [1, -1],
        [-1, -1],
        [-1, 1],
        [0, -1],
        [0, 1],
        [1, 0],
        [-1, 0],
      ]) {
        const reach = dx && dy ? far * 0.75 : far;
        const left = dx > 0 ? x + reach : dx < 0 ? x - reach - width : x - width / 2;
        const top = dy > 0 ? y + reach : dy < 0 ? y - reach - height : y - height / 2;
        corners.push({ left, top, right: left + width, bottom: top + height });
      }
    }
    const free = corners.find(
      box =>
        box.left >= frame.left &&
        box.right <= frame.right &&
        box.top >= frame.top &&
        box.bottom <= frame.bottom &&
        !taken.some(other => overlap(box, other)),
    );
    if (!free) continue;
    taken.push({
      left: free.left - ROOM,
      right: free.right + ROOM,
      top: free.top - 2,
      bottom: free.bottom + 2,
    });
    placed.push({ ...free, x, y, text });
  }
  return placed;
}
