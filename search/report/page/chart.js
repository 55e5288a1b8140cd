// The scatter of the trials, drawn by plotly; what moves lies in an overlay above it.
const escaped = text => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const MARKS = {
  front: { symbol: "circle", text: "front" },
  tie: { symbol: "circle-open", text: "can't be told from a cheaper one" },
  dominated: { symbol: "circle", text: "dominated" },
  infeasible: { symbol: "x-thin", text: "over a limit" },
  exact: { symbol: "line", text: "exact front" },
  peer: { symbol: "diamond", text: "peers" },
};

class Chart {
  constructor(page) {
    this.page = page;
    this.node = byId("chart");
    this.plot = element("div", { class: "plot" });
    this.yTitle = element("p", { class: "axis-title" });
    this.node.append(this.yTitle, this.plot);
    this.node.addEventListener("keydown", event => this.walk(event));
    this.hovered = null;
  }

  async draw() {
    const { page } = this;
    const [first] = page.studies;
    const data = [];
    page.studies.forEach(study => data.push(...this.traces(study)));
    if (first.peers.length) data.push(this.peers(first));
    this.yTitle.textContent = this.axisTitle(page.y);
    await Plotly.react(this.plot, data, this.layout(first), {
      responsive: true, displayModeBar: false, doubleClick: "reset",
    });
    if (!this.overlay) this.listen();
    this.refresh();
    this.drawLegend();
  }

  listen() {
    this.overlay = new Overlay(this.plot);
    this.plot.on("plotly_afterplot", () => this.refresh());
    this.plot.on("plotly_click", ({ points }) => {
      const found = this.find(points[0]);
      if (found) this.page.choose(found);
    });
    this.plot.on("plotly_hover", ({ points, event }) => {
      this.hovered = this.find(points[0]);
      this.drawPoints();
      this.showTip(points[0], event);
    });
    this.plot.on("plotly_unhover", () => {
      this.hovered = null;
      this.drawPoints();
      byId("tip").hidden = true;
    });
  }

  find({ data, pointNumber }) {
    if (!data.meta || data.meta.study === undefined) return null;
    return { study: data.meta.study, row: data.meta.rows[pointNumber] };
  }

  axisTitle(objective) {
    const [study] = this.page.studies;
    const better = study.directions[objective] === "maximize" ? "more is better" : "less is better";
    return `${study.objectives[objective].label}, ${better}`;
  }

  layout(study) {
    const { page } = this;
    const narrow = innerWidth < 600;
    return {
      template: page.data.templates[page.theme],
      uirevision: `${page.x} ${page.y}`,
      height: narrow ? 340 : 460,
      margin: { l: 48, r: 16, t: 8, b: 56 },
      font: { size: 13 },
      hovermode: "closest",
      dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
      showlegend: false,
      xaxis: { title: { text: escaped(this.axisTitle(page.x)), standoff: 12 }, type: "linear" },
      yaxis: { type: "linear" },
    };
  }

  traces(study) {
    const { page } = this;
    const { front: blue } = page.data.style;
    const several = page.studies.length > 1;
    const colour = several ? page.colourOf(study) : blue;
    const colours = study.index === page.at ? colouring(study, page.colour, page.data.style) : null;
    const rows = { d: [], i: [] };
    [...study.kinds].forEach((kind, row) => { if (rows[kind] && !several) rows[kind].push(row); });
    const paint = (some, otherwise) => (colours ? some.map(colours.of) : otherwise);
    const told = study.front.filter(row => !study.isTie(row));
    const tied = study.front.filter(row => study.isTie(row));
    const traces = [
      this.markers(study, rows.i, {
        symbol: "x-thin", size: 6, opacity: 0.7, line: { width: 1.5, color: paint(rows.i, "#b08375") },
      }),
      this.markers(study, rows.d, {
        size: 6, opacity: colours ? 0.6 : 0.45, color: paint(rows.d, "#8da6c2"),
      }),
    ];
    if (study.exact.length) {
      traces.push(this.line(study.exact.map(values => values[page.x]), study.exact.map(values => values[page.y]), {
        color: colour, width: 1.5, dash: "dot",
      }));
    }
    if (study.objectives.length === 2) {
      const [xs, ys] = [page.x, page.y].map(objective => study.front.map(row => study.value(objective, row)));
      traces.push(this.line(xs, ys, { color: colour, width: 2 }));
    }
    traces.push(
      this.markers(study, told, { size: 10, color: paint(told, colour), line: { width: 1.5, color: page.paper } }),
      this.markers(study, tied, { size: 9, color: page.paper, line: { width: 2, color: paint(tied, colour) } }),
    );
    return traces.filter(trace => trace.x.length);
  }

  markers(study, rows, marker) {
    const { page } = this;
    const [x, y] = [page.x, page.y].map(objective => rows.map(row => study.value(objective, row)));
    return { type: "scatter", mode: "markers", x, y, marker, hoverinfo: "none", meta: { study: study.index, rows } };
  }

  line(x, y, line) {
    return { type: "scatter", mode: "lines", x, y, line, hoverinfo: "skip" };
  }

  peers(study) {
    const { page } = this;
    const [x, y] = [page.x, page.y].map(objective => study.peers.map(peer => peer.values[objective]));
    const marker = { symbol: "diamond", size: 9, color: page.data.style.mark, line: { width: 1.5, color: page.paper } };
    return { type: "scatter", mode: "markers", x, y, marker, hoverinfo: "none", meta: { peers: true } };
  }

  at({ study, row }) {
    const { page } = this;
    return [page.studies[study].value(page.x, row), page.studies[study].value(page.y, row)];
  }

