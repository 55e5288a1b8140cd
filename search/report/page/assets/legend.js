// What the marks and the colours of the scatter stand for.
function drawLegend(page) {
  const [study] = page.studies;
  const style = page.data.style;
  const several = page.studies.length > 1;
  const entries = several
    ? page.studies.map(one => [symbolOf("front", page.colourOf(one)), `${one.name} (${one.front.length})`])
    : [];
  const has = kind => study.kinds.includes(kind);
  const add = (wanted, name, colour, text) => {
    if (wanted) entries.push([symbolOf(name, colour), text]);
  };
  const colour = several ? "currentColor" : page.accent;
  add(!several, "front", colour, `front (${study.front.length})`);
  add(
    page.studies.some(one => Object.keys(one.ties).length),
    "tie",
    colour,
    "not told from a cheaper one",
  );
  add(!several && has("d"), "dominated", DOMINATED, "dominated");
  add(!several && has("i"), "infeasible", INFEASIBLE, "over a limit");
  add(!several && has("p"), "pruned", DOMINATED, "dropped early");
  add(study.exact.length, "exact", colour, "exact front");
  add(study.peers.length, "peer", page.mark, "peers");
  const colours = colouring(page.study, page.colour, style);
  byId("legend").replaceChildren(
    element(
      "ul",
      {},
      entries.map(([symbol, text]) => element("li", {}, symbol, text)),
    ),
    ...(colours ? [colourKey(colours.legend)] : []),
  );
}

function symbolOf(name, colour) {
  const drawn = {
    front: () => shape("circle", { cx: 8, cy: 8, r: 5, fill: colour }),
    tie: () => shape("circle", { cx: 8, cy: 8, r: 4, fill: "none", stroke: colour, "stroke-width": 2 }),
    dominated: () => shape("circle", { cx: 8, cy: 8, r: 3, fill: colour, opacity: 0.6 }),
    pruned: () => shape("circle", { cx: 8, cy: 8, r: 2.5, fill: "none", stroke: colour, opacity: 0.7 }),
    infeasible: () => shape("path", { d: "M5,5L11,11M11,5L5,11", stroke: colour, "stroke-width": 1.5 }),
    exact: () =>
      shape("path", { d: "M1,8H15", stroke: colour, "stroke-width": 2, "stroke-dasharray": "2 3" }),
    peer: () => shape("path", { d: "M8,3L13,8L8,13L3,8Z", fill: colour }),
  }[name]();
  return shape("svg", { width: 16, height: 16, "aria-hidden": "true" }, drawn);
}

function colourKey({ entries, scale, low, high, title }) {
  if (entries) {
    return element(
      "ul",
      {},
      entries.map(([colour, text]) => {
        const box = element("span", { class: "swatch" });
        box.style.background = colour;
        return element("li", {}, box, text);
      }),
    );
  }
  const bar = element("span", { class: "bar" });
  bar.style.background = `linear-gradient(to right, ${scale.join(",")})`;
  return element("p", { class: "scale" }, element("span", {}, title), low, bar, high);
}
