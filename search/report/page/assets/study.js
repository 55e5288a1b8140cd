// A study: questions about its columns, by row.
class Study {
  constructor(plain, index) {
    Object.assign(this, plain);
    this.index = index;
    this.rows = new Map(this.trials.map((trial, row) => [trial, row]));
    this.onFront = new Set(this.front);
    this.texts = [
      ...this.choices.map(column => ({ ...column, texts: column.options })),
      ...this.attributes.filter(column => column.texts),
    ];
    this.measures = [...this.objectives, ...this.attributes.filter(column => column.numbers)];
  }

  value(objective, row) {
    return this.objectives[objective].numbers[row];
  }

  isTie(row) {
    return Object.hasOwn(this.ties, row);
  }

  // Whether a trial can be chosen by its values: within all limits, and evaluated as a whole.
  isEligible(row) {
    return this.kinds[row] === "f" || this.kinds[row] === "d";
  }

  status(row) {
    if (this.isTie(row)) return "tie";
    return { f: "front", d: "dominated", i: "over a limit", p: "dropped early" }[this.kinds[row]];
  }

  interval(objective, row) {
    const ends = this.intervals[objective];
    return ends.length ? ends[row] : null;
  }

  // What a bar shows: of the first objective what a point of the front gains over a cheaper one, else its own interval.
  bar(objective, row) {
    const gain = objective === 0 ? this.gains[row] : undefined;
    if (!gain) return this.interval(objective, row);
    return [gain.low, gain.high].map(end => this.value(0, gain.cheaper) + end);
  }

  // The best row in the first objective within all budgets, as `mfagan pick --max` takes it; null if none is.
  best(budgets) {
    const sign = this.directions[0] === "maximize" ? -1 : 1;
    const limits = [...budgets].filter(([, limit]) => Number.isFinite(limit));
    const first = this.objectives[0].numbers;
    const costs = this.objectives.slice(1).map(column => column.numbers);
    let best = null;
    for (let row = 0; row < this.trials.length; row += 1) {
      if (!this.isEligible(row) || limits.some(([at, limit]) => this.objectives[at].numbers[row] > limit))
        continue;
      if (
        best === null ||
        sign * first[row] < sign * first[best] ||
        (first[row] === first[best] && costs.some(cost => cost[row] < cost[best]))
      )
        best = row;
    }
    return best;
  }
}
