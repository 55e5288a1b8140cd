// The page: what is chosen, and what is drawn again when that changes.
class Page {
  constructor(data) {
    this.at = 0;
    this.chosen = null;
    this.budgets = new Map();
    this.colour = "none";
    [this.x, this.y] = [1, 0];
    this.stale = new Set();
    this.chart = new Chart(this);
    this.sliders = new Budgets(this);
    this.panel = new Panel(this);
    this.table = new Table(this);
    this.load(data);
    const { picked, knee, front } = this.study;
    const row = picked ?? knee ?? front[0];
    if (row !== undefined && row !== null) this.chosen = { study: 0, row };
  }

  get study() {
    return this.studies[this.at];
  }

  load(data) {
    const kept = this.chosen && {
      name: this.studies[this.chosen.study].name,
      trial: this.studies[this.chosen.study].trials[this.chosen.row],
    };
    this.data = data;
    this.studies = data.studies.map((study, i) => new Study(study, i));
    for (const [i] of this.studies[0].objectives.entries()) {
      const decimals = Math.max(...this.studies.map(study => study.objectives[i].decimals));
      for (const study of this.studies) study.objectives[i].decimals = decimals;
    }
    this.at = Math.min(this.at, this.studies.length - 1);
    if (kept) {
      const study = this.studies.find(({ name }) => name === kept.name);
      const row = study?.rows.get(kept.trial);
      this.chosen = row === undefined ? null : { study: study.index, row };
    }
  }

  colourOf(study) {
    const { palette } = this.data.style;
    return palette[study.index % palette.length];
  }

  best() {
    return this.studies.map(study => ({ study: study.index, row: study.best(this.budgets) }));
  }

  drawHead() {
    const names = this.studies.map(({ name }) => name).join(", ");
    byId("title").textContent = names;
    const several = this.studies.length > 1;
    byId("summary").replaceChildren(
      ...this.studies.flatMap(({ name, summary }, i) => [
        i ? element("br") : "",
        several ? `${name}: ${summary}` : summary,
      ]),
    );
    byId("counts").textContent = several ? "" : this.study.counts;
    byId("study-field").hidden = this.studies.length < 2;
    byId("study").replaceChildren(
      ...this.studies.map((study, i) => element("option", { value: i, selected: i === this.at }, study.name)),
    );
    byId("study").onchange = event => this.openStudy(Number(event.target.value));
  }

  drawSettings() {
    const { study } = this;
    const axes = study.objectives.map((column, i) => [String(i), column.label]);
    const set = name => key => {
      this[name] = Number(key);
      this.chart.draw();
    };
    byId("settings").replaceChildren(
      choose("Colour", colourOptions(study, this.studies.length > 1), this.colour, key => {
        this.colour = key;
        this.chart.draw();
      }),
      ...(axes.length > 2
        ? [choose("Across", axes, String(this.x), set("x")), choose("Up", axes, String(this.y), set("y"))]
        : []),
    );
  }

  // Draws all again; tabs that are closed wait until they are opened.
  draw() {
    this.drawHead();
    this.drawSettings();
    this.sliders.draw();
    this.panel.draw();
    this.stale = new Set(TABS.map(([key]) => key));
    this.open(this.tabs.current);
  }

  open(key) {
    if (!this.stale.delete(key)) {
      if (key === "front") this.chart.refresh();
      return;
    }
    if (key === "front") this.chart.draw();
    else if (key === "table") this.table.draw();
    else if (key === "about") drawAbout(this);
    else drawFigures(this, key);
  }

  openStudy(at) {
    this.at = at;
    this.colour = "none";
    this.table.start = 0;
    this.draw();
  }

  choose(point, said = true) {
    this.chosen = point;
    this.panel.draw();
    this.chart.refresh();
    this.table.mark();
    const study = this.studies[point.study];
    if (said)
      say(
        `Trial ${study.trials[point.row]}: ${study.objectives.map(column => withUnit(column, column.numbers[point.row])).join(", ")}`,
      );
  }

  close() {
    this.chosen = null;
    this.panel.draw();
    this.chart.refresh();
    this.table.mark();
  }

  budgetsMoved() {
    this.chart.drawBudgets();
    this.sliders.show();
  }

  budgetsSet() {
    const best = this.best()[this.at];
    if (best.row !== null) this.choose(best, false);
  }

  setTheme(theme) {
    this.theme = theme;
    const styles = getComputedStyle(document.documentElement);
    [this.paper, this.accent, this.mark] = ["--card", "--accent", "--mark"].map(name =>
      styles.getPropertyValue(name).trim(),
    );
    this.draw();
  }
}

function start() {
  const page = new Page(JSON.parse(byId("data").textContent));
  page.tabs = new Tabs(key => page.open(key));
  page.tabs.open("front");
  watchTheme(theme => page.setTheme(theme));
  document.documentElement.dataset.ready = "true";
  if (page.data.refresh_s)
    follow(page.data.refresh_s, data => {
      page.load(data);
      page.draw();
    });
}

start();
