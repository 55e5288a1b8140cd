// Tabs: arrow keys move between them, as the ARIA practices have it.
const TABS = [
  ["front", "Front"],
  ["choices", "Choices"],
  ["progress", "Progress"],
  ["effects", "Effects"],
  ["table", "Table"],
  ["about", "About"],
];

class Tabs {
  constructor(onopen) {
    this.onopen = onopen;
    this.buttons = TABS.map(([key, title]) =>
      element(
        "button",
        {
          type: "button",
          role: "tab",
          id: `tab-${key}`,
          "aria-controls": `view-${key}`,
          onclick: () => this.open(key),
          onkeydown: event => this.walk(event, key),
        },
        title,
      ),
    );
    byId("tabs").append(...this.buttons);
  }

  open(key) {
    this.current = key;
    TABS.forEach(([name], i) => {
      this.buttons[i].setAttribute("aria-selected", String(name === key));
      this.buttons[i].tabIndex = name === key ? 0 : -1;
      byId(`view-${name}`).hidden = name !== key;
    });
    this.onopen(key);
  }

  walk(event, key) {
    const at = TABS.findIndex(([name]) => name === key);
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: TABS.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const index = (next + TABS.length) % TABS.length;
    this.open(TABS[index][0]);
    this.buttons[index].focus();
  }
}
