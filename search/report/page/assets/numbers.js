// Numbers as people read them: a column says how many digits carry meaning.
const formats = new Map();

function format(number, decimals) {
  if (!formats.has(decimals)) {
    formats.set(
      decimals,
      new Intl.NumberFormat("en-GB", {
        minimumFractionDigits: decimals,
        maximumFractionDigits: decimals,
      }),
    );
  }
  return formats.get(decimals).format(number).replace("-", "−");
}

const showNumber = (column, number) =>
  number === null || number === undefined ? "–" : format(number / column.factor, column.decimals);
const withUnit = (column, number) => `${showNumber(column, number)} ${column.unit}`.trim();
const titleOf = ({ label, unit }) =>
  unit && label.endsWith(` (${unit})`) ? label.slice(0, -unit.length - 3) : label;
const showInterval = (column, [low, high]) => `${showNumber(column, low)} to ${showNumber(column, high)}`;

// A difference is shown to two digits of its interval's half width.
function showDifference(column, { value, low, high }) {
  const half = (high - low) / 2 / column.factor;
  const decimals = half > 0 ? Math.min(6, Math.max(0, 1 - Math.floor(Math.log10(half)))) : column.decimals;
  const signed = number => (number > 0 ? "+" : "") + format(number / column.factor, decimals);
  return `${signed(value)} ${column.unit}`.trim() + ` (95 %: ${signed(low)} to ${signed(high)})`;
}
