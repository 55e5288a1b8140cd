// The chosen point in full.
class Panel {
  constructor(page) {
    this.page = page;
    this.node = byId("panel");
    this.comparison = { scene: null, left: null, right: "own", share: 50 };
    addEventListener("keydown", event => {
      if (event.key === "Escape" && page.chosen) page.close();
    });
  }

  draw() {
    const { page } = this;
    if (!page.chosen) {
      this.node.replaceChildren(element("p", { class: "soft" }, "Choose a point to see it in full."));
      return;
    }
    const study = page.studies[page.chosen.study];
    const { row } = page.chosen;
    const point = study.points[row] ?? { pictures: [], parts: [], drawing: null, commands: [] };
    this.node.replaceChildren();
    fill(this.node, {}, [
      this.head(study, row),
      this.values(study, row),
      this.remark(study, row),
      this.section("Pictures", comparePictures(page, study, point, this.comparison)),
      this.section("Choices", this.choices(study, row, point)),
      ...study.objectives.map((column, i) =>
        point.parts[i]?.length
          ? this.section(
              `${titleOf(column)} by part`,
              drawParts(column, point.parts[i], page.data.style.scale),
            )
          : null,
      ),
      this.section("Facts", this.facts(study, row)),
      this.section(
        "Next",
        point.commands.length ? point.commands.map(command => this.command(command)) : null,
      ),
    ]);
  }

  section(title, content) {
    return content ? element("section", {}, element("h3", {}, title), content) : null;
  }

  head(study, row) {
    const { page } = this;
    const status = [study.status(row)];
    if (row === study.knee) status.push("knee");
    if (row === study.picked) status.push("picked");
    const order = study.front;
    const at = order.indexOf(row);
    const step = (name, symbol, next) =>
      element(
        "button",
        {
          type: "button",
          class: "quiet icon",
          "aria-label": name,
          title: name,
          disabled: at < 0 || next === undefined,
          onclick: () => page.choose({ study: study.index, row: next }),
        },
        symbol,
      );
    return element(
      "div",
      { class: "panel-head" },
      element("h2", {}, `Trial ${study.trials[row]}`),
      element(
        "ul",
        { class: "badges" },
        status.map(text => element("li", {}, text)),
        page.studies.length > 1 ? element("li", {}, study.name) : null,
      ),
      element(
        "div",
        { class: "steps" },
        step("Previous point of the front", "←", order[at - 1]),
        step("Next point of the front", "→", order[at + 1]),
        element(
          "button",
          {
            type: "button",
            class: "quiet icon",
            "aria-label": "Close",
            title: "Close (Escape)",
            onclick: () => page.close(),
          },
          "×",
        ),
      ),
    );
  }

  values(study, row) {
    return element(
      "dl",
      { class: "values" },
      study.objectives.map((column, i) => {
        const ends = study.interval(i, row);
        return element(
          "div",
          {},
          element("dt", {}, titleOf(column)),
          element(
            "dd",
            {},
            showNumber(column, column.numbers[row]),
            " ",
            element("span", { class: "unit" }, column.unit),
          ),
          ends ? element("dd", { class: "soft small" }, `95 %: ${showInterval(column, ends)}`) : null,
        );
      }),
    );
  }

  remark(study, row) {
    const found = study.gains[row];
    if (!found)
      return study.isTie(row) ? element("p", { class: "remark" }, this.tied(study, study.ties[row])) : null;
    const [column] = study.objectives;
    const title = titleOf(column);
    const against = `${title} ${showDifference(column, found)} against trial ${study.trials[found.cheaper]}`;
    return element(
      "p",
      { class: "remark" },
      study.isTie(row)
        ? `${this.tied(study, found.cheaper)} ${against}.`
        : `${against}, the next cheaper one.`,
    );
  }

  tied(study, other) {
    return `A tie: the scores can't tell it from the cheaper trial ${study.trials[other]}.`;
  }

  choices(study, row, { drawing }) {
    if (!drawing || !drawing.boxes.length) return drawChoices(study, row);
    return drawBoxes(drawing, Math.max(240, this.node.clientWidth - 48));
  }

  facts(study, row) {
    const rows = study.attributes
      .map(column => {
        const text = column.texts
          ? column.texts[column.picked[row]]
          : showNumber(column, column.numbers[row]);
        return text === undefined || text === "–" ? null : [column.label, text];
      })
      .filter(Boolean);
    if (!rows.length) return null;
    return element(
      "dl",
      { class: "facts" },
      rows.map(([label, text]) => [element("dt", {}, label), element("dd", {}, text)]),
    );
  }

  command([title, text]) {
    const code = element("code", { tabindex: "0" }, text);
    const button = element(
      "button",
      { type: "button", class: "copy", "aria-label": `Copy the command: ${title}` },
      "Copy",
    );
    button.addEventListener("click", async () => {
      const done = await copyText(text, code);
      button.textContent = done ? "Copied" : "Press Ctrl+C";
      say(done ? `Copied: ${title}` : "The command is selected: press Ctrl+C");
      setTimeout(() => {
        button.textContent = "Copy";
      }, 2000);
    });
    return element("div", { class: "command" }, element("p", {}, title), element("pre", {}, code), button);
  }
}

// Pages from the disk may lack the clipboard: then the text is selected and copied as by hand.
async function copyText(text, node) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const selection = getSelection();
    selection.selectAllChildren(node);
    return document.execCommand("copy");
  }
}
