// The scatter of the trials, drawn by plotly; what moves lies in an overlay above it.
const NEAR_PX = 16;
const BUTTONS = [["toImage"], ["zoom2d", "pan2d"], ["zoomIn2d", "zoomOut2d", "resetScale2d"]];

// plotly reads texts as a kind of HTML.
const escaped = text => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

class Chart {
  constructor(page) {
    this.page = page;
    this.node = byId("chart");
    this.plot = element("div", { class: "plot" });
    this.yTitle = element("p", { class: "axis-title" });
    this.area = element("div", { class: "stage" }, this.plot);
    this.node.append(this.yTitle, this.area);
    this.node.addEventListener("keydown", event => this.walk(event));
    this.hovered = null;
    this.overlay = null;
    this.cloud = new Cloud();
  }

  async draw() {
    const { page } = this;
    this.yTitle.textContent = this.axisTitle(page.y);
    drawLegend(page);
    await loadPlotly();
    if (!this.area.offsetParent) {
      page.stale.add("front"); // another tab was opened meanwhile
      return;
    }
    const [first] = page.studies;
    this.crowds = page.studies.length > 1 ? [] : this.crowdsOf(first);
    const traces = [
      ...this.crowds.map(({ trace }) => trace),
      ...page.studies.flatMap(study => this.traces(study)),
    ];
    if (first.peers.length) traces.push(this.peers(first));
    this.painted = null;
    await Plotly.react(
      this.plot,
      traces.filter(({ x }) => x.length),
      this.layout(),
      {
        modeBarButtons: BUTTONS,
        displayModeBar: true,
        displaylogo: false,
        doubleClick: "reset",
        showTips: false,
      },
    );
    if (!this.overlay) this.listen();
    this.refresh();
  }

  listen() {
    this.overlay = new Overlay(this.plot, this.area);
    this.plot.on("plotly_afterplot", () => this.refresh());
    this.plot.on("plotly_relayouting", () => this.refresh());
    this.plot.on("plotly_click", ({ points: [{ data, customdata }] }) => {
      if (data.meta.study !== undefined) this.page.choose({ study: data.meta.study, row: customdata });
    });
    this.plot.on("plotly_hover", ({ points: [{ data, customdata }], event }) => {
      const { study } = data.meta;
      this.area.classList.add("aims");
      this.hover(study === undefined ? null : { study, row: customdata });
      this.showTip(data.meta, customdata, event);
    });
    this.plot.on("plotly_unhover", () => {
      this.area.classList.remove("aims");
      this.hover(null);
      byId("tip").hidden = true;
    });
    new ResizeObserver(() => {
      if (this.area.offsetParent && !this.isFitting()) Plotly.Plots.resize(this.plot);
    }).observe(this.area);
  }

  // An observer also tells of the size that the plot was drawn at.
  isFitting() {
    const { width, height } = this.plot._fullLayout;
    return Math.abs(this.area.clientWidth - width) < 1 && Math.abs(this.area.clientHeight - height) < 1;
  }

