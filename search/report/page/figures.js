// The figures of the other tabs, drawn when their tab is first opened.
const FIGURES = {
  choices: [["choices", "Each line is a trial; the front has the colour of the first objective."]],
  progress: [["progress", "How the front grew with the trials."]],
  effects: [
    ["effects", "Mean of each objective over the trials that share an option; bars reach one standard deviation."],
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
    await Plotly.newPlot(plot, structuredClone(figure.data), {
      ...structuredClone(figure.layout), template: page.data.templates[page.theme],
    }, { responsive: true, displayModeBar: false });
  }
}