  refresh() {
    if (!this.overlay || !this.plot.offsetParent) return;
    this.drawBudgets();
    this.drawPoints();
    this.drawLabels();
  }

  drawBudgets() {
    const { page } = this;
    if (!this.overlay) return;
    const limits = [["x", page.x], ["y", page.y]].filter(([, objective]) => page.budgets.has(objective))
      .map(([axis, objective]) => ({ axis, limit: page.budgets.get(objective) }));
    const bounded = [...page.budgets.values()].some(Number.isFinite);
    const best = bounded ? page.best().filter(one => one.row !== null).map(one => this.at(one)) : [];
    this.overlay.drawBudgets(limits, best);
  }

  drawPoints() {
    const { page } = this;
    const points = [[page.chosen, "chosen"], [this.hovered, "hovered"]].filter(([one]) => one).map(([one, name]) => {
      const study = page.studies[one.study];
      const whiskers = [["x", page.x], ["y", page.y]]
        .map(([axis, objective]) => ({ axis, ends: study.interval(objective, one.row) }))
        .filter(({ ends }) => ends).map(({ axis, ends: [low, high] }) => ({ axis, low, high }));
      return { at: this.at(one), whiskers, name };
    });
    this.overlay.drawPoints(points);
  }

  drawLabels() {
    const { page } = this;
    const labels = [];
    for (const study of page.studies) {
      const named = [[study.picked, "picked"], [study.knee, "knee"]].filter(([row]) => row !== null);
      if (page.studies.length > 1 || (named.length === 2 && study.picked === study.knee)) named.splice(1);
      for (const [row, text] of named) {
        const both = text === "picked" && row === study.knee ? "picked, the knee" : text;
        labels.push({ at: this.at({ study: study.index, row }), text: both });
      }
      for (const { name, values } of study.index ? [] : study.peers) {
        labels.push({ at: [values[page.x], values[page.y]], text: name });
      }
    }
    const markers = page.studies.flatMap(study => study.front.map(row => this.at({ study: study.index, row })));
    const peers = page.studies[0].peers.map(({ values }) => [values[page.x], values[page.y]]);
    this.overlay.drawLabels(labels, [...markers, ...peers]);
  }

  drawLegend() {
    const { page } = this;
    const [study] = page.studies;
    const style = page.data.style;
    const several = page.studies.length > 1;
    const entries = several
      ? page.studies.map(one => [page.symbol("front", page.colourOf(one)), `${one.name} (${one.front.length})`])
      : [];
    const has = kind => study.kinds.includes(kind);
    const add = (wanted, name, colour, text) => { if (wanted) entries.push([page.symbol(name, colour), text]); };
    const colour = several ? "currentColor" : style.front;
    add(!several, "front", colour, `front (${study.front.length})`);
    add(page.studies.some(one => Object.keys(one.ties).length), "tie", colour, "not told from a cheaper one");
    add(!several && has("d"), "dominated", "#8da6c2", "dominated");
    add(!several && has("i"), "infeasible", "#b08375", "over a limit");
    add(study.exact.length, "exact", colour, "exact front");
    add(study.peers.length, "peer", style.mark, "peers");
    const colours = colouring(page.study, page.colour, style);
    byId("legend").replaceChildren(
      element("ul", {}, entries.map(([symbol, text]) => element("li", {}, symbol, text))),
      ...(colours ? [colourKey(colours.legend)] : []),
    );
  }

  showTip(point, event) {
    const tip = byId("tip");
    const found = this.find(point);
    const title = text => element("strong", {}, text);
    if (found) {
      const study = this.page.studies[found.study];
      const line = column => withUnit(column, column.numbers[found.row]);
      tip.replaceChildren(
        title(`Trial ${study.trials[found.row]}`), ` ${study.status(found.row)}`,
        element("br"), study.objectives.map(line).join(", "),
        element("br"), study.choices.map(column => column.options[column.picked[found.row]]).join(" · "),
      );
    } else {
      const { name, values } = this.page.studies[0].peers[point.pointNumber];
      const shown = this.page.studies[0].objectives.map((column, i) => withUnit(column, values[i]));
      tip.replaceChildren(title(name), element("br"), shown.join(", "));
    }
    tip.hidden = false;
    const { clientX: x, clientY: y } = event;
    tip.style.left = `${Math.max(8, Math.min(x + 14, innerWidth - tip.offsetWidth - 8))}px`;
    tip.style.top = `${y + 18 + tip.offsetHeight > innerHeight ? y - tip.offsetHeight - 12 : y + 18}px`;
  }

  walk(event) {
    const { page } = this;
    const { study } = page;
    const order = [...study.front].sort((a, b) => study.value(page.x, a) - study.value(page.x, b));
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1, Home: -Infinity, End: Infinity };
    if (event.key === "Enter" && page.chosen) byId("panel").focus();
    else if (event.key in steps && order.length) {
      event.preventDefault();
      const here = page.chosen ? order.indexOf(page.chosen.row) : -1;
      const next = Math.min(Math.max(here + steps[event.key], 0), order.length - 1);
      page.choose({ study: study.index, row: order[next] });
    }
  }
}

function colourKey({ entries, scale, low, high, title }) {
  if (entries) {
    return element("ul", {}, entries.map(([colour, text]) => {
      const box = element("span", { class: "swatch" });
      box.style.background = colour;
      return element("li", {}, box, text);
    }));
  }
  const bar = element("span", { class: "bar" });
  bar.style.background = `linear-gradient(to right, ${scale.join(",")})`;
  return element("p", { class: "scale" }, element("span", {}, title), low, bar, high);
}
