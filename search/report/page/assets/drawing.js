// Drawings of a point: boxes and lines, or bars of its choices; and the parts of a value as one stacked bar.
// A box without a height is a caption: its text alone.
function drawBoxes({ boxes, lines }, width) {
  const edge = boxes.some(box => !box.height) ? 10 : 2;
  const left = Math.min(...boxes.map(box => box.x));
  const top = Math.min(...boxes.map(box => box.y));
  const spanX = Math.max(...boxes.map(box => box.x + box.width)) - left;
  const spanY = Math.max(...boxes.map(box => box.y + box.height)) - top;
  const scale = Math.min((width - 4) / spanX, 180 / spanY);
  const [x, y] = [value => 2 + (value - left) * scale, value => edge + (value - top) * scale];
  const paths = lines.map(([from, to]) => {
    const [a, b] = [boxes[from], boxes[to]];
    const [x1, y1] = [x(a.x + a.width), y(a.y + a.height / 2)];
    const [x2, y2] = [x(b.x), y(b.y + b.height / 2)];
    const middle = (x1 + x2) / 2;
    return shape("path", { d: `M${x1},${y1}C${middle},${y1},${middle},${y2},${x2},${y2}`, class: "link" });
  });
  const text = (box, size, name) =>
    shape(
      "text",
      {
        x: x(box.x + box.width / 2),
        y: y(box.y + box.height / 2),
        class: name,
        "font-size": size,
      },
      box.text,
    );
  const frames = boxes.map(box =>
    box.height
      ? shape(
          "g",
          {},
          shape("title", {}, `${box.name} ${box.text}`.trim()),
          shape("rect", {
            x: x(box.x),
            y: y(box.y),
            width: box.width * scale,
            height: box.height * scale,
            rx: 3,
            class: "box",
          }),
          text(box, Math.min(12, 1.2 * box.height * scale), "box-text"),
        )
      : text(box, 11, "caption"),
  );
  return shape(
    "svg",
    {
      class: "drawing",
      width: spanX * scale + 4,
      height: spanY * scale + 2 * edge,
      role: "img",
      "aria-label": boxes
        .filter(box => box.height)
        .map(box => `${box.name} ${box.text}`.trim())
        .join(", "),
    },
    paths,
    frames,
  );
}

function drawChoices(study, row) {
  return element(
    "dl",
    { class: "choices" },
    study.choices.map(({ label, options, sizes, picked }) => {
      const at = picked[row];
      const share =
        sizes && Math.min(...sizes) >= 0 && Math.max(...sizes) > 0 ? sizes[at] / Math.max(...sizes) : null;
      const bar = element("span", { class: "amount" });
      if (share !== null) bar.style.width = `${100 * share}%`;
      return [
        element("dt", {}, label),
        element(
          "dd",
          {},
          share === null ? null : element("span", { class: "track" }, bar),
          element("span", { class: "option" }, options[at]),
        ),
      ];
    }),
  );
}

function drawParts(column, parts, scale) {
  const total = parts.reduce((sum, [, amount]) => sum + amount, 0);
  const colour = i => shade(scale, parts.length > 1 ? i / (parts.length - 1) : 0);
  const share = amount => `${format((100 * amount) / total, amount / total < 0.095 ? 1 : 0)} %`;
  const largest = Math.max(...parts.map(([, amount]) => Math.abs(amount))) / column.factor;
  const decimals = largest > 0 ? Math.min(6, Math.max(0, 2 - Math.floor(Math.log10(largest)))) : 0;
  const own = { ...column, decimals };
  const bar = element(
    "div",
    { class: "stack", "aria-hidden": "true" },
    parts.map(([name, amount], i) => {
      const piece = element("span", { title: `${name}: ${withUnit(own, amount)}` });
      piece.style.flexGrow = Math.max(amount, 0);
      piece.style.background = colour(i);
      return piece;
    }),
  );
  const list = element(
    "ol",
    { class: "parts" },
    parts.map(([name, amount], i) => {
      const box = element("span", { class: "swatch" });
      box.style.background = colour(i);
      return element(
        "li",
        {},
        box,
        element("span", { class: "part-name" }, name),
        element("span", { class: "number" }, withUnit(own, amount)),
        element("span", { class: "number soft" }, share(amount)),
      );
    }),
  );
  return [bar, list];
}
