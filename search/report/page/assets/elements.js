// Elements are made here alone: a text becomes a text node, never HTML.
const SVG = "http://www.w3.org/2000/svg";

const byId = id => document.getElementById(id);

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(
    ...children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== false),
  );
  return node;
}

const element = (tag, attributes = {}, ...children) =>
  fill(document.createElement(tag), attributes, children);
const shape = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS(SVG, tag), attributes, children);

function choose(label, options, value, onchange) {
  const select = element(
    "select",
    {
      onchange: event => onchange(event.target.value),
    },
    options.map(([key, text]) => element("option", { value: key, selected: key === value }, text)),
  );
  return element("label", { class: "field" }, element("span", {}, label), select);
}

const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
const say = text => {
  byId("said").textContent = text;
};