  layout() {
    const { page } = this;
    const axis = objective => ({ range: this.range(objective), separatethousands: true });
    const styles = getComputedStyle(document.documentElement);
    const [soft, ink] = ["--soft", "--ink"].map(name => styles.getPropertyValue(name).trim());
    return {
      template: page.data.templates[page.theme],
      uirevision: `${page.x} ${page.y}`, // new data keeps the zoom, other axes don't
      autosize: true,
      margin: { l: 48, r: 16, t: 36, b: 48 },
      font: { size: 12 },
      hovermode: "closest",
      hoverdistance: NEAR_PX,
      dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom", // a finger scrolls the page
      showlegend: false,
      modebar: { bgcolor: "rgba(0,0,0,0)", color: soft, activecolor: ink },
      xaxis: {
        ...axis(page.x),
        title: { text: escaped(this.axisTitle(page.x)), standoff: 8, font: { size: 13 } },
      },
      yaxis: axis(page.y),
    };
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

  // Points that can't be chosen by their values may lie outside: they must not squeeze the others.
  range(objective) {
    const { studies } = this.page;
    const shown = study =>
      study.trials
        .map((_, row) => row)
        .filter(row => (studies.length > 1 ? study.kinds[row] === "f" : study.isEligible(row)));
    const own = studies.flatMap(study => shown(study).map(row => study.value(objective, row)));
    const others = studies.flatMap(study => [
      ...study.peers.map(({ values }) => values[objective]),
      ...study.exact.map(values => values[objective]),
    ]);
    const all = [...own, ...others];
    return roomy(all.length ? all : studies.flatMap(study => study.objectives[objective].numbers));
  }

  trace(rows, meta, numbers, look) {
    const { page } = this;
    const [x, y] = [page.x, page.y].map(objective => rows.map(row => numbers(objective, row)));
    return { type: "scatter", x, y, customdata: rows, meta, hoverinfo: "none", ...look };
  }

  // The trials that are not on the front: plotly knows where they are, the cloud paints them.
  crowdsOf(study) {
    const { page } = this;
    const colours = colouring(study, page.colour, page.data.style);
    const crowd = (kind, colour, look) => {
      const rows = study.trials.map((_, row) => row).filter(row => study.kinds[row] === kind);
      const trace = this.trace(rows, { study: study.index }, (one, row) => study.value(one, row), {
        mode: "none",
      });
      return {
        ...look,
        trace,
        x: trace.x,
        y: trace.y,
        colours: i => (colours ? colours.of(rows[i]) : colour),
      };
    };
    const many = study.trials.length > 1000;
    const opacity = (colours ? 0.6 : 0.45) * (many ? 0.6 : 1);
    return [
      crowd("p", DOMINATED, { symbol: "ring", size: 2.5, opacity: 0.4 }),
      crowd("i", INFEASIBLE, { symbol: "cross", size: 3, opacity: 0.7 }),
      crowd("d", DOMINATED, { symbol: "disc", size: many ? 2.5 : 3, opacity }),
    ];
  }

  traces(study) {
    const { page } = this;
    const colour = page.studies.length > 1 ? page.colourOf(study) : page.accent;
    const colours = study.index === page.at ? colouring(study, page.colour, page.data.style) : null;
    const paint = rows => (colours ? rows.map(colours.of) : colour);
    const markers = (rows, marker) =>
      this.trace(rows, { study: study.index }, (one, row) => study.value(one, row), {
        mode: "markers",
        marker,
      });
    const line = (values, look) => ({
      type: "scatter",
      mode: "lines",
      x: values.map(one => one[page.x]),
      y: values.map(one => one[page.y]),
      line: { color: colour, ...look },
      hoverinfo: "skip",
    });
    const [told, tied] = [false, true].map(tie => study.front.filter(row => study.isTie(row) === tie));
    const ends = study.front.map(row => study.objectives.map(column => column.numbers[row]));
    return [
      ...(study.objectives.length === 2
        ? [line(study.exact, { width: 1.5, dash: "2px,3px" }), line(ends, { width: 2 })]
        : []),
      markers(told, { size: 11, color: paint(told), line: { width: 1.5, color: page.paper } }),
      markers(tied, { size: 9, color: page.paper, line: { width: 2, color: paint(tied) } }),
    ];
  }

  peers({ peers }) {
    const { mark, paper } = this.page;
    return this.trace([...peers.keys()], {}, (objective, i) => peers[i].values[objective], {
      mode: "markers",
      marker: { symbol: "diamond", size: 11, color: mark, line: { width: 1.5, color: paper } },
    });
  }

  at({ study, row }) {
    const { page } = this;
    return [page.studies[study].value(page.x, row), page.studies[study].value(page.y, row)];
  }

  refresh() {
    if (!this.overlay || !this.area.offsetParent) return;
    this.paintCloud();
    this.drawBudgets();
    this.drawPoints();
    this.drawLabels();
  }

  // The image is painted anew, and so stays sharp, whenever the axes show another part.
  paintCloud() {
    const { xaxis, yaxis } = this.plot._fullLayout;
    const shown = JSON.stringify([xaxis.range, yaxis.range, xaxis._length, yaxis._length]);
    if (shown === this.painted || this.plot._dragging) return;
    this.painted = shown;
    Plotly.relayout(this.plot, {
      images: this.crowds.length ? [this.cloud.paint(this.crowds, this.plot._fullLayout)] : [],
    });
  }

  drawBudgets() {
    const { page } = this;
    if (!this.overlay) return;
    const limits = [
      ["x", page.x],
      ["y", page.y],
    ]
      .filter(([, objective]) => page.budgets.has(objective))
      .map(([axis, objective]) => ({ axis, limit: page.budgets.get(objective) }));
    const bounded = [...page.budgets.values()].some(Number.isFinite);
    const best = bounded
      ? page
          .best()
          .filter(one => one.row !== null)
          .map(one => this.at(one))
      : [];
    this.overlay.drawBudgets(limits, best);
  }

  drawPoints() {
    const { page } = this;
    if (!this.overlay) return;
    const points = [
      [page.chosen, "chosen"],
      [this.hovered, "hovered"],
    ]
      .filter(([one]) => one)
      .map(([one, name]) => {
        const study = page.studies[one.study];
        const whiskers = [
          ["x", page.x],
          ["y", page.y],
        ]
          .map(([axis, objective]) => ({ axis, ends: study.bar(objective, one.row) }))
          .filter(({ ends }) => ends)
          .map(({ axis, ends: [low, high] }) => ({ axis, low, high }));
        return { at: this.at(one), whiskers, name };
      });
    this.overlay.drawPoints(points);
  }

  drawLabels() {
    const { page } = this;
    const labels = [];
    const { picked, knee, index } = page.study;
    const named =
      picked !== null && picked === knee
        ? [[knee, "picked, the knee"]]
        : [
            [picked, "picked"],
            [knee, "knee"],
          ];
    for (const [row, text] of named) {
      if (row !== null) labels.push({ at: this.at({ study: index, row }), text });
    }
    for (const { name, values } of page.studies[0].peers)
      labels.push({ at: [values[page.x], values[page.y]], text: name });
    const markers = page.studies.flatMap(study =>
      study.front.map(row => this.at({ study: study.index, row })),
    );
    const peers = page.studies[0].peers.map(({ values }) => [values[page.x], values[page.y]]);
    this.overlay.drawLabels(labels, [...markers, ...peers]);
  }

  showTip({ study: index }, row, event) {
    const tip = byId("tip");
    const title = text => element("strong", {}, text);
    if (index !== undefined) {
      const study = this.page.studies[index];
      const line = column => withUnit(column, column.numbers[row]);
      tip.replaceChildren(
        title(`Trial ${study.trials[row]}`),
        ` ${study.status(row)}`,
        element("br"),
        study.objectives.map(line).join(", "),
        element("br"),
        study.choices.map(column => column.options[column.picked[row]]).join(" · "),
      );
    } else {
      const { name, values } = this.page.studies[0].peers[row];
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

// The range of numbers with some room at both ends.
function roomy(numbers) {
  const low = numbers.reduce((a, b) => Math.min(a, b), Infinity);
  const high = numbers.reduce((a, b) => Math.max(a, b), -Infinity);
  if (!(low <= high)) return [0, 1];
  const room = high > low ? 0.06 * (high - low) : Math.abs(high) * 0.1 || 1;
  return [low >= 0 ? Math.max(0, low - room) : low - room, high + room]; // nothing costs less than nothing
}
