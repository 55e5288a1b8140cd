// Points and lines on a canvas, between axes: thousands are drawn in a few milliseconds. Drag to zoom.
const NEAR_PX = 16;

class Scatter {
  // `events` has drawn(), hover(mark, event), leave() and click(mark).
  constructor(node, events) {
    this.node = node;
    this.events = events;
    this.axes = shape("svg", { class: "axes", "aria-hidden": "true" });
    this.canvas = element("canvas", { "aria-hidden": "true" });
    this.area = element("div", { class: "area", hidden: true });
    node.append(this.axes, this.canvas, this.area);
    this.layers = [];
    this.zoom = null;
    this.start = null;
    new ResizeObserver(() => this.draw()).observe(node);
    node.addEventListener("pointermove", event => this.move(event));
    node.addEventListener("pointerleave", () => events.leave());
    node.addEventListener("pointerdown", event => { this.start = event.button === 0 ? this.point(event) : null; });
    node.addEventListener("pointerup", event => this.release(event));
    node.addEventListener("dblclick", () => this.zoomTo(null));
  }

  point({ clientX, clientY }) {
    const { left, top } = this.node.getBoundingClientRect();
    return [clientX - left, clientY - top];
  }

  // Layers are drawn in their order: {line: [[x, y]...], colour, width, dash} or
  // {marks: [{x, y, fill, stroke, ...}], symbol, size, opacity, lineWidth}.
  show(layers, ranges, title) {
    this.layers = layers;
    this.ranges = ranges;
    this.title = title;
    this.draw();
  }

  zoomTo(ranges) {
    this.zoom = ranges;
    this.draw();
  }

  draw() {
    const width = this.node.clientWidth;
    if (!width || !this.ranges) return;
    const height = this.node.clientHeight;
    const [xs, ys] = this.zoom ?? this.ranges;
    this.y = new Axis(ys, [height - 48, 8], 56);
    const left = 16 + 7.5 * Math.max(...this.y.ticks.map(([, text]) => text.length), 2);
    this.x = new Axis(xs, [left, width - 12], width < 480 ? 64 : 88);
    this.frame = { left, right: width - 12, top: 8, bottom: height - 48 };
    this.drawAxes(width, height);
    this.drawLayers(width, height);
    this.events.drawn();
  }

  drawAxes(width, height) {
    const { left, right, top, bottom } = this.frame;
    const across = this.x.ticks.flatMap(([number, text]) => {
      const x = this.x.at(number);
      return [shape("line", { x1: x, x2: x, y1: top, y2: bottom, class: "grid" }), shape("text", { x, y: bottom + 18, class: "tick" }, text)];
    });
    const up = this.y.ticks.flatMap(([number, text]) => {
      const y = this.y.at(number);
      return [shape("line", { x1: left, x2: right, y1: y, y2: y, class: "grid" }), shape("text", { x: left - 8, y: y + 4, class: "tick left" }, text)];
    });
    this.axes.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.axes.replaceChildren(...across, ...up, shape("path", { d: `M${left},${top}V${bottom}H${right}`, class: "frame" }),
      shape("text", { x: (left + right) / 2, y: height - 6, class: "tick title" }, this.title));
  }

  drawLayers(width, height) {
    const ratio = devicePixelRatio || 1;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    const pen = this.canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const { left, right, top, bottom } = this.frame;
    pen.beginPath();
    pen.rect(left - 6, top - 6, right - left + 12, bottom - top + 12);
    pen.clip();
    for (const layer of this.layers) (layer.line ? this.drawLine(pen, layer) : this.drawMarks(pen, layer));
  }

  drawLine(pen, { line, colour, width, dash }) {
    pen.beginPath();
    line.forEach(([x, y]) => pen.lineTo(this.x.at(x), this.y.at(y)));
    pen.setLineDash(dash ?? []);
    pen.globalAlpha = 1;
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.lineJoin = "round";
    pen.stroke();
    pen.setLineDash([]);
  }

  drawMarks(pen, { marks, symbol = "circle", size, opacity = 1, lineWidth = 0 }) {
    pen.globalAlpha = opacity;
    pen.lineWidth = lineWidth;
    for (const { x, y, fill, stroke } of marks) {
      const [cx, cy] = [this.x.at(x), this.y.at(y)];
      pen.beginPath();
      if (symbol === "cross") {
        pen.moveTo(cx - size, cy - size);
        pen.lineTo(cx + size, cy + size);
        pen.moveTo(cx + size, cy - size);
        pen.lineTo(cx - size, cy + size);
      } else if (symbol === "diamond") {
        [[0, -size], [size, 0], [0, size], [-size, 0]].forEach(([dx, dy]) => pen.lineTo(cx + dx, cy + dy));
        pen.closePath();
      } else pen.arc(cx, cy, size, 0, 2 * Math.PI);
      if (fill) {
        pen.fillStyle = fill;
        pen.fill();
      }
      if (stroke && lineWidth) {
        pen.strokeStyle = stroke;
        pen.stroke();
      }
    }
  }

  // The mark nearest to a place; of equally near ones the one drawn last.
  find([px, py]) {
    let [found, least] = [null, NEAR_PX ** 2];
    for (const { marks } of this.layers) {
      for (const mark of marks ?? []) {
        const far = (this.x.at(mark.x) - px) ** 2 + (this.y.at(mark.y) - py) ** 2;
        if (far <= least) [found, least] = [mark, far];
      }
    }
    return found;
  }

  move(event) {
    const [x, y] = this.point(event);
    const drags = this.start && event.buttons === 1 && event.pointerType === "mouse"
      && Math.hypot(x - this.start[0], y - this.start[1]) > 6;
    if (drags) {
      const [a, b] = [[x, this.start[0]], [y, this.start[1]]].map(ends => ends.sort((one, other) => one - other));
      Object.assign(this.area.style, { left: `${a[0]}px`, width: `${a[1] - a[0]}px`, top: `${b[0]}px`, height: `${b[1] - b[0]}px` });
    }
    this.area.hidden = !drags;
    const found = drags ? null : this.find([x, y]);
    this.node.classList.toggle("aims", Boolean(found));
    if (found && event.pointerType === "mouse") this.events.hover(found, event);
    else this.events.leave();
  }

  release(event) {
    const end = this.point(event);
    if (!this.start) return;
    if (!this.area.hidden) {
      const sorted = (axis, i) => [axis.number(this.start[i]), axis.number(end[i])].sort((a, b) => a - b);
      this.zoomTo([sorted(this.x, 0), sorted(this.y, 1)]);
    } else {
      const found = this.find(end);
      if (found) this.events.click(found);
    }
    this.area.hidden = true;
    this.start = null;
  }
}
