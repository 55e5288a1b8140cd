// What lies over the plot and moves without a redraw: the budget, the chosen point with its intervals, labels.
class Overlay {
  // `plot` is plotly's element, `node` the one of the same size that holds it.
  constructor(plot, node) {
    this.plot = plot;
    this.back = shape("g");
    this.marks = shape("g");
    this.texts = shape("g");
    this.root = shape("svg", { class: "overlay", "aria-hidden": "true" }, this.back, this.texts, this.marks);
    node.append(this.root);
    this.pen = document.createElement("canvas").getContext("2d");
  }

  get frame() {
    const { xaxis, yaxis } = this.plot._fullLayout;
    return {
      left: xaxis._offset,
      right: xaxis._offset + xaxis._length,
      top: yaxis._offset,
      bottom: yaxis._offset + yaxis._length,
    };
  }

  place(x, y) {
    const { xaxis, yaxis } = this.plot._fullLayout;
    return [xaxis._offset + xaxis.l2p(x), yaxis._offset + yaxis.l2p(y)];
  }

  holds([x, y]) {
    const { left, right, top, bottom } = this.frame;
    return x >= left - 1 && x <= right + 1 && y >= top - 1 && y <= bottom + 1;
  }

  // Lines at the budgets of the two axes, and a ring around each of the best points within them.
  drawBudgets(limits, best) {
    const { left, right, top, bottom } = this.frame;
    const parts = [];
    for (const { axis, limit } of limits) {
      if (!Number.isFinite(limit)) continue;
      if (axis === "x") {
        const x = Math.min(Math.max(this.place(limit, 0)[0], left), right);
        parts.push(
          shape("rect", { x, y: top, width: right - x, height: bottom - top, class: "beyond" }),
          shape("line", { x1: x, x2: x, y1: top, y2: bottom, class: "limit" }),
        );
      } else {
        const y = Math.min(Math.max(this.place(0, limit)[1], top), bottom);
        parts.push(
          shape("rect", { x: left, y: top, width: right - left, height: y - top, class: "beyond" }),
          shape("line", { x1: left, x2: right, y1: y, y2: y, class: "limit" }),
        );
      }
    }
    for (const at of best) {
      const [cx, cy] = this.place(...at);
      if (this.holds([cx, cy])) parts.push(shape("circle", { cx, cy, r: 11, class: "best" }));
    }
    this.back.replaceChildren(...parts);
  }

  // Whiskers are {axis, low, high} in the axes' units.
  drawPoints(points) {
    const parts = [];
    for (const { at, whiskers, name } of points) {
      const [cx, cy] = this.place(...at);
      if (!this.holds([cx, cy])) continue;
      const { left, right, top, bottom } = this.frame;
      for (const { axis, low, high } of whiskers) {
        if (axis === "y") {
          const ends = [low, high].map(end => Math.min(Math.max(this.place(at[0], end)[1], top), bottom));
          parts.push(shape("line", { x1: cx, x2: cx, y1: ends[0], y2: ends[1], class: `whisker ${name}` }));
        } else {
          const ends = [low, high].map(end => Math.min(Math.max(this.place(end, at[1])[0], left), right));
          parts.push(shape("line", { x1: ends[0], x2: ends[1], y1: cy, y2: cy, class: `whisker ${name}` }));
        }
      }
      parts.push(shape("circle", { cx, cy, r: 8, class: `ring ${name}` }));
    }
    this.marks.replaceChildren(...parts);
  }

  // Labels are {at, text}, the most important first; markers are places in the axes' units that stay free.
  drawLabels(labels, markers) {
    this.pen.font = getComputedStyle(this.root).font;
    const near = (at, reach) => {
      const [x, y] = this.place(...at);
      return { left: x - reach, right: x + reach, top: y - reach, bottom: y + reach };
    };
    const asked = labels
      .map(({ at, text }) => {
        const [x, y] = this.place(...at);
        return { x, y, text, width: this.pen.measureText(text).width };
      })
      .filter(({ x, y }) => this.holds([x, y]));
    const placed = placeLabels(
      asked,
      markers.map(at => near(at, 6)),
      this.frame,
    );
    this.texts.replaceChildren(
      ...placed.flatMap(({ left, right, top, bottom, x, y, text }) => {
        const [endX, endY] = [Math.min(Math.max(x, left), right), Math.min(Math.max(y, top), bottom)];
        return [
          shape("line", { x1: x, y1: y, x2: endX, y2: endY, class: "leader" }),
          shape("text", { x: left, y: top + 12, class: "label" }, text),
        ];
      }),
    );
  }
}
