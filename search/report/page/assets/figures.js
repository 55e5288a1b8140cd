// The figures of the other tabs, drawn when their tab is first opened.
const FIGURES = {
  choices: [["choices", "Each line is a trial; the front has the colour of the first objective."]],
  progress: [
    [
      "progress",
      "The hypervolume of the front against the trials: the volume between the front and the worst values, of which more is better.",
    ],
  ],
  effects: [
    [
      "effects",
      "Mean of each objective over the trials that share an option; bars reach one standard deviation to each side.",
    ],
    ["importance", "How much each choice decides whether a trial is among the best tenth (PED-ANOVA)."],
  ],
};

async function drawFigures(page, tab) {
  const node = byId(`view-${tab}`);
  if (plotly === null) node.replaceChildren(element("p", { class: "soft" }, "Drawing …"));
  await loadPlotly();
  node.replaceChildren();
  for (const [name, text] of FIGURES[tab]) {
    const figure = page.study.figures[name];
    const plot = element("div", { class: "plot", "data-figure": name });
    node.append(element("p", { class: "soft" }, text), element("div", { class: "card wide" }, plot));
    const layout = { ...structuredClone(figure.layout), template: page.data.templates[page.theme] };
    layout.font = { ...layout.font, size: 12 };
    for (const axis of Object.keys(layout).filter(key => /^[xy]axis/.test(key))) {
      if (layout[axis].title) layout[axis].title.font = { size: 13 };
    }
    await Plotly.newPlot(plot, structuredClone(figure.data), layout, {
      responsive: true,
      displayModeBar: false,
    });
  }
}
