// Colours of points by a column: shades for numbers, distinct colours for texts.
const [DOMINATED, INFEASIBLE] = ["#8da6c2", "#b08375"];

const shadeParts = scale => scale.map(colour => colour.match(/\d+/g).map(Number));

function shade(scale, share) {
  const parts = shadeParts(scale);
  const place = Math.min(Math.max(share, 0), 1) * (parts.length - 1);
  const at = Math.min(Math.floor(place), parts.length - 2);
  return `rgb(${parts[at].map((part, i) => Math.round(part + (place - at) * (parts[at + 1][i] - part))).join(",")})`;
}

// What colours the points of a study: {of: row -> colour, legend}, or null for the colours of front and others.
function colouring(study, key, style) {
  if (key === "none") return null;
  const [kind, index] = key.split(":");
  if (kind === "choice") {
    const { options, sizes, picked } = study.choices[index];
    const colours = options.map((_, i) =>
      sizes
        ? shade(style.scale, options.length > 1 ? i / (options.length - 1) : 0)
        : style.palette[i % style.palette.length],
    );
    return {
      of: row => colours[picked[row]],
      legend: { entries: options.map((text, i) => [colours[i], text]) },
    };
  }
  if (kind === "text") {
    const { texts, picked } = study.attributes[index];
    const colour = i => (i === null ? "#7b8794" : style.palette[i % style.palette.length]);
    return {
      of: row => colour(picked[row]),
      legend: { entries: texts.slice(0, 12).map((text, i) => [colour(i), text]) },
    };
  }
  const column = kind === "objective" ? study.objectives[index] : study.attributes[index];
  const given = column.numbers.filter((number, row) => number !== null && study.isEligible(row));
  const low = given.reduce((a, b) => Math.min(a, b), Infinity);
  const high = given.reduce((a, b) => Math.max(a, b), -Infinity);
  const steps = Array.from({ length: 65 }, (_, i) => shade(style.scale, i / 64));
  const share = number => (high > low ? (number - low) / (high - low) : 0.5);
  return {
    of: row =>
      column.numbers[row] === null
        ? "#7b8794"
        : steps[Math.round(Math.min(Math.max(share(column.numbers[row]), 0), 1) * 64)],
    legend: {
      scale: style.scale,
      low: showNumber(column, given.length ? low : null),
      high: showNumber(column, given.length ? high : null),
      title: column.label,
    },
  };
}

function colourOptions(study, several) {
  return [
    ["none", several ? "study" : "front"],
    ...study.choices.map((column, i) => [`choice:${i}`, column.label]),
    ...study.objectives.map((column, i) => [`objective:${i}`, column.label]),
    ...study.attributes
      .map((column, i) => [column.numbers ? `number:${i}` : `text:${i}`, column.label])
      .filter(([key], i) => !key.startsWith("text") || study.attributes[i].texts.length <= 12),
  ];
}
