// All distinct trials, or the front: sorted, in pages, and as CSV.
const PAGE_ROWS = 100;

class Table {
  constructor(page) {
    this.page = page;
    this.node = byId("view-table");
    this.frontOnly = true;
    this.sort = { key: null, sign: 1 };
    this.start = 0;
  }

  columns() {
    const { study } = this.page;
    return [
      {
        label: "Trial",
        name: "trial",
        of: row => study.trials[row],
        shown: row => String(study.trials[row]),
      },
      {
        label: "Status",
        name: "status",
        words: true,
        of: row => study.status(row),
        shown: row => study.status(row),
      },
      ...study.objectives.flatMap((column, i) => [
        {
          label: column.label,
          name: column.name,
          of: row => column.numbers[row],
          shown: row => showNumber(column, column.numbers[row]),
        },
        ...(study.intervals[i].length ? [this.intervalColumn(column, study.intervals[i])] : []),
      ]),
      ...study.choices.map(column => ({
        label: column.label,
        name: column.name,
        words: !column.sizes,
        of: row => column.picked[row],
        shown: row => column.options[column.picked[row]],
      })),
      ...study.attributes.map(column =>
        column.texts
          ? {
              label: column.label,
              name: column.name,
              words: true,
              of: row => column.texts[column.picked[row]] ?? "",
              shown: row => column.texts[column.picked[row]] ?? "",
            }
          : {
              label: column.label,
              name: column.name,
              of: row => column.numbers[row],
              shown: row => showNumber(column, column.numbers[row]),
            },
      ),
    ];
  }

  intervalColumn(column, ends) {
    return {
      label: "95 % interval",
      name: `${column.name} interval`,
      soft: true,
      ends,
      of: row => (ends[row] ? ends[row][0] : null),
      shown: row => (ends[row] ? showInterval(column, ends[row]) : "–"),
    };
  }

  rows() {
    const { study } = this.page;
    const rows = this.frontOnly ? [...study.front] : study.trials.map((_, row) => row);
    const column = this.columns().find(({ name }) => name === this.sort.key);
    if (!column) return rows;
    const keys = new Map(rows.map(row => [row, column.of(row)]));
    const compare = (a, b) =>
      typeof a === "string" ? a.localeCompare(b) : (a ?? Infinity) - (b ?? Infinity);
    return rows.sort((a, b) => this.sort.sign * compare(keys.get(a), keys.get(b)) || a - b);
  }

  draw() {
    const { page } = this;
    const { study } = page;
    const columns = this.columns();
    const rows = this.rows();
    this.start = Math.min(this.start, Math.max(0, Math.floor((rows.length - 1) / PAGE_ROWS) * PAGE_ROWS));
    const shown = rows.slice(this.start, this.start + PAGE_ROWS);
    const head = columns.map(column =>
      element(
        "th",
        {
          scope: "col",
          class: column.words ? "words" : null,
          "aria-sort":
            this.sort.key === column.name ? (this.sort.sign > 0 ? "ascending" : "descending") : null,
        },
        element("button", { type: "button", onclick: () => this.sortBy(column.name) }, column.label),
      ),
    );
    const chosen = page.chosen?.study === study.index ? page.chosen.row : null;
    const active = shown.includes(chosen) ? chosen : shown[0];
    const body = shown.map(row =>
      element(
        "tr",
        {
          tabindex: row === active ? 0 : -1,
          "data-trial": study.trials[row],
          "aria-selected": row === chosen ? "true" : null,
          class: row === study.picked ? "picked" : null,
          onclick: () => page.choose({ study: study.index, row }),
        },
        columns.map(({ words, soft, shown: text }) =>
          element("td", { class: words ? "words" : soft ? "soft" : null }, text(row)),
        ),
      ),
    );
    this.node.replaceChildren(
      element(
        "div",
        { class: "settings" },
        choose(
          "Trials",
          [
            ["front", `front (${study.front.length})`],
            ["all", `all distinct (${format(study.trials.length, 0)})`],
          ],
          this.frontOnly ? "front" : "all",
          key => {
            this.frontOnly = key === "front";
            this.start = 0;
            this.draw();
          },
        ),
        element(
          "button",
          { type: "button", id: "csv", onclick: () => this.download(columns, rows) },
          "Download CSV",
        ),
      ),
      element(
        "div",
        { class: "card table", tabindex: "0", role: "region", "aria-label": "Table of trials" },
        element(
          "table",
          { onkeydown: event => this.walk(event) },
          element("thead", {}, element("tr", {}, head)),
          element("tbody", {}, body),
        ),
      ),
      rows.length > PAGE_ROWS ? this.pager(rows.length) : "",
    );
  }

  pager(total) {
    const last = Math.min(this.start + PAGE_ROWS, total);
    const go = (text, start, disabled) =>
      element(
        "button",
        {
          type: "button",
          disabled,
          onclick: () => {
            this.start = start;
            this.draw();
          },
        },
        text,
      );
    return element(
      "div",
      { class: "pager" },
      go("Previous", this.start - PAGE_ROWS, this.start === 0),
      element("span", {}, `${format(this.start + 1, 0)} to ${format(last, 0)} of ${format(total, 0)}`),
      go("Next", this.start + PAGE_ROWS, last === total),
    );
  }

  sortBy(key) {
    this.sort = { key, sign: this.sort.key === key ? -this.sort.sign : 1 };
    this.start = 0;
    this.draw();
    const at = this.columns().findIndex(({ name }) => name === key);
    this.node.querySelectorAll("th button")[at].focus();
  }

  mark() {
    const { chosen, study } = this.page;
    for (const row of this.node.querySelectorAll("tbody tr")) {
      const is = chosen?.study === study.index && Number(row.dataset.trial) === study.trials[chosen.row];
      if (is) row.setAttribute("aria-selected", "true");
      else row.removeAttribute("aria-selected");
    }
  }

  walk(event) {
    const row = event.target.closest("tbody tr");
    if (!row) return;
    if (event.key === "Enter") {
      row.click();
      byId("panel").focus();
    }
    const next = { ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling }[event.key];
    if (!next) return;
    event.preventDefault();
    row.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  download(columns, rows) {
    const heads = columns.flatMap(({ name, ends }) => (ends ? [`${name} low`, `${name} high`] : [name]));
    const lines = rows.map(row =>
      columns.flatMap(({ words, of, shown, ends, name }) => {
        const isChoice = this.page.study.choices.some(column => column.name === name && shown);
        const value = words || isChoice ? shown(row) : (of(row) ?? "");
        return ends ? (ends[row] ?? ["", ""]) : [value];
      }),
    );
    const text = [heads, ...lines].map(cells => cells.map(asCell).join(",")).join("\r\n") + "\r\n";
    const url = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    element("a", { href: url, download: "trials.csv" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }
}

// A text that a spreadsheet would compute starts with an apostrophe.
function asCell(value) {
  if (typeof value === "number") return String(value);
  const text = /^[=+@\t\r]|^-(?![\d.]+$)/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
