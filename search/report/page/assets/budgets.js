// A slider for each minimised objective: the best point under the budgets is marked while it moves.
class Budgets {
  constructor(page) {
    this.page = page;
    this.node = byId("budgets");
    this.result = element("output", { class: "result", "aria-live": "polite" });
  }

  draw() {
    const { page } = this;
    const [study] = page.studies;
    const costs = study.directions
      .map((direction, i) => i)
      .filter(i => i > 0 && study.directions[i] === "minimize");
    this.sliders = costs.map(objective => this.slider(objective)).filter(Boolean);
    this.node.replaceChildren(...this.sliders, ...(this.sliders.length ? [this.result] : []));
    this.show();
  }

  slider(objective) {
    const { page } = this;
    const column = page.studies[0].objectives[objective];
    const numbers = page.studies.flatMap(study =>
      study.objectives[objective].numbers.filter((_, row) => study.isEligible(row)),
    );
    if (!numbers.length) return null;
    const step = column.factor * 10 ** -column.decimals;
    const low = Math.ceil(numbers.reduce((a, b) => Math.min(a, b)) / step - 1e-9);
    const high = Math.ceil(numbers.reduce((a, b) => Math.max(a, b)) / step) + 1;
    const number = value => Number((value * step).toPrecision(12));
    const kept = page.budgets.get(objective);
    const value = Number.isFinite(kept) ? Math.min(Math.round(kept / step), high) : high;
    const shown = element("span", { class: "limit-text" });
    const input = element("input", {
      type: "range",
      min: low,
      max: high,
      step: 1,
      value,
      "aria-label": `Budget of ${column.label}`,
      "data-objective": objective,
      oninput: () => {
        read();
        page.budgetsMoved();
      },
      onchange: () => page.budgetsSet(),
    });
    const read = () => {
      const limit = Number(input.value) >= high ? Infinity : number(Number(input.value));
      page.budgets.set(objective, limit);
      shown.textContent = Number.isFinite(limit) ? `at most ${withUnit(column, limit)}` : "no limit";
      input.setAttribute("aria-valuetext", shown.textContent);
      input.style.setProperty("--share", `${(100 * (Number(input.value) - low)) / Math.max(1, high - low)}%`);
    };
    read();
    return element(
      "label",
      { class: "budget" },
      element("span", {}, `${titleOf(column)} budget`),
      input,
      shown,
    );
  }

  show() {
    const { page } = this;
    const bounded = [...page.budgets.values()].some(Number.isFinite);
    const lines = page.best().map(({ study: index, row }) => {
      const study = page.studies[index];
      const name = page.studies.length > 1 ? `${study.name}: ` : "";
      if (row === null) return `${name}nothing is within it; the least is ${this.least(study)}`;
      const [value, ...costs] = study.objectives.map(column => withUnit(column, column.numbers[row]));
      return `${name}${bounded ? "best under it" : "best of all"}: trial ${study.trials[row]}, ${value} at ${costs.join(", ")}`;
    });
    this.result.replaceChildren(...lines.flatMap((line, i) => (i ? [element("br"), line] : [line])));
  }

  least(study) {
    return [...this.page.budgets.keys()]
      .map(objective => {
        const column = study.objectives[objective];
        const feasible = column.numbers.filter((_, row) => study.isEligible(row));
        return feasible.length
          ? withUnit(
              column,
              feasible.reduce((a, b) => Math.min(a, b)),
            )
          : "none";
      })
      .join(", ");
  }
}
