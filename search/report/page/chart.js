// The scatter of the trials, and an overlay of what moves.
const [DOMINATED, INFEASIBLE] = ["#8da6c2", "#b08375"];

class Chart {
  constructor(page) {
    this.page = page;
    this.node = byId("chart");
    this.plot = element("div", { class: "scatter" });
    this.yTitle = element("p", { class: "axis-title" });
    this.node.append(this.yTitle, this.plot);
    this.node.addEventListener("keydown", event => this.walk(event));
    this.hovered = null;
    this.scatter = new Scatter(this.plot, {
      drawn: () => this.refresh(),
      click: mark => { if (mark.point) page.choose(mark.point); },
      hover: (mark, event) => {
        this.hover(mark.point ?? null);
        this.showTip(mark, event);
      },
      leave: () => {
        this.hover(null);
        byId("tip").hidden = true;
      },
    });
    this.overlay = new Overlay(this.scatter);
  }

  draw() {
    const { page } = this;
    const [first] = page.studies;
    this.yTitle.textContent = this.axisTitle(page.y);
    const layers = page.studies.flatMap(study => this.layers(study));
    if (first.peers.length) layers.push(this.peers(first));
    this.scatter.show(layers.filter(layer => layer.line || layer.marks.length), [this.range(page.x), this.range(page.y)],
      this.axisTitle(page.x));
    this.drawLegend();
  }

  hover(point) {
    if (point === this.hovered) return;
    this.hovered = point;
    this.drawPoints();
  }

  axisTitle(objective) {
    const [study] = this.page.studies;
    const better = study.directions[objective] === "maximize" ? "more is better" : "less is better";
    return `${study.objectives[objective].label}, ${better}`;
  }

  // Points over a limit may lie outside: they must not squeeze the others.
  range(objective) {
    const { studies } = this.page;
    const shown = study => study.trials.map((_, row) => row)
      .filter(row => (studies.length > 1 ? study.kinds[row] === "f" : study.kinds[row] !== "i"));
    const own = studies.flatMap(study => shown(study).map(row => study.value(objective, row)));
    const others = studies.flatMap(study => [...study.peers.map(({ values }) => values[objective]), ...study.exact.map(values => values[objective])]);
    const all = [...own, ...others];
    return roomy(all.length ? all : studies.flatMap(study => study.objectives[objective].numbers));
  }

  layers(study) {
    const { page } = this;
    const several = page.studies.length > 1;
    const colour = several ? page.colourOf(study) : page.accent;
    const colours = study.index === page.at ? colouring(study, page.colour, page.data.style) : null;
    const rows = { d: [], i: [] };
    [...study.kinds].forEach((kind, row) => { if (rows[kind] && !several) rows[kind].push(row); });
    const paint = (row, otherwise) => (colours ? colours.of(row) : otherwise);
    const marks = (some, look) => some.map(row => ({
      x: study.value(page.x, row), y: study.value(page.y, row), point: { study: study.index, row }, ...look(row),
    }));
    const told = study.front.filter(row => !study.isTie(row));
    const many = rows.d.length > 1000;
    const tied = study.front.filter(row => study.isTie(row));
    const line = (values, look) => ({ line: values.map(one => [one[page.x], one[page.y]]), colour, ...look });
    const layers = [
      { marks: marks(rows.i, row => ({ stroke: paint(row, INFEASIBLE) })), symbol: "cross", size: 3, lineWidth: 1.5, opacity: 0.7 },
      { marks: marks(rows.d, row => ({ fill: paint(row, DOMINATED) })), size: many ? 2.5 : 3, opacity: (colours ? 0.6 : 0.45) * (many ? 0.6 : 1) },
    ];
    if (study.objectives.length === 2) {
      layers.push(line(study.exact, { width: 1.5, dash: [2, 3] }));
      layers.push(line(study.front.map(row => study.objectives.map(column => column.numbers[row])), { width: 2 }));
    }
    layers.push(
      { marks: marks(told, row => ({ fill: paint(row, colour), stroke: page.paper })), size: 5.5, lineWidth: 1.5 },
      { marks: marks(tied, row => ({ fill: page.paper, stroke: paint(row, colour) })), size: 4.5, lineWidth: 2 },
    );
    return layers;
  }

  peers(study) {
    const { page } = this;
    const marks = study.peers.map(peer => ({
      x: peer.values[page.x], y: peer.values[page.y], peer, fill: page.mark, stroke: page.paper,
    }));
    return { marks, symbol: "diamond", size: 6, lineWidth: 1.5 };
  }

  at({ study, row }) {
    const { page } = this;
    return [page.studies[study].value(page.x, row), page.studies[study].value(page.y, row)];
  }

  refresh() {
    if (!this.overlay || !this.scatter.frame || !this.plot.offsetParent) return;
    this.drawBudgets();
    this.drawPoints();
    this.drawLabels();
  }

  drawBudgets() {
    const { page } = this;
    if (!this.scatter.frame) return;
    const limits = [["x", page.x], ["y", page.y]].filter(([, objective]) => page.budgets.has(objective))
      .map(([axis, objective]) => ({ axis, limit: page.budgets.get(objective) }));
    const bounded = [...page.budgets.values()].some(Number.isFinite);
    const best = bounded ? page.best().filter(one => one.row !== null).map(one => this.at(one)) : [];
    this.overlay.drawBudgets(limits, best);
  }

  drawPoints() {
    const { page } = this;
    if (!this.scatter.frame) return;
    const points = [[page.chosen, "chosen"], [this.hovered, "hovered"]].filter(([one]) => one).map(([one, name]) => {
      const study = page.studies[one.study];
      const whiskers = [["x", page.x], ["y", page.y]]
        .map(([axis, objective]) => ({ axis, ends: study.bar(objective, one.row) }))
        .filter(({ ends }) => ends).map(({ axis, ends: [low, high] }) => ({ axis, low, high }));
      return { at: this.at(one), whiskers, name };
    });
    this.overlay.drawPoints(points);
  }

  drawLabels() {
    const { page } = this;
    const labels = [];
    const { picked, knee, index } = page.study;
    const named = picked !== null && picked === knee ? [[knee, "picked, the knee"]] : [[picked, "picked"], [knee, "knee"]];
    for (const [row, text] of named) {
      if (row !== null) labels.push({ at: this.at({ study: index, row }), text });
    }
    for (const { name, values } of page.studies[0].peers) labels.push({ at: [values[page.x], values[page.y]], text: name });
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
    const colour = several ? "currentColor" : page.accent;
    add(!several, "front", colour, `front (${study.front.length})`);
    add(page.studies.some(one => Object.keys(one.ties).length), "tie", colour, "not told from a cheaper one");
    add(!several && has("d"), "dominated", DOMINATED, "dominated");
    add(!several && has("i"), "infeasible", INFEASIBLE, "over a limit");
    add(study.exact.length, "exact", colour, "exact front");
    add(study.peers.length, "peer", page.mark, "peers");
    const colours = colouring(page.study, page.colour, style);
    byId("legend").replaceChildren(
      element("ul", {}, entries.map(([symbol, text]) => element("li", {}, symbol, text))),
      ...(colours ? [colourKey(colours.legend)] : []),
    );
  }

  showTip({ point: found, peer }, event) {
    const tip = byId("tip");
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
      const { name, values } = peer;
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
