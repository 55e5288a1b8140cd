// The many trials that are not on the front, painted as one image: plotly would take a second for thousands of marks.
class Cloud {
  constructor() {
    this.canvas = document.createElement("canvas");
  }

  // Paints what plotly's axes show now. Groups are {x, y, colours, symbol, size, opacity}, drawn in their order.
  paint(groups, { xaxis, yaxis }) {
    const ratio = Math.max(devicePixelRatio || 1, 1.5);
    this.canvas.width = Math.round(xaxis._length * ratio);
    this.canvas.height = Math.round(yaxis._length * ratio);
    const pen = this.canvas.getContext("2d");
    pen.scale(ratio, ratio);
    pen.lineWidth = 1.5;
    for (const { x, y, colours, symbol, size, opacity } of groups) {
      pen.globalAlpha = opacity;
      for (let i = 0; i < x.length; i += 1) {
        const [left, top] = [xaxis.l2p(x[i]), yaxis.l2p(y[i])];
        pen.beginPath();
        if (symbol === "cross") {
          pen.moveTo(left - size, top - size);
          pen.lineTo(left + size, top + size);
          pen.moveTo(left + size, top - size);
          pen.lineTo(left - size, top + size);
        } else pen.arc(left, top, size, 0, 2 * Math.PI);
        [pen.strokeStyle, pen.fillStyle] = [colours(i), colours(i)];
        symbol === "disc" ? pen.fill() : pen.stroke();
      }
    }
    const [[x0, x1], [y0, y1]] = [xaxis.range, yaxis.range];
    return {
      source: this.canvas.toDataURL(),
      xref: "x",
      yref: "y",
      x: x0,
      y: y1,
      sizex: x1 - x0,
      sizey: y1 - y0,
      sizing: "stretch",
      layer: "below",
    };
  }
}
