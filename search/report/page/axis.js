// An axis from a range of numbers to pixels, with round ticks.
class Axis {
  constructor([low, high], [from, to], room) {
    Object.assign(this, { low, high, from, to });
    const wanted = Math.max(2, Math.abs(to - from) / room);
    const rough = (high - low) / wanted;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].find(times => times * power >= rough * 0.999) * power;
    const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    const first = Math.ceil(low / step - 1e-9);
    const n = Math.floor(high / step + 1e-9) - first + 1;
    this.ticks = Array.from({ length: Math.max(0, n) }, (_, i) => [(first + i) * step, format((first + i) * step, decimals)]);
  }

  at(number) { return this.from + ((number - this.low) / (this.high - this.low)) * (this.to - this.from); }

  number(pixel) { return this.low + ((pixel - this.from) / (this.to - this.from)) * (this.high - this.low); }
}

// The range of numbers with some room at both ends.
function roomy(numbers) {
  const low = numbers.reduce((a, b) => Math.min(a, b), Infinity);
  const high = numbers.reduce((a, b) => Math.max(a, b), -Infinity);
  if (!(low <= high)) return [0, 1];
  const room = high > low ? 0.06 * (high - low) : Math.abs(high) * 0.1 || 1;
  return [low >= 0 ? Math.max(0, low - room) : low - room, high + room]; // nothing costs less than nothing
}
