// Several studies as shares of their largest choices: a figure for each cost, tables, and how to read them.
const MARKS = {
  circle: { cx: 8, cy: 8, r: 5 },
  square: { d: "M3,3H13V13H3Z" },
  diamond: { d: "M8,2L14,8L8,14L2,8Z" },
  "triangle-up": { d: "M8,2L14,13H2Z" },
  cross: { d: "M6,2H10V6H14V10H10V14H6V10H2V6H6Z" },
  star: { d: "M8,1L10,6L15,6L11,9.5L12.5,15L8,11.5L3.5,15L5,9.5L1,6L6,6Z" },
};

function markOf({ colour, symbol }) {
  const drawn = shape(symbol === "circle" ? "circle" : "path", { ...MARKS[symbol], fill: colour });
  return shape("svg", { width: 16, height: 16, "aria-hidden": "true" }, drawn);
}

function crossOf(colour) {
  const drawn = shape("path", { d: "M8,1V15M1,8H15", stroke: colour, "stroke-width": 3 });
  return shape("svg", { width: 16, height: 16, "aria-hidden": "true" }, drawn);
}

class SharesPage {
  constructor(data) {
    this.data = data;
    this.plots = [];
  }

  setTheme(theme) {
    this.theme = theme;
    this.draw();
  }

  load(data) {
    this.data = data;
    this.draw();
  }

  draw() {
    const { data } = this;
    byId("title").textContent = data.studies.map(({ name }) => name).join(", ");
    byId("summary").textContent = `Quality kept against cost, as shares of each study's ${data.whole}`;
    byId("legend").replaceChildren(
      element(
        "ul",
        {},
        data.studies.map(study => element("li", {}, markOf(study), study.name)),
        element("li", {}, crossOf(data.neutral), data.whole),
      ),
    );
    this.drawTable();
    byId("readings").replaceChildren(...data.paragraphs.map(text => element("p", {}, text)));
    this.drawFigures();
  }

  drawTable() {
    const { heads, groups } = this.data;
    const look = i => ({ class: i ? false : "words" });
    const cell = ([text, remark], i) => element("td", look(i), text, remark && element("small", {}, remark));
    byId("cheapest").replaceChildren(
      element(
        "thead",
        {},
        element(
          "tr",
          {},
          heads.map((text, i) => element("th", { scope: "col", ...look(i) }, text)),
        ),
      ),
      ...groups.map(({ name, quality, rows }) =>
        element(
          "tbody",
          {},
          element(
            "tr",
            {},
            element(
              "th",
              { scope: "rowgroup", colspan: heads.length, class: "words" },
              name,
              element("small", {}, quality),
            ),
          ),
          rows.map(row => element("tr", {}, row.map(cell))),
        ),
      ),
    );
  }

  async drawFigures() {
    const { figures } = this.data;
    if (this.plots.length !== figures.length) {
      this.plots = figures.map(() => element("div", { class: "plot" }));
      byId("figures").replaceChildren(
        ...figures.map(({ title }, i) =>
          element("section", { class: "card", "aria-label": title }, element("h2", {}, title), this.plots[i]),
        ),
      );
    }
    await loadPlotly();
    for (const [i, { data, layout }] of figures.entries()) {
      await Plotly.react(this.plots[i], structuredClone(data), this.layout(structuredClone(layout)), {
        responsive: true,
        displayModeBar: false,
        doubleClick: "reset",
        showTips: false,
      });
    }
    document.documentElement.dataset.drawn = "true";
  }

  layout(layout) {
    for (const axis of [layout.xaxis, layout.yaxis]) axis.title = { ...axis.title, standoff: 8, font: { size: 13 } };
    return {
      ...layout,
      template: this.data.templates[this.theme],
      uirevision: "shares", // new data keeps the zoom
      autosize: true,
      height: undefined,
      margin: { l: 56, r: 12, t: 8, b: 44 },
      font: { size: 12 },
      hovermode: "closest",
      dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom", // a finger scrolls the page
      showlegend: false,
    };
  }
}

function start() {
  const page = new SharesPage(JSON.parse(byId("data").textContent));
  watchTheme(theme => page.setTheme(theme));
  document.documentElement.dataset.ready = "true";
  if (page.data.refresh_s) follow(page.data.refresh_s, data => page.load(data));
}

start();
