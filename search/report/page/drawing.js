// Drawings of a point: boxes and lines, or bars of its choices; and the parts of a value as one stacked bar.
function drawBoxes({ boxes, lines }, width) {
  const left = Math.min(...boxes.map(box => box.x));
  const top = Math.min(...boxes.map(box => box.y));
  const spanX = Math.max(...boxes.map(box => box.x + box.width)) - left;
  const spanY = Math.max(...boxes.map(box => box.y + box.height)) - top;
  const scale = Math.min((width - 2) / spanX, 180 / spanY);
  const [x, y] = [value => 1 + (value - left) * scale, value => 1 + (value - top) * scale];
  const paths = lines.map(([from, to]) => {
    const [a, b] = [boxes[from], boxes[to]];
    const [x1, y1] = [x(a.x + a.width), y(a.y + a.height / 2)];
    const [x2, y2] = [x(b.x), y(b.y + b.height / 2)];
    const middle = (x1 + x2) / 2;
    return shape("path", { d: `M${x1},${y1}C${middle},${y1},${middle},${y2},${x2},${y2}`, class: "link" });
  });
  const frames = boxes.map(box => shape("g", {},
    shape("title", {}, `${box.name} ${box.text}`.trim()),
    shape("rect", { x: x(box.x), y: y(box.y), width: box.width * scale, height: box.height * scale, rx: 3, class: "box" }),
    shape("text", { x: x(box.x + box.width / 2), y: y(box.y + box.height / 2), class: "box-text" }, box.text)));
  return shape("svg", {
    class: "drawing", width: spanX * scale + 2, height: spanY * scale + 2, role: "img",
    "aria-label": boxes.map(box => `${box.name} ${box.text}`.trim()).join(", "),
  }, paths, frames);
}

function drawChoices(study, row) {
  return element("dl", { class: "choices" }, study.choices.map(({ label, options, sizes, picked }) => {
    const at = picked[row];
    const share = sizes && Math.min(...sizes) >= 0 && Math.max(...sizes) > 0 ? sizes[at] / Math.max(...sizes) : null;
    const bar = element("span", { class: "amount" });
    if (share !== null) bar.style.width = `${100 * share}%`;
    return [
      element("dt", {}, label),
      element("dd", {}, share === null ? null : element("span", { class: "track" }, bar),
        element("span", { class: "option" }, options[at])),
    ];
  }));
}

function drawParts(column, parts, scale) {
  const total = parts.reduce((sum, [, amount]) => sum + amount, 0);
  const colour = i => shade(scale, parts.length > 1 ? i / (parts.length - 1) : 0);
  const share = amount => `${format((100 * amount) / total, amount / total < 0.095 ? 1 : 0)} %`;
  const finer = { ...column, decimals: Math.min(6, column.decimals + 1) };
  const bar = element("div", { class: "stack", "aria-hidden": "true" }, parts.map(([name, amount], i) => {
    const piece = element("span", { title: `${name}: ${withUnit(finer, amount)}` });
    piece.style.flexGrow = Math.max(amount, 0);
    piece.style.background = colour(i);
    return piece;
  }));
  const list = element("ol", { class: "parts" }, parts.map(([name, amount], i) => {
    const box = element("span", { class: "swatch" });
    box.style.background = colour(i);
    return element("li", {}, box, element("span", { class: "part-name" }, name),
      element("span", { class: "number" }, withUnit(finer, amount)), element("span", { class: "number soft" }, share(amount)));
  }));
  return [bar, list];
}
